"""Every random number's address: what is drawn depends on the seed and the address, never on the order of the work.

The address is (dimension, data_size, replicate, purpose). tau, supervision, truth, teacher, student, kernel and the
amount of augmentation are absent on purpose: cells that differ in these alone share their random numbers, so that their
differences are sharp, while replicates and data sizes are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

Purpose = Literal["data", "augmentation", "teacher", "student", "test", "distance", "truth", "parents", "held_out"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


def stream(seed: int, dimension: int, data_size: int, replicate: int, purpose: Purpose) -> np.random.Generator:
    """The generator at one address: `SeedSequence(seed, spawn_key=(dimension, data_size, replicate, purpose))`."""
    key = (dimension, data_size, replicate, PURPOSES.index(purpose))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def streams(
    seed: int, dimension: int, data_size: int, replicates: Sequence[int], purpose: Purpose
) -> list[np.random.Generator]:
    """One generator a replicate."""
    return [stream(seed, dimension, data_size, replicate, purpose) for replicate in replicates]
