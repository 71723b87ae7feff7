"""A ladder whose movement stops on a known rung, for the tests of its reading and its figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from kdshift.ladder.rungs import GAUSSIAN_SHIFT, RUNGS

SIZES, REPLICATES = (50, 200, 800), 8
TAU, DEGREE = (0.1, 0.2, 0.4, 0.8, 1.6), (0.1, 0.3, 0.5, 0.7, 0.9)


def built(moving: int, noise: float = 0.002) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A ladder whose best shift moves with n on the first `moving` rungs only, and whose gain does as well."""
    rows: list[dict[str, Any]] = []
    for number, rung in enumerate(RUNGS):
        gaussian = rung.name in GAUSSIAN_SHIFT
        for size in SIZES:
            step = {50: 3, 200: 2, 800: 1}[size] if number < moving else 2
            rng = np.random.default_rng([number, size])
            level = rng.normal(0.3, 0.05, REPLICATES)
            for place, shift in enumerate((0.0, *(TAU if gaussian else DEGREE))):
                share = 0.0 if place == 0 else 0.02 * step - 0.02 * (place - 1 - step) ** 2
                for replicate in range(REPLICATES):
                    rows.append(
                        {
                            "rung": rung.name,
                            "augmenter": "none" if place == 0 else "gaussian" if gaussian else "knn",
                            "data_size": size,
                            "shift": shift,
                            "tau": shift if gaussian else 1.5 * shift,
                            "replicate": replicate,
                            "distance": level[replicate] * (1 - share) + noise * rng.normal(),
                            "at_edge": False,
                        }
                    )
    arms = {True: [["none", 0.0, 0.0], *(["gaussian", tau, 0.0] for tau in TAU)]}
    arms[False] = [["none", 0.0, 0.0], *(["knn", degree, 0.0] for degree in DEGREE)]
    covariance = (1e-8 * np.eye(6)).tolist()
    test_noise = {
        f"{rung.name}-{size}": {"arms": arms[rung.name in GAUSSIAN_SHIFT], "covariance": covariance}
        for rung in RUNGS
        for size in SIZES
    }
    return pd.DataFrame(rows), test_noise
