"""Texts as points: the pool's originals are white, other texts go through the same map."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from empirical.models.static import mean_embeddings
from empirical.shift.text_points import whitened_inputs
from tests.kdshift.ladder.tiny_ladder import tiny_run


def test_pool_texts_are_white_and_others_go_through_the_same_map(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    inputs, pool = whitened_inputs(run), run.bank.pool
    x = inputs(pool.pool.corpus, np.arange(64))
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(np.cov(x, rowvar=False), np.eye(x.shape[1]), atol=1e-5)
    rows = np.array([3, 1])
    plain = mean_embeddings(pool.test.corpus, rows, run.embeddings).astype(np.float64)
    np.testing.assert_allclose(inputs(pool.test.corpus, rows), inputs.whiten(plain))
    assert inputs.stack([x[:2], x[2:]]).shape == x.shape
