"""The projection against brute force, with rows that lack candidates and more points than fit one part."""

from __future__ import annotations

import numpy as np

from empirical.augment.projection import CACHED, best_candidates, unit_rows


def test_the_best_candidate_is_that_of_brute_force():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((50, 6)).astype(np.float32)
    points = rng.standard_normal((3 * CACHED + 5, 6)).astype(np.float32)
    candidates = rng.integers(0, 50, (len(points), 7)).astype(np.int32)
    candidates[::3, 2:] = -1
    best, score = best_candidates(rows, candidates, points)
    for number, (point, own) in enumerate(zip(points, candidates, strict=True)):
        products = {int(token): float(rows[token] @ point) for token in own if token >= 0}
        assert best[number] == max(products, key=products.get)
        assert abs(score[number] - max(products.values())) < 1e-5


def test_no_points_no_answers():
    best, score = best_candidates(np.ones((3, 2), dtype=np.float32), np.zeros((0, 4), np.int32), np.zeros((0, 2)))
    assert best.shape == score.shape == (0,)


def test_rows_of_length_one():
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert rows.dtype == np.float32 and np.allclose(rows, [[0.6, 0.8], [0, 0]])
