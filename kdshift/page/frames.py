"""Tidy tables behind the page's charts: the bound on a grid of (tau, n, d), simulated curves, gains in text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import chi2

from kdshift.page.charts import BOUND_PARTS
from theory import repaired, risk

SIZES = (30, 100, 300, 1000, 3000, 10_000)
DIMENSIONS = (2, 3, 5, 8, 12, 20)
TRUSTED_SHARE = 0.95  # of the original data, on which the page's teacher is right within TEACHER_EPSILON
TEACHER_EPSILON = 0.05
TAU = np.geomspace(1e-3, 3.0, 40)


def trust_radius(dimension: int) -> float:
    """The radius of the ball that holds `TRUSTED_SHARE` of the original data in this dimension."""
    return float(np.sqrt(chi2.ppf(TRUSTED_SHARE, dimension)))


def theory_frame(sizes: Sequence[int] = SIZES, dimensions: Sequence[int] = DIMENSIONS) -> pd.DataFrame:
    """The mean risk bound's two parts (PROOFS.md 5) on a grid: columns tau, data_size, dimension, part, value, bound.

    The student's own distance to its teacher on augmented data comes on top of `bound`; above 1 it says nothing.
    """
    rows = []
    for dimension in dimensions:
        radius = trust_radius(dimension)
        teacher = TEACHER_EPSILON + (1 - TEACHER_EPSILON) * np.asarray(risk.outside_mass(TAU, dimension, radius))
        for size in sizes:
            distance = np.asarray(repaired.mean_bound(size, TAU, dimension)) / 2
            for part, value in zip(BOUND_PARTS, (distance, teacher), strict=True):
                rows.append(
                    pd.DataFrame(
                        {
                            "tau": TAU.round(5),
                            "data_size": size,
                            "dimension": dimension,
                            "part": part,
                            "value": value.round(5),
                            "bound": (distance + teacher).round(5),
                        }
                    )
                )
    return pd.concat(rows, ignore_index=True)
