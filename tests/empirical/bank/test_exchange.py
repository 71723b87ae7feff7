"""The exchange rate finds the amount of real texts that does as much, and says where it lies outside what was tried."""

from __future__ import annotations

import math

import numpy as np
import pytest

from empirical.bank.exchange import amount_for, exchange_rate

AMOUNTS = np.array([0.5, 1.0, 2.0, 4.0])
REAL = 0.4 - 0.05 * np.log2(AMOUNTS)  # falls by 0.05 with each doubling


@pytest.mark.parametrize("amount", [0.5, 0.7, 1.0, 3.0, 4.0])
def test_it_inverts_the_curve_of_real_texts(amount: float) -> None:
    assert amount_for(0.4 - 0.05 * math.log2(amount), AMOUNTS, REAL) == pytest.approx(amount)


def test_a_bump_in_the_real_curve_does_not_let_more_texts_be_worth_less() -> None:
    bumpy = REAL.copy()
    bumpy[2] = bumpy[1] + 0.02
    assert amount_for(REAL[1], AMOUNTS, bumpy) <= 2.0
    assert amount_for(REAL[3], AMOUNTS, bumpy) == pytest.approx(4.0)


def test_replicates_share_levels_but_the_rate_does_not_see_them() -> None:
    rng = np.random.default_rng(0)
    level = rng.normal(0, 0.1, size=(12, 1))
    real = REAL + level + rng.normal(0, 0.002, size=(12, 4))
    augmented = np.array([[0.42, 0.4 - 0.05, 0.41]]) + level + rng.normal(0, 0.002, size=(12, 3))
    found = exchange_rate(augmented, AMOUNTS, real)
    assert found.low < 2.0 < found.high and 1.8 < found.rate < 2.2
    assert (found.replicates, found.below, found.above) == (12, 0, 0)


def test_ends_are_counted_and_one_replicate_has_no_interval() -> None:
    found = exchange_rate(np.array([[0.9, 0.8]]), AMOUNTS, REAL[None])
    assert found.rate == 0.5 and found.below == 1 and math.isnan(found.low)
    best = exchange_rate(np.array([[0.1], [0.1]]), AMOUNTS, np.stack([REAL, REAL]))
    assert best.rate == pytest.approx(4.0) and best.above == 2
