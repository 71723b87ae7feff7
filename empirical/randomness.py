"""The one registry of random streams: what is drawn for step t of a run depends on (seed, t) and on nothing else."""

from __future__ import annotations

import numpy as np


def step_generator(seed: int, step: int, stream: int = 0) -> np.random.Generator:
    """The random numbers of one step: a function of (seed, step, stream) and of nothing else (design: Randomness).

    Streams keep independent draws of the same step apart (0 batch order, 1 augmentation, 2 dropout seeds).
    """
    key = np.array([np.uint64(seed), np.uint64((stream << 48) | step)], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))
