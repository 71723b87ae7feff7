"""The worst case over one free shift a curve: against all choices counted out, for every unit of resampling."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import t as student_t

from theory.inference.aligned import Aligned, align
from theory.inference.choices import highest_choice
from theory.inference.curve import ShiftErrorCurve

SHIFT = np.array([0.0, 0.3, 0.8])
SAVED = np.stack([np.eye(3)[0] - np.eye(3)[at] for at in range(3)])[:, None, :]  # error at 0 - error at each
CRITICAL = 0.975


def blocks(unit: str, rng: np.random.Generator, count: int = 3) -> Aligned:
    made = []
    for block in range(count):
        error = 0.3 + rng.normal(0, 0.01, (4, 3))
        if unit == "row":
            made.append(
                ShiftErrorCurve(
                    shift=SHIFT, error=error[0], error_se=np.full(3, 0.01), data_size=block + 1, shift_name="degree"
                )
            )
            continue
        names = tuple((block if unit == "own replicate" else 0, row) for row in range(4))
        made.append(ShiftErrorCurve.from_replicates(SHIFT, error, block + 1, "degree", replicate_ids=names))
    found = align([(curve,) for curve in made])
    assert found is not None and found.unit == unit
    return found


def counted(found: Aligned) -> float:
    """The highest upper end over all 3^B choices, by Student's interval of each."""
    tables = found.effects([SAVED] * len(found.blocks))
    best = -np.inf
    for choice in itertools.product(range(3), repeat=len(tables)):
        own = [table[:, at] for table, at in zip(tables, choice, strict=True)]
        if found.unit == "own replicate":
            se = np.sqrt(sum(values.var(ddof=1) / len(values) for values in own)) / len(own)
            mean, freedom = float(np.mean([values.mean() for values in own])), 3
        else:
            units = np.concatenate(own) if found.unit == "row" else np.mean(own, axis=0)
            se, mean, freedom = units.std(ddof=1) / np.sqrt(len(units)), units.mean(), len(units) - 1
        best = max(best, mean + student_t.ppf(CRITICAL, freedom) * se)
    return float(best)


@pytest.mark.parametrize("unit", ["replicate", "own replicate", "row"])
def test_the_highest_end_is_that_of_all_choices_counted_out(unit: str) -> None:
    for seed in range(6):
        found = blocks(unit, np.random.default_rng(seed))
        upper, mean, se = highest_choice(found, [SAVED] * 3, 0.95)
        assert upper == pytest.approx(counted(found), abs=1e-9) and se >= 0 and mean <= upper


def test_exact_curves_have_their_best_and_one_run_has_no_end() -> None:
    def curve(size: float, se: float) -> ShiftErrorCurve:
        error = np.array([0.3, 0.2 + size / 100, 0.25])
        return ShiftErrorCurve(shift=SHIFT, error=error, error_se=np.full(3, se), data_size=size, shift_name="degree")

    exact, alone = align([(curve(1, 0.0),), (curve(9, 0.0),)]), align([(curve(1, 0.01),)])
    assert exact is not None and alone is not None
    assert highest_choice(exact, [SAVED] * 2, 0.95) == (*[pytest.approx((0.09 + 0.05) / 2)] * 2, 0.0)
    assert np.isnan(highest_choice(alone, [SAVED], 0.95)).all()


def test_noise_of_the_evaluation_set_raises_the_end() -> None:
    table = 0.3 + np.random.default_rng(0).normal(0, 0.001, (5, 3))
    ends = []
    for variance in (0.0, 1e-3):
        curve = ShiftErrorCurve.from_replicates(SHIFT, table, 9, "degree", test_covariance=variance * np.eye(3))
        found = align([(curve,)])
        assert found is not None
        ends.append(highest_choice(found, [SAVED], 0.95)[0])
    assert ends[1] > ends[0] + 2 * np.sqrt(2e-3)
