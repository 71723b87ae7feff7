"""Upper bounds of the repaired theorem: the oracle, the exact values, the order between bounds, extremes."""

from __future__ import annotations

import math
import warnings
from itertools import product

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import repaired
from theory.errors import InputError

DIMENSIONS = (2, 3, 10, 100, 1000)
TAUS = (1e-12, 1e-6, 1e-3, 0.03, 0.4, 1.0, 7.0, 1e3)
SIZES = (1.0, 50.0, 1e4, 1e12)
dimension = st.one_of(st.integers(1, 20), st.integers(21, 1000))
log_tau = st.floats(math.log(1e-12), math.log(1e3))
log_n = st.floats(0, math.log(1e12))


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(oracle.DIGITS):
        yield


@pytest.mark.parametrize("d", (1, *DIMENSIONS))
def test_closed_forms_agree_with_the_oracle(d: int) -> None:
    assert oracle.close(np.exp(repaired.log_bias_slope(d)), oracle.bias_slope(d), 1e-12)
    for tau in TAUS:
        assert oracle.close(repaired.bias(tau, d), oracle.bias(tau, d), 1e-11), tau
        for n in SIZES:
            deviation = oracle.deviation(n, tau, d)
            assert oracle.close(repaired.deviation(n, tau, d), deviation, 1e-10), (n, tau)
            assert oracle.close(repaired.log_deviation(n, tau, d), mp.log(deviation), 1e-10) or deviation == 1
            assert oracle.close(repaired.deviation_clipped(n, tau, d), oracle.deviation_clipped(n, tau, d), 1e-10)
            assert oracle.close(repaired.log_mise(n, tau, d), oracle.log_mise(n, tau, d), 1e-10)
            assert oracle.close(repaired.concentration(n, 0.1), oracle.concentration(n, 0.1), 1e-13)


def test_the_oracle_s_clipped_deviation_is_the_integral_it_stands_for() -> None:
    def smaller(s, n, tau, d):
        _, q, v = oracle.densities(s, n, tau, d)
        return min(mp.sqrt(v + q * q / n), 2 * q)

    for n, tau, d in ((50, 0.1, 2), (1000, 0.3, 5)):
        exact = oracle.radial(smaller, n, tau, d)
        assert oracle.close(repaired.deviation_clipped(n, tau, d), exact, 1e-4)


SCARF_CELLS = [
    (1, 0.3, 2), (5, 1e-12, 3), (1000, 0.1227, 2), (1e6, 1e-4, 3), (1e12, 1e-3, 2), (1000, 0.3, 5), (1e12, 0.3, 10),
    (1e4, 30.0, 10), (1e12, 1e3, 3),
]  # fmt: skip


