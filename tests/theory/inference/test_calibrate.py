"""Null worlds have the noise of what they are made from; power is the share of worlds in which a test decides."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from tests.theory.inference.worlds import DEGREES, curves
from theory.inference.calibrate import detectable, null_world, power, units_to_decide
from theory.inference.curve import ShiftErrorCurve


def steep(degree: np.ndarray, size: float) -> np.ndarray:
    return 0.2 + 0.3 * degree


def test_a_null_world_forgets_the_effect_and_keeps_names_and_noise() -> None:
    told = {"a": curves(12, np.random.default_rng(0), shared=0.005, mean=steep)}
    spread, level = [], []
    for seed in range(60):
        world = null_world(told, np.random.default_rng(seed))["a"]
        for before, after in zip(told["a"], world, strict=True):
            assert after.names == before.names and after.evaluation == before.evaluation
        assert world[0].replicates is not None
        spread.append(world[0].error_se.mean() / told["a"][0].error_se.mean())
        level.append(np.polyfit(DEGREES, world[0].error, 1)[0])
    assert np.mean(spread) == pytest.approx(1.0, abs=0.15)
    assert abs(np.mean(level)) < 4 * np.std(level) / math.sqrt(60), "no slope is left on average"


def test_what_one_evaluation_set_adds_is_as_alike_in_two_curves_as_the_rules_assume() -> None:
    """Correlation c within and between curves: so the rules join them, and so a null world has to draw them."""
    told, alike, spread = {"a": curves(3, np.random.default_rng(1), shared=0.02)}, 0.6, 0.02
    size = len(DEGREES)
    for curve in told["a"]:
        object.__setattr__(curve, "replicates", 0.3 + 1e-9 * curve.replicates)
        covariance = spread**2 * (alike * np.ones((size, size)) + (1 - alike) * np.eye(size))
        object.__setattr__(curve, "test_covariance", covariance)
    worlds = [null_world(told, np.random.default_rng(seed))["a"] for seed in range(600)]
    first, second = (np.array([world[at].error for world in worlds]) for at in (0, 1))
    within = np.corrcoef(first[:, 1], first[:, 2])[0, 1]
    between = [np.corrcoef(first[:, 1], second[:, shift])[0, 1] for shift in (1, 2)]
    assert [within, *between] == pytest.approx([alike] * 3, abs=4 * (1 - alike**2) / math.sqrt(len(worlds)))
    assert (first[:, 2] - first[:, 1]).std() == pytest.approx(spread * math.sqrt(2 * (1 - alike)), rel=0.1)


def test_levels_move_together_where_replicates_are_shared() -> None:
    told = {"a": curves(3, np.random.default_rng(1), shared=0.0)}
    worlds = [null_world(told, np.random.default_rng(seed))["a"] for seed in range(200)]
    first, second = (np.array([world[at].error.mean() for world in worlds]) for at in (0, 1))
    assert np.corrcoef(first, second)[0, 1] > 3 / math.sqrt(len(worlds)), "beyond what independent levels show"


def test_single_runs_scatter_about_their_own_parabola_and_formulas_stay() -> None:
    rng = np.random.default_rng(2)
    row = ShiftErrorCurve(
        shift=DEGREES, error=steep(DEGREES, 1) + 0.01 * rng.standard_normal(5), error_se=np.full(5, 0.2), data_size=9,
        shift_name="degree",
    )  # fmt: skip
    exact = ShiftErrorCurve(
        shift=DEGREES, error=steep(DEGREES, 1), error_se=np.zeros(5), data_size=9, shift_name="degree"
    )
    worlds = [null_world({"r": [row], "e": [exact]}, np.random.default_rng(seed)) for seed in range(50)]
    scatter = np.mean([np.ptp(world["r"][0].error) for world in worlds])
    assert 0.002 < scatter < 0.1, "the scatter about the parabola, not the stated 0.2"
    assert all(world["e"][0] is exact for world in worlds)


@pytest.mark.parametrize(("effect", "units"), [(0.01, 3), (0.01, 8), (0.02, 5)])
def test_power_is_the_share_of_worlds_where_the_t_test_decides(effect: float, units: int) -> None:
    rng, noise, worlds = np.random.default_rng(units), 0.015, 4000
    table = rng.normal(effect, noise, (worlds, units))
    found = ttest_1samp(table, 0, axis=1)
    share = np.mean((found.pvalue < 0.05) & (found.statistic > 0))
    assert power(effect, noise / math.sqrt(units), units) == pytest.approx(share, abs=4 * 0.5 / math.sqrt(worlds))


@pytest.mark.parametrize(("units", "looks"), [(2, 1), (5, 4), (16, 1)])
def test_what_is_detectable_is_found_four_times_in_five(units: int, looks: int) -> None:
    found = detectable(0.3, units, looks)
    assert power(found, 0.3, units, looks) == pytest.approx(0.8, abs=1e-6)
    assert detectable(0.6, units, looks) == pytest.approx(2 * found) and math.isnan(detectable(0.3, 1))


def test_more_looks_cost_power_and_one_unit_has_none() -> None:
    assert power(0.02, 0.01, 6, looks=8) < power(0.02, 0.01, 6)
    assert math.isnan(power(0.02, 0.01, 1)) and math.isnan(power(0.02, 0.0, 5))


def test_the_replicates_that_would_decide_are_the_least() -> None:
    needed = units_to_decide(0.01, 0.02, 4, looks=3)
    assert needed is not None
    noise = 0.02 * math.sqrt(4)
    assert power(0.01, noise / math.sqrt(needed), needed, 3) >= 0.8
    assert power(0.01, noise / math.sqrt(needed - 1), needed - 1, 3) < 0.8
    assert units_to_decide(1e-9, 1.0, 4) is None and units_to_decide(-0.01, 0.02, 4) is None
    assert units_to_decide(10.0, 1e-9, 4) == 2 and power(-10.0, 1e-9, 4) == 0
    near = [power(effect, 1.0, 4) for effect in (30.0, 1e3, 1e7)]
    assert near == sorted(near) and near[-1] == pytest.approx(1.0)
