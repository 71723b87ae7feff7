"""Measured distances against the exact bias, the repaired bounds, closed forms and known cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from simulate.distance import distances_of_sets, integrated_squared_error, l1_distance, measure_distance
from simulate.mixture import log_density, log_standard_normal
from theory.errors import InputError
from theory.lower_bounds import l1_lower_bound
from theory.repaired import bias, l1_bound, log_mise, mean_bound, mean_lower_bound


def test_l1_of_one_set_equals_quadrature() -> None:
    """d = 1: importance sampling within four standard errors of the trapezoid rule."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((12, 1))
    grid = np.linspace(-8, 8, 40_001)[:, None]
    gaps = np.abs(np.exp(log_density(grid, centres, 0.05)) - np.exp(log_standard_normal(grid)))
    exact = float(integrate.trapezoid(gaps, grid[:, 0]))
    found = l1_distance(centres, 0.05, 40_000, rng)
    assert abs(found.value - exact) < 4 * found.se
    assert found.se < 0.01


def test_standard_error_is_honest() -> None:
    """The variance over 200 repetitions against the claimed one: a two-sided chi-square test at level 1e-3."""
    rng = np.random.default_rng(1)
    centres = rng.standard_normal((30, 2))
    found = [l1_distance(centres, 0.1, 200, rng) for _ in range(200)]
    ratio = 199 * np.var([f.value for f in found], ddof=1) / np.mean([f.se**2 for f in found])
    low, high = stats.chi2(199).ppf([5e-4, 1 - 5e-4])
    assert low < ratio < high


@pytest.mark.parametrize("dimension, data_size, tau", [(1, 50, 0.1), (2, 200, 0.05), (3, 500, 0.02), (5, 500, 0.3)])
def test_mean_lies_between_the_repaired_bounds(dimension: int, data_size: int, tau: float) -> None:
    found = distances_of_sets(dimension=dimension, data_size=data_size, tau=tau, replicates=20, points=4000, workers=1)
    mean, se = found.mean(), found.std(ddof=1) / math.sqrt(20)
    assert mean - 3 * se < mean_bound(data_size, tau, dimension)
    assert mean + 3 * se > mean_lower_bound(data_size, tau, dimension) >= bias(tau, dimension)
    assert found.min() > l1_lower_bound(data_size, tau, dimension) - 0.02


def test_l1_bound_holds_in_enough_trials() -> None:
    """delta = 0.1: failures among 200 sets against Binomial(200, 0.1), one-sided level 1e-3; here none is expected."""
    found = distances_of_sets(dimension=2, data_size=60, tau=0.2, replicates=200, points=1000, workers=1)
    failures = int((found > l1_bound(60, 0.2, 2, 0.1)).sum())
    assert failures <= stats.binom(200, 0.1).ppf(1 - 1e-3)


@pytest.mark.parametrize("dimension, data_size, tau", [(1, 20, 0.1), (2, 50, 0.3), (4, 40, 0.2)])
def test_mean_integrated_squared_error_has_its_closed_form(dimension: int, data_size: int, tau: float) -> None:
    """Marron and Wand's MISE: a two-sided z test at level 1e-3 over 400 sets."""
    rng = np.random.default_rng(2)
    found = [integrated_squared_error(rng.standard_normal((data_size, dimension)), tau) for _ in range(400)]
    expected = math.exp(log_mise(data_size, tau, dimension))
    z = (np.mean(found) - expected) / (np.std(found, ddof=1) / math.sqrt(len(found)))
    assert abs(z) < stats.norm.ppf(1 - 5e-4)


def test_integrated_squared_error_equals_quadrature() -> None:
    centres = np.random.default_rng(3).standard_normal((6, 1))
    grid = np.linspace(-9, 9, 4001)[:, None]
    gaps = np.exp(log_density(grid, centres, 0.2)) - np.exp(log_standard_normal(grid))
    exact = float(integrate.simpson(gaps**2, x=grid[:, 0]))
    assert integrated_squared_error(centres, 0.2) == pytest.approx(exact, rel=1e-6)


def test_printed_mixture_is_at_least_as_far_as_its_missing_mass() -> None:
    """L1 >= 1 - tau^((d-1)/2) for the printed expression, whatever n (audit, row 1); here the mass is 0.01."""
    setting = {"dimension": 3, "data_size": 20_000, "tau": 0.01, "replicates": 2, "points": 2000, "workers": 1}
    found = distances_of_sets(**setting, printed=True)
    assert found.mean() == pytest.approx(1 - 0.01, abs=0.05)
    assert distances_of_sets(**setting).max() < 0.5


def test_a_large_set_with_the_right_tau_is_close() -> None:
    found = measure_distance(dimension=1, data_size=20_000, tau=0.01, replicates=3, points=2000, workers=1)
    assert found.l1_distance < 0.06


def test_result_does_not_depend_on_workers() -> None:
    one, two = (
        distances_of_sets(dimension=2, data_size=100, tau=0.1, replicates=4, points=500, workers=w) for w in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    "name, values",
    [("dimension", {"dimension": 0}), ("data_size", {"data_size": 0}), ("replicates", {"replicates": 1})],
)
def test_bad_numbers_are_named(name: str, values: dict[str, int]) -> None:
    setting = {"dimension": 2, "data_size": 10, "replicates": 2} | values
    with pytest.raises(InputError, match=name):
        distances_of_sets(**setting, tau=0.1)
