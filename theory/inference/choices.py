"""The worst case over free choices, one shift a curve: what a rule may lose against whatever is best at each data size.

Serves `effects.regret_below` (the rule of thumb of section 5.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student_t

from theory.inference.aligned import Aligned

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Moments = Callable[[int, Ints], tuple[Floats, Floats]]


def highest_choice(found: Aligned, weights: Sequence[Floats], level: float) -> tuple[float, float, float]:
    """The highest upper end among all choices of one contrast a block, and the mean and the standard error there.

    `weights` holds (K, P, S) for every block. The true best choice is among them and its own one-sided interval holds
    with probability (1 + level) / 2, so there is nothing to correct for. Found by changing one block's choice at a time
    from several starts: the objective is convex, so its maximum lies at a corner, though not surely the one found.
    """
    tables = found.effects(weights)
    if found.exact:
        exact = float(np.mean([table[0].max() for table in tables]))
        return exact, exact, 0.0
    units = len(tables) if found.unit == "row" else min(len(table) for table in tables)
    if units < 2:
        return math.nan, math.nan, math.nan
    moments = _apart(tables) if found.unit == "own replicate" else _together(tables, rows=found.unit == "row")
    critical = float(student_t.ppf((1 + level) / 2, units - 1))
    means = np.stack([table.mean(axis=0) for table in tables])
    starts = [means.argmax(axis=1), *(np.full(len(tables), k, dtype=np.intp) for k in range(means.shape[1]))]
    shared = found.block_spread(weights)
    upper, se = max(_climb(moments, shared, critical, start) for start in starts)
    return upper, upper - critical * se, se


def _together(tables: Sequence[Floats], *, rows: bool) -> Moments:
    """Mean and variance (K,) of the mean over blocks for every contrast of one block: replicates (or rows) shared."""
    count = len(tables)
    if rows:
        values_BUK = np.stack([np.eye(count)[at][:, None] * table for at, table in enumerate(tables)])
    else:
        values_BUK = np.stack(tables) / count

    def moments(at: int, choice: Ints) -> tuple[Floats, Floats]:
        others = [values_BUK[block, :, choice[block]] for block in range(count) if block != at]
        units_UK = np.sum(others, axis=0)[:, None] + values_BUK[at] if others else values_BUK[at]
        return units_UK.mean(axis=0), units_UK.var(axis=0, ddof=1) / len(units_UK)

    return moments


def _apart(tables: Sequence[Floats]) -> Moments:
    """The same where every block has its own replicates: variances add."""
    count = len(tables)
    mean_BK = np.stack([table.mean(axis=0) for table in tables]) / count
    variance_BK = np.stack([table.var(axis=0, ddof=1) / len(table) for table in tables]) / count**2

    def moments(at: int, choice: Ints) -> tuple[Floats, Floats]:
        others = [block for block in range(count) if block != at]
        mean, variance = (sum(part[block, choice[block]] for block in others) for part in (mean_BK, variance_BK))
        return mean + mean_BK[at], variance + variance_BK[at]

    return moments


def _climb(moments: Moments, shared_BK: Floats, critical: float, start: Ints) -> tuple[float, float]:
    """Upper end and standard error at a choice that no change of one block's contrast raises."""
    choice, best = start.copy(), (-math.inf, 0.0)
    while True:
        before = best[0]
        for at in range(len(choice)):
            mean, variance = moments(at, choice)
            others = sum(shared_BK[block, choice[block]] for block in range(len(choice)) if block != at)
            se = np.sqrt(variance + (others + shared_BK[at]) ** 2)
            upper = mean + critical * se
            choice[at] = int(np.argmax(upper))
            best = (float(upper[choice[at]]), float(se[choice[at]]))
        if best[0] <= before + 1e-12:
            return best
