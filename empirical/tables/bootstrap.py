"""How sure a table's row is: a bootstrap over seeds and test examples at once, paired across the row's cells.

Section 5.1 of the paper reads the best degree off one seed; here it comes with the probability that it is the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empirical.metric import score
from theory.errors import InputError

Predictions = NDArray[np.integer]
CHUNK = 2**25  # numbers of the resampling weights held at once


@dataclass(frozen=True, kw_only=True)
class RowBootstrap:
    """Draws of a row's C scores: means over seeds with their noise, on resampled test examples.

    score_C: mean score over seeds of each cell. draws_BC: bootstrap draws of it, NaN for a cell whose test error is not
    known. seeds_C: runs behind each cell.
    """

    score_C: NDArray[np.float64]
    draws_BC: NDArray[np.float64]
    seeds_C: NDArray[np.int64]

    def interval(self, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The percentile intervals (low_C, high_C)."""
        low, high = np.quantile(self.draws_BC, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return low, high

    def probability_best(self) -> NDArray[np.float64]:
        """How often each cell has the highest score of its row, shape (C,); ties are shared; NaN where not known."""
        if np.isnan(self.draws_BC).any():
            return np.full(len(self.score_C), np.nan)
        top_BC = self.draws_BC >= self.draws_BC.max(axis=1, keepdims=True) - 1e-12
        return np.asarray((top_BC / top_BC.sum(axis=1, keepdims=True)).mean(axis=0))


def bootstrap_row(
    metric: str,
    label_N: NDArray[np.integer],
    cells: Sequence[Sequence[Predictions]],
    classes: int,
    *,
    rng: np.random.Generator,
    draws: int = 1000,
) -> RowBootstrap:
    """Resample the test examples (the same for all runs) and shake the seeds (alike in all cells that have as many).

    label_N: the test labels. cells: for each of C cells the predicted classes, shape (N,), of each of its runs, seeds
    in the same order in every cell. Cells with one seed vary over test examples only. Raises InputError when the
    predictions are of another number of examples than the labels.
    """
    for runs in cells:
        for predicted in runs:
            if len(predicted) != len(label_N):
                raise InputError("predictions", f"{len(predicted)} examples", f"{len(label_N)}, the test split's")
    runs_RN = np.array([predicted for runs in cells for predicted in runs], dtype=np.int64)
    seeds_C = np.array([len(runs) for runs in cells], dtype=np.int64)
    observed_R = _scores(metric, label_N, runs_RN, classes, np.ones((1, len(label_N)), dtype=np.float32))[0]
    chunk = max(1, CHUNK // len(label_N))
    parts = []
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        weight_BN = rng.multinomial(len(label_N), np.full(len(label_N), 1 / len(label_N)), size=size)
        parts.append(_scores(metric, label_N, runs_RN, classes, weight_BN.astype(np.float32)))
    score_BR = np.concatenate(parts)
    noise = _seed_noise(seeds_C, draws, rng)
    ends = np.cumsum(seeds_C)
    draws_BC = np.empty((draws, len(cells)))
    score_C = np.empty(len(cells))
    for cell, (end, count) in enumerate(zip(ends, seeds_C, strict=True)):
        own = slice(end - count, end)
        score_C[cell] = observed_R[own].mean()
        draws_BC[:, cell] = score_BR[:, own].mean(axis=1) + noise[int(count)] @ (observed_R[own] - score_C[cell])
    return RowBootstrap(score_C=score_C, draws_BC=draws_BC, seeds_C=seeds_C)


def normal_row(
    scores: Sequence[NDArray[np.floating]],
    spread_C: NDArray[np.float64],
    *,
    rng: np.random.Generator,
    draws: int = 1000,
) -> RowBootstrap:
    """The same where only scores are kept: test examples as normal noise of standard error spread_C (NaN: not known).

    scores: for each of C cells the scores of its runs. The noise is that of one run and drawn anew for each cell, as
    if its runs erred on the same examples and its examples were its own: intervals are a little wide, comparisons
    within the row less sharp than with `bootstrap_row`.
    """
    seeds_C = np.array([len(own) for own in scores], dtype=np.int64)
    noise = _seed_noise(seeds_C, draws, rng)
    score_C = np.array([np.mean(own) for own in scores])
    shaken = [
        noise[len(own)] @ (np.asarray(own, dtype=float) - mean) for own, mean in zip(scores, score_C, strict=True)
    ]
    draws_BC = score_C + np.stack(shaken, axis=1) + rng.standard_normal((draws, len(scores))) * spread_C
    return RowBootstrap(score_C=score_C, draws_BC=draws_BC, seeds_C=seeds_C)


def _seed_noise(seeds_C: NDArray[np.int64], draws: int, rng: np.random.Generator) -> dict[int, NDArray[np.float64]]:
    """Weights (draws, R) for each number R of seeds: times a cell's centred scores, the noise of their mean.

    Normal weights with Student's scale, so that two or three seeds get intervals as wide as they deserve; none for one
    seed, which says nothing of seeds.
    """
    noise = {1: np.zeros((draws, 1))}
    for count in sorted(set(seeds_C.tolist()) - {1}):
        scale = np.sqrt((count - 1) / rng.chisquare(count - 1, size=(draws, 1)))
        noise[count] = rng.standard_normal((draws, count)) * scale / np.sqrt(count * (count - 1))
    return noise


def _scores(
    metric: str, label_N: NDArray[np.integer], runs_RN: NDArray[np.int64], classes: int, weight_BN: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The metric of each run under each weighting of the examples, shape (B, R)."""
    scores = np.empty((len(weight_BN), len(runs_RN)))
    for run, predicted_N in enumerate(runs_RN):
        cell_N = label_N.astype(np.int64) * classes + predicted_N
        present = np.unique(cell_N)
        one_hot = (cell_N[:, None] == present).astype(np.float32)
        count = np.zeros((len(weight_BN), classes * classes))
        count[:, present] = weight_BN @ one_hot
        scores[:, run] = score(metric, count.reshape(-1, classes, classes))
    return scores
