"""Curves with known answers: optimum, interval, power law; honest where the curve is flat."""

from __future__ import annotations

import numpy as np
import pytest

from theory.errors import InputError
from theory.inference.curve import ShiftErrorCurve
from theory.inference.power_law import power_law

TAUS = np.geomspace(1e-3, 3, 15)


def bowl(best: float, depth: float = 0.05) -> np.ndarray:
    """A parabola in log tau with its minimum at `best`."""
    return 0.2 + depth * np.log(TAUS / best) ** 2


def noisy(mean: np.ndarray, count: int, noise: float, seed: int, data_size: float = 100) -> ShiftErrorCurve:
    """Replicates with a shared level each (common random numbers) and independent noise."""
    rng = np.random.default_rng(seed)
    table = mean + rng.normal(0, 0.2, (count, 1)) + rng.normal(0, noise, (count, mean.size))
    return ShiftErrorCurve.from_replicates(TAUS, table, data_size)


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


def law_optima(count: int, noise: float, seed: int) -> list:
    sizes = (100, 300, 1000, 3000)
    return [noisy(bowl(2 * n**-0.5), count, noise, seed + n, n).optimum(draws=500) for n in sizes]


def test_power_law_of_exact_curves() -> None:
    sizes = (100, 1000, 10_000)
    optima = [
        ShiftErrorCurve(shift=TAUS, error=bowl(2 * n**-0.4), error_se=np.zeros(15), data_size=n).optimum()
        for n in sizes
    ]
    law = power_law(optima)
    assert law.exponent == pytest.approx(-0.4, abs=1e-9) and law.log_constant == pytest.approx(np.log(2), abs=1e-8)
    assert law(1000) == pytest.approx(2 * 1000**-0.4) and law.residual < 1e-8


def test_power_law_interval_covers_and_narrows() -> None:
    laws = [power_law(law_optima(12, 0.03, 10_000 * seed)) for seed in range(60)]
    assert sum(law.exponent_low <= -0.5 <= law.exponent_high for law in laws) >= 54
    assert np.median([law.exponent_high - law.exponent_low for law in laws]) < 0.3


def test_power_law_of_flat_curves_says_nothing() -> None:
    optima = [noisy(np.full(15, 0.3), 12, 0.03, n, n).optimum() for n in (100, 1000, 10_000)]
    law = power_law(optima)
    assert law.exponent_high - law.exponent_low > 1


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
    one = ShiftErrorCurve(**good).optimum()
    with pytest.raises(InputError, match="two different"):
        power_law([one, one])
    degree = np.array([0, 0.1, 0.5])
    curve = ShiftErrorCurve(shift=degree, error=degree, error_se=np.zeros(3), data_size=50, shift_name="degree")
    none = curve.optimum()
    with pytest.raises(InputError, match="no augmentation"):
        power_law([one, none])
