"""Whether a signal ranks degrees as students do: rank correlations with intervals, and what choosing by it costs.

Serves `kdshift empirical signals`. Shapes: A groups (an augmenter at a data size), K degrees, B bootstrap draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 2000
LEVEL = 0.95
RULE = 0.3  # the fixed degree that a choice has to beat (section 5.1)
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """How a signal orders cells beside the students' distance (a perfect predictor has 1).

    across: mean over data sizes of Spearman's correlation over all cells of a size. within: mean over augmenters and
    sizes of that over degrees alone, which is what a choice of degree needs. Each with its 95 % bootstrap interval:
    cells are drawn anew within their size (across), whole curves of augmenters (within).
    cells: how many there are. regret: mean distance lost against the best degree by taking the one with the lowest
    signal. regret_high: by taking the highest. regret_rule: by always changing 30 %. saved: distance that the better of
    the two ends saves against 30 % (positive: it helps), with the interval over curves; highest says which end it is.
    """

    signal: str
    cells: int
    across: float
    across_low: float
    across_high: float
    within: float
    within_low: float
    within_high: float
    regret: float
    regret_high: float
    regret_rule: float
    highest: bool
    saved: float
    saved_low: float
    saved_high: float


def rank_signals(table: pd.DataFrame, signals: Sequence[str], seed: int = 0) -> list[Ranking]:
    """How each signal ranks the cells.

    table: columns data_size, augmenter, degree, distance (mean over replicates), and each signal.
    """
    return [_ranking(table, signal, np.random.default_rng(seed)) for signal in signals]


def _ranking(table: pd.DataFrame, signal: str, rng: np.random.Generator) -> Ranking:
    sizes = [frame[[signal, "distance"]].to_numpy(dtype=float) for _, frame in table.groupby("data_size")]
    curves = [frame.sort_values("degree") for _, frame in table.groupby(["data_size", "augmenter"])]
    across = float(np.mean([spearman(*cells.T) for cells in sizes]))
    across_B = np.mean([spearman(*_drawn(cells, rng)) for cells in sizes], axis=0)
    each_A = np.array([spearman(frame[signal].to_numpy(), frame["distance"].to_numpy()) for frame in curves])
    within_B = each_A[rng.integers(0, len(each_A), (DRAWS, len(each_A)))].mean(axis=1)
    lost_A3 = np.array([_regrets(frame, signal) for frame in curves])
    lost = lost_A3.mean(axis=0)
    highest = bool(lost[1] < lost[0])
    saved_A = lost_A3[:, 2] - lost_A3[:, int(highest)]
    saved_B = saved_A[rng.integers(0, len(saved_A), (DRAWS, len(saved_A)))].mean(axis=1)
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    across_low, across_high = np.nanquantile(across_B, tails)
    within_low, within_high = np.quantile(within_B, tails)
    saved_low, saved_high = np.quantile(saved_B, tails)
    return Ranking(
        signal=signal,
        cells=len(table),
        across=across,
        across_low=float(across_low),
        across_high=float(across_high),
        within=float(each_A.mean()),
        within_low=float(within_low),
        within_high=float(within_high),
        regret=float(lost[0]),
        regret_high=float(lost[1]),
        regret_rule=float(lost[2]),
        highest=highest,
        saved=float(saved_A.mean()),
        saved_low=float(saved_low),
        saved_high=float(saved_high),
    )


def spearman(x_K: Floats, y_K: Floats) -> Floats:
    """Spearman's rank correlations along the last axis, 0 where one side is constant."""
    from scipy.stats import rankdata

    middle = (x_K.shape[-1] + 1) / 2
    x, y = rankdata(x_K, axis=-1) - middle, rankdata(y_K, axis=-1) - middle
    scale = np.sqrt((x * x).sum(axis=-1) * (y * y).sum(axis=-1))
    return np.asarray((x * y).sum(axis=-1) / np.where(scale > 0, scale, np.inf))


def _drawn(cells: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Cells drawn anew, `DRAWS` times: two arrays (B, cells)."""
    index = rng.integers(0, len(cells), (DRAWS, len(cells)))
    return cells[index, 0], cells[index, 1]


def _regrets(frame: pd.DataFrame, signal: str) -> tuple[float, float, float]:
    """Distance lost by the degree with the lowest signal, with the highest, and by the one nearest to 30 %."""
    distance_K, signal_K = frame["distance"].to_numpy(dtype=float), frame[signal].to_numpy(dtype=float)
    rule = int(np.abs(frame["degree"].to_numpy(dtype=float) - RULE).argmin())
    best = float(distance_K.min())
    chosen = (int(signal_K.argmin()), int(signal_K.argmax()), rule)
    low, high, fixed = (float(distance_K[place]) - best for place in chosen)
    return low, high, fixed
