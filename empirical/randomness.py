"""The one registry of random streams: what is drawn for step t of a run depends on (seed, t) and on nothing else."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Draws(IntEnum):
    """What random numbers are for. Every use has a number of its own, so that no two draws of one seed are the same."""

    ORDER = 0  # the order of batches, by epoch
    AUGMENTATION = 1  # augmented texts, by step
    DROPOUT = 2  # seeds of dropout, by step
    INITIAL_WEIGHTS = 3
    FOLDS = 4  # folds of cross-fitted teachers and of cross-validation
    COPIES = 5  # augmented texts made once, by copy
    CHOICE = 6  # which of the copies a step takes
    SUBSET = 7  # the permutation whose prefixes are the training subsets
    SPLIT = 8  # the validation split
    BANK_TEXTS = 9  # which texts of a task make a bank's pool, and which replicate owns them
    BANK_COPIES = 10  # a bank's augmented copies
    SHIFT_BOOTSTRAP = 11
    SHIFT_TEXTS = 12  # texts on which a shift is measured
    LIGHT_STUDENT = 13  # initial weights and batches of light students
    SELECTION = 14  # candidates among which a selecting augmenter chooses
    GENERATION = 15  # texts that a language model writes


def step_generator(seed: int, step: int, stream: Draws) -> np.random.Generator:
    """The random numbers of one step: a function of (seed, step, stream) and of nothing else (design: Randomness)."""
    key = np.array([np.uint64(seed), np.uint64((int(stream) << 48) | step)], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))
