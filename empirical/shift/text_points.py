"""Texts as points of the theorem's space: mean input embeddings, whitened.

Serves `kdshift ladder` and `kdshift empirical terms`. Shapes: V tokens, D width, d coordinates, N texts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.bank.study_run import StudyRun
from empirical.models.static import mean_embeddings
from empirical.shift.whitening import Whitening

Floats = NDArray[np.float64]


class WhitenedInputs:
    """Texts as points: mean input embeddings, whitened by what a pool's originals show, down to their dimension."""

    def __init__(self, embeddings_VD: NDArray[np.float32], whiten: Whitening) -> None:
        self.embeddings_VD, self.whiten = embeddings_VD, whiten

    def __call__(self, corpus: Any, index_N: NDArray[np.integer]) -> Floats:
        return self.whiten(mean_embeddings(corpus, index_N, self.embeddings_VD).astype(np.float64))

    def stack(self, parts: list[Floats]) -> Floats:
        return np.concatenate(parts)


def whitened_inputs(run: StudyRun, dimension: int | None = None) -> WhitenedInputs:
    """A study's texts as points: its pool's originals have mean 0 and covariance I; None: in their own dimension."""
    corpus = run.bank.pool.pool.corpus
    x_ND = mean_embeddings(corpus, np.arange(len(corpus)), run.embeddings).astype(np.float64)
    return WhitenedInputs(run.embeddings, Whitening.of(x_ND, dimension))
