"""Means over both halves of one sample, cut in two in several ways: rows that may be read as independent replicates.

Where a pool holds only two disjoint subsets of a size, two replicates leave one degree of freedom. Cutting the pool
into halves in other ways as well tells more of the variance (balanced half-samples: McCarthy, Review of the
International Statistical Institute, 1969). Serves `kdshift empirical curves`. Shapes: C cuts, K columns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import helmert

from theory.errors import InputError

Floats = npt.NDArray[np.float64]


def as_replicates(half_2CK: Floats) -> Floats:
    """Rows (C + 1, K) with the mean of all halves, whose variance over C + 1 is the variance of that mean.

    half_2CK: values of the halves, the two of a cut one below the other, C >= 2 cuts of which any two cut each other's
    halves in half. A cut's halves share no text, so a quarter of their squared difference estimates the variance of
    their mean; where a value is a mean over texts, all cuts have one mean and their differences are independent. The
    rows' sample covariance, over C + 1, is the average of these estimates, and Student's law of the rows has C degrees
    of freedom. Values that are no means over texts have a mean whose variance this states too high, not too low, as far
    as cuts differ. Raises InputError for an odd number of rows or a single cut.
    """
    halves = np.asarray(half_2CK, dtype=float)
    if halves.ndim != 2 or len(halves) < 4 or len(halves) % 2:
        raise InputError("halves", halves.shape, "shape (2 C, K) with C >= 2 cuts of a sample into halves")
    apart_CK = (halves[::2] - halves[1::2]) / 2
    spread_RC = helmert(len(apart_CK) + 1).T  # orthonormal columns that sum to zero
    rows: Floats = halves.mean(axis=0) + np.sqrt(len(apart_CK) + 1) * spread_RC @ apart_CK
    return rows
