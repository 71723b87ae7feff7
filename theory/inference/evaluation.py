"""What a finite evaluation set adds to an error: noise that all replicates share and therefore cannot show.

Serves every text curve (one test split for all runs) and the paper's tables (one development set a task).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from theory.errors import InputError

Floats = npt.NDArray[np.float64]

# Stated bounds, for tables kept without predictions: how alike two students' errors on the same texts are at least.
# SINGLE: two runs. MEANS: two means over replicates, of which only what is the same in every replicate counts here,
# the rest being in the replicates' own spread.
SINGLE = 0.5
MEANS = 0.75


def bounded_covariance(error: npt.ArrayLike, examples: float, correlation: float) -> Floats:
    """Covariance (S, S) of errors (S,) measured on the same `examples`, if their correlation is at least this.

    `error` are shares of wrong examples, or means of a loss in [0, 1]: the variance of one is at most error * (1 -
    error) / examples (Bhatia and Davis, 2000; equality for shares), and that of a difference falls as the correlation
    of the two on one example rises.
    """
    mean = np.asarray(error, dtype=float)
    if np.any((mean < 0) | (mean > 1)):
        raise InputError("error", mean.tolist(), "shares or means of a loss in [0, 1]")
    if not examples > 0:
        raise InputError("examples", examples, "a number > 0")
    spread = np.sqrt(mean * (1 - mean) / examples)
    return correlation * np.outer(spread, spread) + (1 - correlation) * np.diag(spread**2)


def measured_covariance(loss: npt.ArrayLike) -> Floats:
    """Covariance (S, S) of mean losses from the examples' own losses (R, N, S), replicates by examples by shifts.

    The part that is the same in every replicate: what examples and replicates do together is taken off, as it is in
    the spread between replicates already (two-way analysis of variance). One replicate keeps all of it.
    """
    table = np.asarray(loss, dtype=float)
    if table.ndim != 3 or table.shape[1] < 2:
        raise InputError("losses", table.shape, "shape (replicates, examples, shifts) with at least two examples")
    replicates, examples, shifts = table.shape
    mean = table.mean(axis=0)
    between = np.cov(mean, rowvar=False, ddof=1).reshape(shifts, shifts) / examples
    if replicates == 1:
        return np.asarray(between, dtype=float)
    rest = table - mean - table.mean(axis=1, keepdims=True) + table.mean(axis=(0, 1))
    within = np.einsum("rns,rnt->st", rest, rest) / ((replicates - 1) * (examples - 1))
    values, vectors = np.linalg.eigh(between - within / (replicates * examples))
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T, dtype=float)


def least_correlation(covariance: Floats) -> float:
    """The smallest correlation between two shifts of a covariance (S, S); of one shift, what is assumed of two runs."""
    spread = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    if len(spread) < 2 or np.any(spread == 0):
        return SINGLE
    correlation = covariance / np.outer(spread, spread)
    return float(np.clip(correlation[~np.eye(len(spread), dtype=bool)].min(), 0.0, 1.0))
