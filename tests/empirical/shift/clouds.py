"""Gaussian data under a linear map, for the tests of the measured shift."""

from __future__ import annotations

import numpy as np

RNG_SEED = 20


def cloud(count: int, dimension: int, width: int, seed: int = RNG_SEED) -> tuple[np.ndarray, np.ndarray]:
    """N(0, I_d) data under a linear map with very unequal scales into `width` dimensions; and that map."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((width, dimension)))[0] * np.geomspace(1, 50, dimension)
    return rng.standard_normal((count, dimension)), basis.T
