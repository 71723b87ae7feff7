"""Which tokens change: exact counts, every subset as likely."""

from __future__ import annotations

import numpy as np
from scipy.stats import chisquare

from empirical.augment import exact_counts, select_tokens
from empirical.augment.changed_tokens import draw_without_replacement


def test_selection_is_uniform_over_subsets():
    eligible = np.zeros((6000, 7), dtype=bool)
    eligible[:, [0, 2, 3, 6]] = True
    marked = draw_without_replacement(eligible, np.full(6000, 2), np.random.default_rng(1))
    assert not marked[~eligible].any()
    assert np.all(marked.sum(axis=1) == 2)
    pairs = np.bincount((marked * 2 ** np.arange(7)).sum(axis=1))
    assert chisquare(pairs[pairs > 0]).pvalue > 1e-4
    assert (pairs > 0).sum() == 6


def test_counts_are_of_the_product_not_of_its_last_bit():
    for degree, length, expected in ((0.29, 100, 29), (0.7, 10, 7), (0.1, 30, 3), (1.0, 7, 7), (0.0, 7, 0)):
        counts = exact_counts(np.full(200, length), degree, np.random.default_rng(0))
        assert np.all(counts == expected)
    assert select_tokens(np.ones((3, 0), dtype=bool), 0.5, np.random.default_rng(0)).shape == (3, 0)
