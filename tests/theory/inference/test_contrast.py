"""Intervals of paired replicates: Student's by hand, simultaneous ones with error rate and coverage in null worlds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, ttest_1samp

from theory.errors import InputError
from theory.inference.contrast import (
    equivalent,
    gain_over_none,
    greatest,
    half_interval,
    independent,
    paired_difference,
    simultaneous,
    student_interval,
)
from theory.inference.curve import ShiftErrorCurve

DEGREES = np.arange(9) / 10


def world(count: int, rng: np.random.Generator, *, shared: float = 0.0, mean: float | np.ndarray = 0.3) -> np.ndarray:
    """Replicates (count, 9): a level each, noise a cell, and noise of the test set that all replicates share."""
    level = rng.normal(0, 0.01, (count, 1))
    return mean + level + rng.normal(0, 0.008, (count, 9)) + shared * rng.standard_normal(9)


def curve_of(errors: np.ndarray, shared: float = 0.0) -> ShiftErrorCurve:
    covariance = shared**2 * np.eye(9) if shared else None
    return ShiftErrorCurve.from_replicates(DEGREES, errors, 500, "degree", test_covariance=covariance)


def at_most(count: int, worlds: int, rate: float) -> bool:
    """Whether `count` events in `worlds` are compatible with a rate of at most `rate` (one-sided, 0.1 %)."""
    return bool(binom.sf(count - 1, worlds, rate) > 1e-3)


def test_student_interval_is_scipys() -> None:
    sample = np.random.default_rng(0).normal(0.2, 1, 7)
    found, theirs = student_interval(sample), ttest_1samp(sample, 0)
    low, high = theirs.confidence_interval(0.95)
    assert (found.low, found.high, found.p) == pytest.approx((low, high, theirs.pvalue))
    assert found.units == 7 and found.freedom == 6


def test_two_replicates_are_wide_and_one_has_no_interval() -> None:
    two = student_interval([0.1, 0.3])
    assert two.effect == pytest.approx(0.2) and two.high == pytest.approx(0.2 + 12.706 * 0.1, rel=1e-4)
    one = student_interval([0.1])
    assert one.effect == 0.1 and np.isnan([one.low, one.high, one.se, one.p]).all()


def test_an_exact_effect_has_no_width() -> None:
    exact = student_interval([0.25, 0.25, 0.25])
    assert (exact.low, exact.high, exact.p) == (0.25, 0.25, 0.0)
    assert student_interval([0.0, 0.0]).p == 1.0


def test_pairing_cancels_what_replicates_share() -> None:
    knn, translated = np.array([0.301, 0.325, 0.340]), np.array([0.3155, 0.3375, 0.356])
    found = paired_difference(translated, knn)
    assert found.effect == pytest.approx(0.0143, abs=1e-4) and 0.009 < found.low < found.high < 0.02
    with pytest.raises(InputError, match="replicates"):
        paired_difference(knn, translated[:2])


def test_a_known_variance_never_narrows_an_interval() -> None:
    sample = np.array([1.0, 2.0, 3.0])
    alone, wider = student_interval(sample), student_interval(sample, shared_variance=1 / 3)
    assert wider.se == pytest.approx(alone.se * np.sqrt(2)) and wider.freedom == alone.freedom == 2
    own, known = (alone.high - alone.low) / 2, 1.959964 * np.sqrt(1 / 3)
    assert (wider.high - wider.low) / 2 == pytest.approx(np.hypot(own, known), rel=1e-6)
    for shared in (1e-4, 0.02, 0.5, 30.0):
        found = student_interval(sample, shared_variance=shared)
        assert found.low < alone.low and found.p > alone.p
        at_level = student_interval(sample, level=1 - found.p, shared_variance=shared)
        assert at_level.low == pytest.approx(0, abs=1e-6), "the p-value is where the interval ends at zero"


def test_the_greatest_has_the_p_value_of_its_direction() -> None:
    rng = np.random.default_rng(0)
    split = greatest(simultaneous(np.column_stack([rng.normal(-1, 0.2, 12), rng.normal(0, 5, 12)])))
    assert split.low < 0 < split.high and split.p > 0.1
    below = greatest(simultaneous(rng.normal(-1, 0.2, (12, 3))))
    assert below.high < 0 and below.p < 1e-4


def test_equivalence_needs_the_whole_interval_below_the_margin() -> None:
    found = student_interval([0.001, 0.002, 0.0015, 0.0012])
    assert equivalent(found, 0.005) and not equivalent(found, 0.0016)
    assert not equivalent(student_interval([0.001]), 0.005)


SLOW = pytest.mark.slow
WORLDS = [
    (3, 0.0),
    (5, 0.005),
    *(pytest.param(*world, marks=SLOW) for world in ((3, 0.005), (5, 0.0), (16, 0.0), (16, 0.005))),
]


@pytest.mark.parametrize(("count", "shared"), WORLDS)
def test_no_shift_helps_in_null_worlds(count: int, shared: float) -> None:
    rng, worlds, false = np.random.default_rng(count), 400, 0
    for _ in range(worlds):
        found = gain_over_none(curve_of(world(count, rng, shared=shared), shared), draws=300)
        false += found.low > 0
        assert (found.low > 0) <= (found.p < 0.06)
    assert false <= 0.05 * worlds


@pytest.mark.parametrize(("count", "alike"), [(32, 0.999), (8, 0.999), (8, 0.0), (2, 0.999)])
def test_what_replicates_share_is_looked_at_as_often_as_it_is_drawn(count: int, alike: float) -> None:
    """Replicates whose contrasts move as one, and a test set that moves each alone: 16 % false at 32 before."""
    rng, worlds, false, small = np.random.default_rng(count), 400, 0, 0
    for _ in range(worlds):
        own = rng.normal(0, 0.3, (count, 1)) * alike + rng.normal(0, 0.3, (count, 8)) * np.sqrt(1 - alike**2)
        table = own / 3 * np.sqrt(count) + 0.3 * rng.standard_normal(8)
        found = simultaneous(table, shared_covariance=0.09 * np.eye(8), draws=300)
        false += bool(np.any((found.low > 0) | (found.high < 0)))
        small += bool(np.any(found.p < 0.05))
    assert at_most(false, worlds, 0.05) and at_most(small, worlds, 0.05)


@pytest.mark.parametrize("counts", [(16, 2), (8, 2), (16, 3), (16, 4, 2)])
def test_a_table_of_few_replicates_does_not_borrow_the_freedom_of_the_others(counts: tuple[int, ...]) -> None:
    """Two replicates that lie near each other by chance supported 15 % of these null worlds."""
    rng, worlds, false = np.random.default_rng(0), 500, 0
    for _ in range(worlds):
        tables = [rng.standard_normal((count, 1)) + rng.standard_normal((count, 7)) for count in counts]
        false += bool(np.any(independent(tables).low > 0))
    assert at_most(false, worlds, 0.025)


def test_half_an_interval_is_that_of_the_contrasts_by_themselves() -> None:
    table, shared = np.random.default_rng(2).normal(size=(6, 4)), np.array([0.0, 0.1, 0.2, 0.3])
    found = simultaneous(table, level=0.9, shared_covariance=np.diag(shared), draws=50)
    half = half_interval(table, level=0.9, shared_variance=shared)
    assert half == pytest.approx(found.own_high - found.effect)


def test_equal_replicates_leave_the_looks_at_what_they_share() -> None:
    between = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
    found = simultaneous(np.ones((4, 3)), shared_covariance=between)
    assert np.all(found.own_high - 1 == pytest.approx(1.959964)) and np.all((found.high - 1) > 2.2)
    apart = simultaneous(np.column_stack([np.arange(4.0), np.ones(4)]), shared_covariance=np.diag([0.0, 1.0]))
    assert apart.each == pytest.approx(0.025), "no draw has both kinds"
    with pytest.raises(InputError, match="shared_covariance"):
        simultaneous(np.ones((4, 3)), shared_covariance=np.eye(2))


@pytest.mark.parametrize("count", [3, pytest.param(5, marks=SLOW), pytest.param(12, marks=SLOW)])
def test_intervals_cover(count: int) -> None:
    rng, worlds = np.random.default_rng(count), 600
    saved = np.linspace(0, 0.02, 9) * (DEGREES > 0)
    own = together = best = 0
    for _ in range(worlds):
        errors = world(count, rng, mean=0.3 - saved)
        found = simultaneous(errors[:, :1] - errors[:, 1:], draws=300)
        own += found.own_low[3] <= saved[4] <= found.own_high[3]
        together += bool(np.all((found.low <= saved[1:]) & (saved[1:] <= found.high)))
        top = greatest(found)
        best += top.low <= saved.max() <= top.high
    assert 0.92 <= own / worlds <= 0.98
    assert together / worlds >= 0.92 and best / worlds >= 0.92
    assert count < 12 or together / worlds <= 0.98


@pytest.mark.parametrize("count", [5, pytest.param(16, marks=SLOW)])
def test_power_is_that_of_a_paired_t_test(count: int) -> None:
    rng, worlds = np.random.default_rng(1), 300
    mine = theirs = bonferroni = many = 0
    for _ in range(worlds):
        errors = world(count, rng, mean=np.r_[0.312, np.full(8, 0.3)])
        mine += paired_difference(errors[:, 0], errors[:, 3]).low > 0
        theirs += ttest_1samp(errors[:, 0] - errors[:, 3], 0).pvalue < 0.05
        saved = errors[:, :1] - errors[:, 1:]
        p = ttest_1samp(saved, 0, axis=0).pvalue
        bonferroni += p.min() < 0.05 / 8
        many += greatest(simultaneous(saved, draws=400)).low > 0
    assert mine >= theirs and many >= bonferroni and mine > 0.25 * worlds


def test_a_gain_is_named_with_its_shift_and_size() -> None:
    rng = np.random.default_rng(0)
    errors = world(12, rng, mean=0.3 + 0.4 * (DEGREES - 0.4) ** 2 - 0.4 * 0.16)
    found = gain_over_none(curve_of(errors))
    assert found.shift == pytest.approx(0.4, abs=0.11) and found.low < 0.064 < found.high and found.low > 0.04
    single = ShiftErrorCurve(
        shift=DEGREES, error=errors[0], error_se=np.full(9, 0.01), data_size=9, shift_name="degree"
    )
    assert np.isnan(gain_over_none(single).low) and gain_over_none(single).units == 1


def test_noise_of_the_evaluation_set_is_added_once_known() -> None:
    rng = np.random.default_rng(2)
    errors = world(16, rng)
    narrow, wide = gain_over_none(curve_of(errors)), gain_over_none(curve_of(errors, 0.02))
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_mistakes_are_input_errors() -> None:
    with pytest.raises(InputError, match="effects"):
        simultaneous(np.array([[np.nan, 1.0]]))
    with pytest.raises(InputError, match="level"):
        simultaneous(np.ones((2, 2)), level=1.0)
    one = ShiftErrorCurve(shift=[0.0], error=[0.1], error_se=[0.0], data_size=5, shift_name="degree")
    with pytest.raises(InputError, match="curve"):
        gain_over_none(one)
