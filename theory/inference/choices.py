"""The worst case over free choices, one shift a curve: what a rule may lose against whatever is best at each data size.

Serves `effects.regret_below` (the rule of thumb of section 5.1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student_t

from theory.inference.aligned import Aligned

Floats = npt.NDArray[np.float64]


def highest_choice(found: Aligned, weights: Sequence[Floats], level: float) -> tuple[float, float]:
    """The highest upper end among all choices of one contrast a block, and the standard error there.

    `weights` holds (K, P, S) for every block. The true best choice is among them and its own one-sided interval holds
    with probability (1 + level) / 2, so there is nothing to correct for. Found by changing one block's choice at a time
    from several starts: the objective is convex, so its maximum lies at a corner, though not surely the one found.
    """
    rows = [
        np.einsum("rps,kps->rk", found.errors(block), own) for block, own in zip(found.blocks, weights, strict=True)
    ]
    shared = found.block_spread(weights)
    if found.exact:
        return float(np.mean([table[0].max() for table in rows])), 0.0
    units = len(rows[0]) if found.names else len(rows)
    if units < 2:
        return math.nan, math.nan
    table_BUK = np.stack([_placed(table, at, found) for at, table in enumerate(rows)])
    critical = float(student_t.ppf((1 + level) / 2, units - 1))
    means = table_BUK.mean(axis=1)
    starts = [means.argmax(axis=1), *(np.full(len(rows), k) for k in range(means.shape[1]))]
    return max(_climb(table_BUK, shared, critical, start) for start in starts)


def _placed(table_RK: Floats, at: int, found: Aligned) -> Floats:
    """A block's share of every unit's value, (U, K): its replicates, or its own row of the rows."""
    if found.names:
        return table_RK / len(found.blocks)
    share = np.zeros((len(found.blocks), table_RK.shape[1]))
    share[at] = table_RK[0]
    return share


def _climb(table_BUK: Floats, shared_BK: Floats, critical: float, start: npt.NDArray[np.intp]) -> tuple[float, float]:
    """Upper end and standard error at a choice that no change of one block's contrast raises."""
    choice, best = start.copy(), (-math.inf, 0.0)
    while True:
        before = best[0]
        for at in range(len(table_BUK)):
            others = [block for block in range(len(table_BUK)) if block != at]
            base = sum((table_BUK[block, :, choice[block]] for block in others), np.zeros(table_BUK.shape[1]))
            units_UK = base[:, None] + table_BUK[at]
            spread = sum(shared_BK[block, choice[block]] for block in others) + shared_BK[at]
            se = np.sqrt(units_UK.var(axis=0, ddof=1) / len(units_UK) + spread**2)
            upper = units_UK.mean(axis=0) + critical * se
            choice[at] = int(np.argmax(upper))
            best = (float(upper[choice[at]]), float(se[choice[at]]))
        if best[0] <= before + 1e-12:
            return best
