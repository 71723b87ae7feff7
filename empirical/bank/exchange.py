"""The exchange rate: how many real unlabelled texts augmentation at its best degree is worth, in units of n.

Serves `kdshift empirical curves` and the claims. The curve of distance against real texts is read at the distance that
augmentation reaches. Shapes: R replicates, K degrees, A amounts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.inference.contrast import student_interval


@dataclass(frozen=True, kw_only=True)
class ExchangeRate:
    """Real unlabelled texts, in units of n, that bring a student as near to its teacher as augmentation does.

    rate: the geometric mean over replicates. low, high: Student's 95 % interval, on logarithms; NaN for one replicate.
    censored: how many replicates lie outside the amounts that were tried ("<" below the least, ">" above the most);
    those count as the end they left at, so with `>` the rate is at least what is given.
    """

    rate: float
    low: float
    high: float
    replicates: int
    below: int
    above: int


def exchange_rate(
    augmented_RK: NDArray[np.floating], amount_A: NDArray[np.floating], real_RA: NDArray[np.floating]
) -> ExchangeRate:
    """The exchange rate of paired replicates.

    augmented_RK: distance at each positive degree. amount_A: increasing amounts of real texts, in units of n.
    real_RA: distance with each. A replicate's degree is the best of all the others' means, so that no noise is both
    chosen and counted (with one replicate: its own best).
    """
    count = len(augmented_RK)
    rates = []
    for row in range(count):
        others = np.delete(augmented_RK, row, axis=0) if count > 1 else augmented_RK
        best = int(others.mean(axis=0).argmin())
        rates.append(amount_for(float(augmented_RK[row, best]), amount_A, real_RA[row]))
    rate_R = np.array(rates)
    found = student_interval(np.log(rate_R))
    return ExchangeRate(
        rate=math.exp(found.effect),
        low=math.exp(found.low),
        high=math.exp(found.high),
        replicates=count,
        below=int((rate_R <= amount_A[0]).sum()),
        above=int((rate_R >= amount_A[-1]).sum()),
    )


def amount_for(distance: float, amount_A: NDArray[np.floating], real_A: NDArray[np.floating]) -> float:
    """The amount of real texts at which the distance is `distance`, between its logarithms linear, within the range.

    The curve is made to fall first (its running minimum from the left), as more texts cannot be worth less.
    """
    falling_A = np.minimum.accumulate(real_A)
    return float(np.exp(np.interp(-distance, -falling_A, np.log(amount_A))))
