"""Which theory a preset's curves are read against: the `reading` of `kdshift simulate run PRESET`."""

from __future__ import annotations

from collections.abc import Callable

from simulate import exponents, text_kernels
from simulate.experiment_config import ExperimentConfig
from simulate.predictions import Reading
from simulate.tau_curves import Curves
from theory.errors import unknown_name

READINGS: dict[str, Callable[[Curves, ExperimentConfig], Reading]] = {
    "exponents": exponents.read,
    "kernels": text_kernels.read,
}


def read_against_theory(name: str, found: Curves, config: ExperimentConfig) -> Reading:
    """The reading of that name; InputError with the nearest names otherwise."""
    if name not in READINGS:
        raise unknown_name("reading", name, READINGS)
    return READINGS[name](found, config)
