"""How fast this machine is, from a calibration of a few seconds: one layer of a kind and width, one translator."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from torch import nn

from empirical.augment.translation import Apertium
from empirical.models.precision import mixed, resolve_precision

CPU_BATCH, GPU_BATCH, RECURRENT_BATCH, LENGTH = 4, 64, 32, 64  # of the calibration


def time_translation(engine: Apertium, texts: Sequence[str]) -> float:
    """Seconds of a text to Spanish and back; the first quarter starts the programs and is not counted."""
    first = len(texts) // 4
    engine.round_trip(texts[:first], *engine.pivots, 0)
    start = time.perf_counter()
    engine.round_trip(texts[first:], *engine.pivots, 0)
    return (time.perf_counter() - start) / (len(texts) - first)


def time_layer(hidden: int, inner: int, recurrent: bool = False) -> tuple[float, float]:
    """Seconds a token of one layer on this machine: (forward, forward and backward); the best of two tries.

    hidden, inner: widths of an encoder layer; if `recurrent`, of a BiLSTM's state and of its input.
    """
    gpu = torch.cuda.is_available()
    device = torch.device("cuda" if gpu else "cpu")
    batch = GPU_BATCH if gpu else RECURRENT_BATCH if recurrent else CPU_BATCH
    size = (batch, LENGTH, inner if recurrent else hidden)
    x_BLD = torch.zeros(size, device=device).normal_(generator=torch.Generator(device).manual_seed(0))
    layer: nn.Module = (
        nn.LSTM(inner, hidden, bidirectional=True, batch_first=True, device=device)
        if recurrent
        else nn.TransformerEncoderLayer(hidden, max(1, hidden // 64), inner, batch_first=True, device=device)
    )

    def forward() -> None:
        with torch.no_grad():
            layer(x_BLD)

    def both() -> None:
        made = layer(x_BLD)
        (made[0] if recurrent else made).sum().backward()

    def best(work: Callable[[], None]) -> float:
        work()
        times = []
        for _ in range(2):
            start = time.perf_counter()
            work()
            if gpu:
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
        return min(times) / (batch * LENGTH)

    with mixed(device, resolve_precision("auto", device)):
        return best(forward), best(both)
