"""Rankings where the truth is known: a perfect signal, its opposite, noise, a confounded one; regrets by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from empirical.bank.signal_ranking import rank_signals, spearman

DEGREES = (0.1, 0.3, 0.5, 0.9)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Two sizes, three augmenters; the distance is U-shaped in the degree, the second size is better throughout."""
    rows = [
        {
            "data_size": size,
            "augmenter": name,
            "degree": degree,
            "distance": 0.2 + (degree - 0.5) ** 2 + offset - size / 1e4,
        }
        for size in (55, 220)
        for name, offset in (("knn", 0.0), ("random", 0.5), ("eda", 1.0))
        for degree in DEGREES
    ]
    frame = pd.DataFrame(rows)
    noise = np.random.default_rng(0).normal(size=len(frame))
    by_augmenter = frame["augmenter"].map({"knn": 0.0, "random": 1.0, "eda": 2.0}) - frame["degree"] * 1e-3
    return frame.assign(perfect=frame["distance"], opposite=-frame["distance"], noise=noise, between=by_augmenter)


def test_a_perfect_signal_has_one_and_loses_nothing(table):
    perfect, opposite = rank_signals(table, ["perfect", "opposite"])
    assert perfect.cells == 24
    for value in (perfect.across, perfect.across_low, perfect.within, perfect.within_low):
        assert value == pytest.approx(1)
    assert perfect.regret == 0 and opposite.regret_high == 0
    assert (opposite.across, opposite.within) == (pytest.approx(-1), pytest.approx(-1))
    # The worst degree is 0.1 or 0.9, 0.16 above the best; the rule of 30 % is 0.04 above it.
    assert perfect.regret_high == pytest.approx(0.16)
    assert perfect.regret_rule == pytest.approx(0.04)


def test_noise_has_an_interval_around_nothing(table):
    (noise,) = rank_signals(table, ["noise"])
    assert noise.across_low < 0 < noise.across_high and noise.within_low < noise.within < noise.within_high


def test_telling_augmenters_apart_is_not_telling_degrees_apart(table):
    (between,) = rank_signals(table, ["between"])
    assert between.across > 0.7 and between.across_low > 0
    assert between.within < 0.5


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=12))
def test_it_is_spearmans_with_ties(pairs):
    x, y = (np.array(values, dtype=float) for values in zip(*pairs, strict=True))
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)
    else:
        assert spearman(x, y) == 0
