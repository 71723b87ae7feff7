"""What a sweep would cost on a card that is not here: `sweep --dry-run --device h100`, from the maker's peak figures.

Operations are counted (two a weight and token forward, twice that backward, and attention); a card is taken to do them
at a share of its peak. That share is measured on a processor, against its own matrix product, because no card has been
timed: hours are an estimate, right to a factor of about three.
"""

from __future__ import annotations

from dataclasses import dataclass

from theory.errors import unknown_name

# Layers of the paper's widths, forward and backward, reach 66 to 81 % of a processor's matrix product on one thread
# (`python tests/benchmarks/layer_share.py`). On a card, whose products are faster by far than its memory, less is left.
MEASURED_SHARE = 0.66
TOKENS = 40  # of a GLUE pair, over which attention goes: little beside the weights
CARD_SHARE = 0.5  # of that, an assumption: small batches, optimiser, data


@dataclass(frozen=True, kw_only=True)
class Device:
    """A card. peak: dense 16-bit tensor operations a second by the maker's data sheet. gigabytes: its memory."""

    name: str
    peak: float
    gigabytes: float

    @property
    def operations_a_second(self) -> float:
        """What training is taken to reach."""
        return self.peak * MEASURED_SHARE * CARD_SHARE


DEVICES = {
    "v100": Device(name="V100 16GB", peak=125e12, gigabytes=16),
    "a100": Device(name="A100 40GB", peak=312e12, gigabytes=40),
    "h100": Device(name="H100 80GB", peak=989e12, gigabytes=80),
}


def device_of(name: str) -> Device:
    """The card of this name (v100, a100, h100); raises InputError for another."""
    if name.lower() not in DEVICES:
        raise unknown_name("device", name, DEVICES)
    return DEVICES[name.lower()]


def layer_seconds(device: Device, hidden: int, inner: int, recurrent: bool = False) -> tuple[float, float]:
    """Seconds a token of one layer: (forward, forward and backward).

    hidden, inner: widths of an encoder layer; if `recurrent`, of a BiLSTM's state and of its input.
    """
    weights = 8 * hidden * (hidden + inner) if recurrent else 4 * hidden**2 + 2 * hidden * inner
    operations = 2 * weights + (0 if recurrent else 4 * hidden * TOKENS)
    return operations / device.operations_a_second, 3 * operations / device.operations_a_second