@pytest.mark.parametrize(("n", "tau", "d"), SCARF_CELLS)
def test_scarf_agrees_with_the_oracle(n: float, tau: float, d: int) -> None:
    assert oracle.close(repaired.mean_bound(n, tau, d), oracle.scarf(n, tau, d), 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("d", (1, *DIMENSIONS))
def test_scarf_agrees_with_the_oracle_everywhere(d: int) -> None:
    for n, tau in product(SIZES, TAUS):
        assert oracle.close(repaired.mean_bound(n, tau, d), oracle.scarf(n, tau, d), 1e-9), (n, tau)


@pytest.mark.parametrize(("n", "tau", "d"), [(50, 1.0, 1), (100, 0.01, 2), (100, 1e3, 2), (50, 0.3, 10), (9, 1e-6, 40)])
def test_exact_variance_agrees_with_the_oracle(n: float, tau: float, d: int) -> None:
    assert oracle.close(repaired.deviation_exact_variance(n, tau, d), oracle.deviation_exact_variance(n, tau, d), 1e-9)


@pytest.mark.parametrize(("n", "tau", "d"), [(50, 0.02, 2), pytest.param(1000, 0.3, 5, marks=pytest.mark.slow)])
def test_hoelder_agrees_with_the_oracle(n: float, tau: float, d: int) -> None:
    assert oracle.close(repaired.holder_lower_bound(n, tau, d), oracle.holder(n, tau, d), 1e-8)


def test_exact_values() -> None:
    assert repaired.bias(1.0, 2) == pytest.approx(0.5, abs=1e-14)
    tau = np.geomspace(1e-6, 1e3, 19)
    closed = 2 * tau / (1 + tau) * np.exp(-np.log1p(tau) / tau)
    assert repaired.bias(tau, 2) == pytest.approx(closed, rel=1e-12)
    slopes = np.exp(repaired.log_bias_slope([1, 2, 5, 10]))
    assert slopes == pytest.approx([math.sqrt(2 / (math.pi * math.e)), 2 / math.e, 1.22042, 1.75467], rel=4e-6)
    assert repaired.deviation_exact_variance(50, 1.0, 1) == pytest.approx(0.1105, abs=1e-4)
    assert repaired.mean_bound(1000, 0.1227, 2) == pytest.approx(0.1553, abs=5e-5)
    assert repaired.mean_bound(1000, 0.6437, 10) == pytest.approx(1.0187, abs=5e-5)
    assert repaired.floor_over_tau([1e4, 1e6, 1e6], [10, 20, 100]) == pytest.approx([0.23, 0.47, 1.70], abs=5e-3)


@settings(max_examples=40, deadline=None)
@given(d=dimension, x=log_tau, m=log_n)
def test_bounds_are_ordered(d: int, x: float, m: float) -> None:
    tau, n = math.exp(x), math.exp(m)
    scarf = float(repaired.mean_bound(n, tau, d))
    slack = 1 + 1e-9
    assert 0 <= scarf <= 2
    assert scarf <= repaired.mean_bound_clipped(n, tau, d) * slack
    assert scarf <= repaired.mean_bound_simple(n, tau, d) * slack
    assert repaired.deviation_clipped(n, tau, d) <= 2 * slack
    assert repaired.mean_lower_bound(n, tau, d) <= scarf * slack
    assert repaired.deviation_exact_variance(n, tau, d) <= repaired.deviation(n, tau, d) * slack


@settings(max_examples=40, deadline=None)
@given(d=dimension, x=log_tau, m=log_n, more=st.floats(0.01, 3))
def test_monotone_in_n_delta_and_tau(d: int, x: float, m: float, more: float) -> None:
    tau, n, n_more = math.exp(x), math.exp(m), math.exp(m + more)
    assert repaired.mean_bound(n_more, tau, d) <= repaired.mean_bound(n, tau, d) * (1 + 1e-11)
    assert repaired.deviation_clipped(n_more, tau, d) <= repaired.deviation_clipped(n, tau, d) * (1 + 1e-12)
    assert repaired.log_deviation(n_more, tau, d) < repaired.log_deviation(n, tau, d)
    assert repaired.l1_lower_bound(n_more, tau, d) <= repaired.l1_lower_bound(n, tau, d)
    assert repaired.concentration(n, 0.1) < repaired.concentration(n, 0.01)
    tau_more = tau * math.exp(more)
    assert repaired.bias(tau, d) <= repaired.bias(tau_more, d)
    assert repaired.bias(tau_more, d) <= repaired.bias(tau, d) * tau_more / tau * (1 + 1e-12)  # concave, zero at zero
    assert repaired.l1_lower_bound(n, tau_more, d) <= repaired.l1_lower_bound(n, tau, d)
    bound = math.exp(repaired.log_bias_slope(d)) * math.log1p(tau)
    assert repaired.bias(tau, d) <= bound * (1 + 1e-12) <= math.sqrt(d / math.pi) * math.log1p(tau) * (1 + 1e-12)


def test_limits() -> None:
    assert repaired.mean_bound(1000, [1e-12, 1e6], 5) == pytest.approx([2, 2], abs=1e-6)
    for tau in (0.05, 0.7):
        assert repaired.mean_bound(1e30, tau, 3) == pytest.approx(repaired.bias(tau, 3), rel=1e-9)
    assert repaired.bias([1e-12, 1e9], 4) == pytest.approx([0, 2], abs=1e-10)
    kappa = 1 - 1e-9  # Lemma L falls silent at n^(2/d) tau = 1
    assert 0 < repaired.l1_lower_bound(100, kappa / 100 ** (2 / 3), 3) < 1e-8
    assert repaired.l1_lower_bound(100, 1.0, 3) == 0


def test_scalars_in_scalars_out_and_arrays_broadcast() -> None:
    assert isinstance(repaired.mean_bound(100, 0.1, 2), float)
    table = repaired.mean_bound(np.array([[10.0], [100.0]]), np.array([0.1, 0.2, 0.3]), 2)
    assert table.shape == (2, 3)
    assert table[1, 2] == repaired.mean_bound(100, 0.3, 2)
    assert repaired.deviation_exact_variance([10, 20], 0.1, 2).shape == (2,)


@pytest.mark.parametrize(("d", "tau", "n"), [*product((2, 1000), (1e-12, 1e3), (1, 1e12))])
def test_extremes_never_warn_or_give_nan(d: int, tau: float, n: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for function in (
            repaired.bias, repaired.log_bias_slope, repaired.floor_over_tau,
        ):  # fmt: skip
            arguments = {repaired.bias: (tau, d), repaired.log_bias_slope: (d,), repaired.floor_over_tau: (n, d)}
            assert np.isfinite(function(*arguments[function]))
        for function in (
            repaired.log_deviation, repaired.deviation_clipped, repaired.mean_bound, repaired.holder_lower_bound,
            repaired.l1_lower_bound, repaired.mean_bound_clipped, repaired.log_mise,
        ):  # fmt: skip
            assert np.isfinite(function(n, tau, d)), function.__name__
        assert not np.isnan(repaired.deviation(n, tau, d))
        assert not np.isnan(repaired.deviation_exact_variance(n, tau, d))


@pytest.mark.parametrize("call", [
    lambda: repaired.bias(float("inf"), 2), lambda: repaired.bias(0, 2), lambda: repaired.bias(0.1, 0),
    lambda: repaired.bias(0.1, 2.5), lambda: repaired.mean_bound(0, 0.1, 2), lambda: repaired.mean_bound(-3, 0.1, 2),
    lambda: repaired.concentration(10, 1.0), lambda: repaired.concentration(10, float("nan")),
    lambda: repaired.log_bias_inverse(2.0, 2), lambda: repaired.mean_bound("x", 0.1, 2),
])  # fmt: skip
def test_mistakes_are_input_errors(call) -> None:
    with pytest.raises(InputError):
        call()
