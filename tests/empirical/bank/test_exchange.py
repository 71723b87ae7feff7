"""The exchange rate finds the amount of real texts that does as much, covers it, and says what it cannot tell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from empirical.bank.exchange import exchange_rate

AMOUNTS = np.array([0.0, 0.5, 1.0, 2.0, 4.0])
REAL = np.r_[0.5, 0.4 - 0.05 * np.log2(AMOUNTS[1:])]  # falls by 0.05 with each doubling, and by as much at first


def reached(amount: float) -> float:
    """The distance that `amount` times n real texts reach."""
    return 0.4 - 0.05 * math.log2(amount) if amount >= 0.5 else 0.5 - 0.05 * amount / 0.5


def replicates(
    count: int, amount: float, rng: np.random.Generator, noise: float = 0.004, test: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Distances of three degrees, the middle one worth `amount`, and of real texts; all share a replicate's level."""
    level = rng.normal(0, 0.1, size=(count, 1))
    aug = np.array([0.03, 0.0, 0.02]) + reached(amount) + level + rng.normal(0, noise, (count, 3))
    return aug + test * rng.standard_normal(3), REAL + level + rng.normal(0, noise, (count, 5)) + (
        test * rng.standard_normal(5)
    )


@pytest.mark.parametrize("amount", [0.1, 0.5, 0.7, 1.0, 3.0])
def test_it_inverts_the_curve_of_real_texts(amount: float) -> None:
    found = exchange_rate(np.array([[reached(amount) + 0.1, reached(amount)]]), AMOUNTS, REAL[None])
    assert found.rate == pytest.approx(amount, rel=0.05) and math.isnan(found.low) and found.replicates == 1


def test_a_bump_in_the_real_curve_does_not_let_more_texts_be_worth_less() -> None:
    bumpy = REAL.copy()
    bumpy[3] = bumpy[2] + 0.02
    assert exchange_rate(REAL[None, 2:3], AMOUNTS, bumpy[None]).rate == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize(
    ("count", "amount", "test"), [(4, 0.2, 0.0), (12, 0.2, 0.004), (12, 1.5, 0.0), (4, 1.5, 0.004)]
)
def test_its_interval_covers_within_and_below_what_was_tried(count: int, amount: float, test: float) -> None:
    rng, worlds, held = np.random.default_rng(count), 300, 0
    for _ in range(worlds):
        augmented, real = replicates(count, amount, rng, test=test)
        found = exchange_rate(augmented, AMOUNTS, real, test**2 * np.eye(8))
        held += found.low <= amount <= found.high
    assert held / worlds >= 0.92


@pytest.mark.parametrize("count", [3, 16, 32])
def test_equal_degrees_are_covered_too(count: int) -> None:
    """A degree chosen by the other replicates is the one that the left out says least for: 72 to 92 % were covered."""
    rng, worlds, held = np.random.default_rng(count), 200, 0
    for _ in range(worlds):
        level = rng.normal(0, 0.1, (count, 1))
        augmented = reached(0.7) + level + rng.normal(0, 0.01, (count, 7))
        found = exchange_rate(augmented, AMOUNTS, REAL + level + rng.normal(0, 0.01, (count, 5)))
        held += found.low <= 0.7 <= found.high
    assert held >= 0.93 * worlds


def test_what_is_not_told_from_none_or_from_the_most_is_said() -> None:
    rng = np.random.default_rng(0)
    useless = exchange_rate(np.full((6, 2), 0.52) + rng.normal(0, 0.01, (6, 2)), AMOUNTS, np.tile(REAL, (6, 1)))
    assert useless.low == 0 and useless.rate == 0 and useless.times() == "0 [0, 0]"
    best = exchange_rate(np.full((6, 2), 0.1), AMOUNTS, np.tile(REAL, (6, 1)))
    assert math.isinf(best.rate) and math.isinf(best.low) and best.times(10) == "more than the 40 tried"
    few = exchange_rate(replicates(2, 1.0, rng, noise=0.1)[0], AMOUNTS, np.tile(REAL, (2, 1)))
    assert few.low == 0 and math.isinf(few.high) and few.times() == "not known" and not few.known


def test_texts_are_the_rate_times_the_originals() -> None:
    augmented, real = replicates(12, 1.0, np.random.default_rng(1))
    found = exchange_rate(augmented, AMOUNTS, real)
    assert found.times(100).startswith(f"{100 * found.rate:.0f} [") and found.times(form=".2g").endswith("]")
