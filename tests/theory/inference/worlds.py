"""Curves with a known truth for the tests of the rules: sizes, degrees, replicates that share a level, a test set."""

from __future__ import annotations

import numpy as np

from theory.inference.curve import ShiftErrorCurve

DEGREES = np.array([0.0, 0.1, 0.3, 0.5, 0.8])
SIZES = (220, 1098, 21966)
TAUS = np.geomspace(1e-3, 3, 15)


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


def bowl(best: float, depth: float = 0.05) -> np.ndarray:
    """A parabola in log tau with its minimum at `best`."""
    return 0.2 + depth * np.log(TAUS / best) ** 2


def noisy(mean: np.ndarray, count: int, noise: float, seed: int, data_size: float = 100) -> ShiftErrorCurve:
    """Replicates with a shared level each (common random numbers) and independent noise."""
    rng = np.random.default_rng(seed)
    table = mean + rng.normal(0, 0.2, (count, 1)) + rng.normal(0, noise, (count, mean.size))
    return ShiftErrorCurve.from_replicates(TAUS, table, data_size)


def degree_bowl(degree: np.ndarray, size: float, best: float = 0.4) -> np.ndarray:
    """A parabola in degree, the same at every data size."""
    return 0.3 + 0.3 * (degree - best) ** 2
