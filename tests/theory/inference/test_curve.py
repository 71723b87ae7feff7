"""Curves with known answers: optimum and interval; honest where the curve is flat."""

from __future__ import annotations

import numpy as np
import pytest

from tests.theory.inference.worlds import TAUS, bowl, noisy
from theory.errors import InputError
from theory.inference.curve import ShiftErrorCurve, half_widths


def test_exact_parabola_is_found_between_grid_points() -> None:
    for best in (0.004, 0.05, 0.7):
        curve = ShiftErrorCurve(shift=TAUS, error=bowl(best), error_se=np.zeros(15), data_size=10)
        optimum = curve.optimum()
        assert optimum.shift == pytest.approx(best, rel=1e-9)
        assert optimum.low <= optimum.shift <= optimum.high and not optimum.at_edge
        assert optimum.high / optimum.low < TAUS[1] / TAUS[0]
        assert optimum.probability.max() == 1


def test_edges_are_reported_and_not_refined() -> None:
    for mean, edge in ((bowl(1e-5), TAUS[0]), (bowl(300.0), TAUS[-1])):
        optimum = ShiftErrorCurve(shift=TAUS, error=mean, error_se=np.zeros(15), data_size=10).optimum()
        assert optimum.at_edge and optimum.shift == edge


@pytest.mark.parametrize(("count", "noise"), [(4, 0.02), (30, 0.05)])
def test_interval_covers_the_true_optimum(count: int, noise: float) -> None:
    best, runs = 0.05, 200
    covered, widths = 0, []
    for seed in range(runs):
        optimum = noisy(bowl(best), count, noise, seed).optimum(draws=400)
        covered += optimum.low <= best <= optimum.high
        widths.append(np.log(optimum.high / optimum.low))
    assert covered >= 0.92 * runs
    assert np.median(widths) < 0.6 * np.log(TAUS[-1] / TAUS[0])


def test_flat_curve_gets_the_whole_grid() -> None:
    spans = 0
    for seed in range(100):
        optimum = noisy(np.full(15, 0.3), 20, 0.05, seed).optimum(draws=400)
        spans += optimum.low == TAUS[0] and optimum.high == TAUS[-1]
    assert spans >= 85


def test_noise_of_the_mean_curve_has_student_s_law() -> None:
    table = np.random.default_rng(3).normal(0, [1.0, 2.0, 0.1], (3, 3))
    curve = ShiftErrorCurve.from_replicates([0.1, 0.2, 0.3], table, 50)
    noise, spread = curve._noise(40_000, np.random.default_rng(0))
    difference = np.std(table[:, 0] - table[:, 1], ddof=1) / np.sqrt(3)
    assert spread[0, 1] == pytest.approx(difference) and spread[1, 1] == 0
    assert np.median(np.abs(noise) / curve.error_se, axis=0) == pytest.approx([0.8165] * 3, abs=0.02)  # t, 2 degrees


def test_pairing_matters() -> None:
    curve = noisy(bowl(0.05), 10, 0.01, seed=1)
    unpaired = ShiftErrorCurve(shift=curve.shift, error=curve.error, error_se=curve.error_se, data_size=100)
    paired, loose = curve.optimum(), unpaired.optimum()
    assert np.log(paired.high / paired.low) < 0.5 * np.log(loose.high / loose.low)


def test_a_degree_grid_may_hold_zero() -> None:
    degree = np.array([0, 0.1, 0.3, 0.5, 0.8])
    curve = ShiftErrorCurve(
        shift=degree, error=(degree - 0.12) ** 2, error_se=np.full(5, 1e-6), data_size=5, shift_name="degree"
    )
    assert curve.optimum().shift == pytest.approx(0.12, abs=1e-4)


def test_mistakes_are_input_errors() -> None:
    good = {"shift": TAUS, "error": bowl(0.1), "error_se": np.zeros(15), "data_size": 10}
    for change in (
        {"shift": TAUS[::-1]},
        {"error": np.full(15, np.nan)},
        {"error_se": -np.ones(15)},
        {"data_size": 0},
        {"shift_name": "sigma"},
        {"replicates": np.zeros((1, 15))},
    ):
        with pytest.raises(InputError):
            ShiftErrorCurve(**(good | change))
    with pytest.raises(InputError, match="replicates"):
        ShiftErrorCurve.from_replicates(TAUS, bowl(0.1)[None], 10)
    with pytest.raises(InputError, match="level"):
        ShiftErrorCurve(**good).optimum(level=1)


def test_no_augmented_data_is_a_point_of_the_curve_and_no_logarithm() -> None:
    """tau = 0 takes part in the choice; the vertex is fitted in log tau to the taus above it."""
    shift = np.r_[0.0, TAUS]
    inside = ShiftErrorCurve(shift=shift, error=np.r_[9.0, bowl(0.05)], error_se=np.zeros(16), data_size=10).optimum()
    assert inside.shift == pytest.approx(0.05, rel=1e-9) and not inside.at_edge
    noise = np.full(16, 5.0)
    flat = ShiftErrorCurve(shift=shift, error=np.r_[0.9, bowl(0.05)], error_se=noise, data_size=10).optimum()
    assert flat.low == 0.0 and flat.shift == pytest.approx(0.05, rel=1e-6)
    none = ShiftErrorCurve(shift=shift, error=np.r_[0.0, bowl(0.05)], error_se=np.zeros(16), data_size=10).optimum()
    assert none.shift == 0 and none.at_edge and none.censored == ""


def test_half_widths_are_student_s() -> None:
    assert half_widths([1.0, 0.5], 3) == pytest.approx([4.3027, 2.1513], abs=1e-4)
    assert half_widths(1.0, None) == pytest.approx(1.95996, abs=1e-5)
    curve = noisy(bowl(0.05), 3, 0.01, seed=1)
    assert curve.half_width() == pytest.approx(4.302653 * curve.error_se)
