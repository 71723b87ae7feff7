"""Curves with a known truth for the tests of the rules: sizes, degrees, replicates that share a level, a test set."""

from __future__ import annotations

import numpy as np

from theory.inference.curve import ShiftErrorCurve

DEGREES = np.array([0.0, 0.1, 0.3, 0.5, 0.8])
SIZES = (220, 1098, 21966)


def curves(
    count: int,
    rng: np.random.Generator,
    *,
    shared: float = 0.0,
    mean=lambda degree, size: 0.3 + 0 * degree,
    noise=0.008,
) -> list[ShiftErrorCurve]:
    """One curve a size: a level a replicate, noise a cell, and noise of the test set that no replicate shows."""
    level, of_set = rng.normal(0, 0.01, (count, 1)), shared * rng.standard_normal(len(DEGREES))
    covariance = shared**2 * np.eye(len(DEGREES)) if shared else None
    return [
        ShiftErrorCurve.from_replicates(
            DEGREES, mean(DEGREES, size) + level + rng.normal(0, noise, (count, len(DEGREES))) + of_set, size, "degree",
            evaluation="test", test_covariance=covariance,
        )
        for size in SIZES
    ]  # fmt: skip
