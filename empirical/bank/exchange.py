"""The exchange rate: how many real unlabelled texts augmentation at its best degree is worth, in units of n.

Serves `kdshift empirical curves` and `recommend` and the page. The curve of distance against real texts, which begins
without any, is read where it reaches the distance of augmentation. Shapes: R replicates, K degrees, A amounts, G grid
points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from theory.inference.contrast import LEVEL, half_interval

POINTS = 64  # between two amounts

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ExchangeRate:
    """Real unlabelled texts, in units of n, that bring a student as near to its teacher as augmentation does.

    rate: where the mean distances meet. low, high: the amounts whose mean distance differs from that of augmentation by
    no more than the noise of replicates and test texts, at 95 % (Fieller, 1954); NaN for one replicate. 0: as good as
    no augmentation. Infinite: more than `most`, which was tried.
    """

    rate: float
    low: float
    high: float
    replicates: int
    most: float

    @property
    def known(self) -> bool:
        """Whether the noise leaves any amount out."""
        return self.low > 0 or not math.isinf(self.high)

    def times(self, data_size: float = 1.0, form: str = ".0f", unit: str = "") -> str:
        """The rate times `data_size` with its interval, and a unit; in words where more than was tried may be meant."""
        low, high = (f"{end * data_size:{form}}" for end in (self.low, self.high))
        if math.isinf(self.rate) and not self.low > 0:
            return f"more than the {self.most * data_size:{form}}{unit} tried" if math.isnan(self.low) else "not known"
        if not self.known or (math.isinf(self.high) and not float(low) > 0):
            return "not known"
        if math.isinf(self.low):
            return f"more than the {self.most * data_size:{form}}{unit} tried"
        if math.isinf(self.high):
            return f"at least {low}{unit}"
        ends = "" if math.isnan(self.low) else f" [{low}, {high}]"
        return f"{self.rate * data_size:{form}}{ends}{unit}"


def exchange_rate(
    augmented_RK: NDArray[np.floating],
    amount_A: NDArray[np.floating],
    real_RA: NDArray[np.floating],
    test_covariance: NDArray[np.floating] | None = None,
) -> ExchangeRate:
    """The exchange rate of paired replicates.

    augmented_RK: distance at each positive degree. amount_A: increasing amounts of real texts, in units of n, the first
    one 0. real_RA: distance with each. Between amounts distances are linear in the logarithm, below the least in the
    amount. test_covariance: of the mean distances, shape (K + A, K + A), from drawing the test texts; None: not
    counted. The rate is that of the degree with the least mean; the interval holds the greatest of all degrees' true
    rates, as `theory.inference.contrast.greatest` does: at least the highest low end, each at its share of the error,
    at most the highest high end. A choice of the degree by the other replicates would not do: it chooses against the
    one left out, and covers 72 to 90 %.
    """
    count, degrees = augmented_RK.shape
    amount_G, weight_GA = _between(np.asarray(amount_A, dtype=float))
    most = float(amount_G[-1])
    best = int(augmented_RK.mean(axis=0).argmin())
    rate = _first(amount_G, augmented_RK[:, best].mean() - weight_GA @ real_RA.mean(axis=0))
    if count == 1:
        return ExchangeRate(rate=rate, low=math.nan, high=math.nan, replicates=1, most=most)
    lows, highs = [], []
    for degree, unit_K in enumerate(np.eye(degrees)):
        behind_RG = augmented_RK[:, degree][:, None] - real_RA @ weight_GA.T
        shared_G = np.zeros(len(amount_G))
        if test_covariance is not None:
            contrast = np.hstack([np.tile(unit_K, (len(amount_G), 1)), -weight_GA])
            shared_G = np.maximum(np.einsum("gi,ij,gj->g", contrast, test_covariance, contrast), 0.0)
        each, own = (
            half_interval(behind_RG, level=level, shared_variance=shared_G)
            for level in (1 - (1 - LEVEL) / degrees, LEVEL)
        )
        behind_G = behind_RG.mean(axis=0)
        lows.append(_first(amount_G, behind_G + each))
        highs.append(_last(amount_G, behind_G - own))
    return ExchangeRate(rate=rate, low=min(max(lows), rate), high=max(max(highs), rate), replicates=count, most=most)


def _between(amount_A: Floats) -> tuple[Floats, Floats]:
    """Amounts from none to the most, (G,), and the weights (G, A) that interpolate there."""
    log_A = np.log(amount_A[1:])
    below = np.linspace(0.0, amount_A[1], POINTS, endpoint=False)
    above = np.unique(np.concatenate([np.linspace(a, b, POINTS) for a, b in pairwise(log_A)]))
    weight_GA = np.zeros((len(below) + len(above), len(amount_A)))
    weight_GA[: len(below), 1] = below / amount_A[1]
    weight_GA[: len(below), 0] = 1 - weight_GA[: len(below), 1]
    for at, unit in enumerate(np.eye(len(log_A))):
        weight_GA[len(below) :, 1 + at] = np.interp(above, log_A, unit)
    return np.concatenate([below, np.exp(above)]), weight_GA


def _first(amount_G: Floats, behind_G: Floats) -> float:
    """The least amount at which augmentation no longer lies below; infinite where it always does."""
    reached = np.flatnonzero(behind_G >= 0)
    return float(amount_G[reached[0]]) if reached.size else math.inf


def _last(amount_G: Floats, behind_G: Floats) -> float:
    """The least amount from which on augmentation lies above; infinite where it does not at the most."""
    below = np.flatnonzero(behind_G <= 0)
    if not below.size:
        return float(amount_G[0])
    return math.inf if below[-1] == len(amount_G) - 1 else float(amount_G[below[-1] + 1])
