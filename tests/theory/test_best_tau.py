"""Best tau: stationary, falling in n, vacuous where there is none, its asymptotics as accurate as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import repaired


def test_simple_best_tau_minimises_on_a_fine_grid() -> None:
    tau = np.geomspace(1e-3, 10, 40_001)
    for n, d in ((1000, 2), (1000, 5), (5000, 5), (1000, 10)):
        best = float(repaired.tau_star_simple(n, d))
        values = repaired.mean_bound_simple(n, tau, d)
        assert best == pytest.approx(tau[np.argmin(values)], rel=1e-3)
        assert repaired.mean_bound_simple(n, best, d) <= values.min() * (1 + 1e-12)


def test_values_of_the_audit() -> None:
    simple = repaired.tau_star_simple([1000, 1000, 1000, 5000, 1000], [2, 3, 5, 5, 10])
    assert simple == pytest.approx([0.1023, 0.1807, 0.3823, 0.2524, 1.1229], abs=6e-5)
    scarf = repaired.tau_star([1000, 1000, 1000, 5000, 1000], [2, 3, 5, 5, 10])
    assert scarf == pytest.approx([0.1227, 0.1850, 0.3225, 0.2218, 0.6437], abs=6e-5)
    assert repaired.mean_bound([1000, 5000], scarf[[2, 3]], 5) == pytest.approx([0.4800, 0.3461], abs=6e-5)
    mise = repaired.tau_star_mise(1e4, [1, 2, 3, 5, 10])
    assert mise == pytest.approx([0.0287, 0.0481, 0.0711, 0.1246, 0.2755], abs=6e-5)
    assert repaired.tau_silverman(100, 2) == pytest.approx((1 / 100) ** (1 / 3))


def test_vacuous_is_nan_and_never_a_boundary_value() -> None:
    interior = np.exp(repaired.log_data_size_interior([1, 2, 3, 5, 10, 20, 50]))
    assert interior[:2].tolist() == [0, 0]
    assert interior[2:] == pytest.approx([0.14, 1.6, 59, 1.9e4, 1.2e11], rel=0.03)
    first_useful = {3: 3, 5: 9, 10: 150}
    for d, n in first_useful.items():
        assert np.isnan(repaired.tau_star_simple(n - 1, d)) and np.isfinite(repaired.tau_star_simple(n, d))
    assert np.isnan(repaired.tau_star_simple(30, 10)) and np.isnan(repaired.tau_star_simple(1e6, 768))
    assert np.isnan(repaired.tau_star(1e6, 768))
    assert np.isfinite(repaired.tau_star(1, 3))


@settings(max_examples=25, deadline=None)
@given(d=st.integers(1, 30), log_n=st.floats(0, 25), more=st.floats(0.1, 5))
def test_best_tau_falls_as_n_grows(d: int, log_n: float, more: float) -> None:
    n, n_more = math.exp(log_n), math.exp(log_n + more)
    for best in (repaired.tau_star_simple, repaired.tau_star, repaired.tau_star_mise, repaired.tau_star_asymptotic):
        few, many = float(best(n, d)), float(best(n_more, d))
        assert np.isnan(few) or many < few
        assert np.isnan(few) or np.isfinite(many)


@settings(max_examples=30, deadline=None)
@given(d=st.integers(1, 20), log_n=st.floats(1, 25), log_factor=st.floats(-3, 3))
def test_no_tau_beats_the_best_scarf_bound(d: int, log_n: float, log_factor: float) -> None:
    n = math.exp(log_n)
    best = float(repaired.tau_star(n, d))
    if np.isfinite(best):
        assert repaired.mean_bound(n, best, d) <= repaired.mean_bound(n, best * math.exp(log_factor), d) * (1 + 1e-11)


def test_accuracy_of_the_asymptotics() -> None:
    for d, n, error in ((2, 1e3, -0.05), (5, 1e4, -0.10), (10, 1e4, -0.27), (10, 1e6, -0.13)):
        ratio = repaired.tau_star_asymptotic(n, d) / repaired.tau_star_simple(n, d)
        assert ratio - 1 == pytest.approx(error, abs=0.01)
    for d in (1, 2, 5):
        exact = repaired.mean_bound_simple(1e16, repaired.tau_star_simple(1e16, d), d)
        assert repaired.mean_bound_asymptotic(1e16, d) == pytest.approx(exact, rel=0.02)
