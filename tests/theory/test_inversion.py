"""Inversions: round trips with the stated side, the audit's numbers, necessary against sufficient."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import repaired

dimension = st.integers(1, 60)
epsilon = st.floats(0.05, 1.5)
delta = st.floats(1e-6, 0.9)


@settings(max_examples=30, deadline=None)
@given(d=st.integers(1, 1000), epsilon=st.floats(1e-9, 1.9999))
def test_bias_inverse_round_trip(d: int, epsilon: float) -> None:
    y = float(repaired.log_bias_inverse(epsilon, d))
    with mp.workdps(40):
        assert oracle.close(epsilon, oracle.bias_of_log(oracle.number(y), d), 1e-11)


@settings(max_examples=50, deadline=None)
@given(d=dimension, epsilon=epsilon, delta=delta, log_share=st.floats(-12, -0.05))
def test_required_data_sizes_are_the_least_whole_ones(d: int, epsilon: float, delta: float, log_share: float) -> None:
    tau = math.exp(log_share) * math.expm1(repaired.log_bias_inverse(epsilon, d))
    log_simple = float(repaired.log_data_size_required_simple(epsilon, delta, tau, d))
    log_scarf = float(repaired.log_data_size_required(epsilon, delta, tau, d))
    log_necessary = float(repaired.log_data_size_necessary(epsilon, tau, d))
    assert log_necessary <= log_scarf * (1 + 1e-12) + 1e-12
    assert log_scarf <= log_simple + 1e-12
    for log_n, mean in ((log_simple, repaired.mean_bound_simple), (log_scarf, repaired.mean_bound)):
        if log_n > 22:  # beyond 3e9 points a whole number is a matter of rounding
            continue
        n = round(math.exp(log_n))
        assert n == pytest.approx(math.exp(log_n), rel=1e-12)
        total = mean(n, tau, d) + repaired.concentration(n, delta)
        assert total <= epsilon * (1 + 1e-12)
        if n > 1:
            assert mean(n - 1, tau, d) + repaired.concentration(n - 1, delta) > epsilon * (1 - 1e-12)


def test_required_data_sizes_of_the_audit() -> None:
    tau = [1e-1, 1e-2, 1e-3]
    assert repaired.data_size_required_simple(0.5, 0.1, tau, 2).tolist() == [245, 1098, 8817]
    assert repaired.data_size_necessary(0.5, tau, 2) == pytest.approx([5, 50, 500], rel=1e-12)
    assert repaired.data_size_required_simple(0.9, 0.1, 0.3, 10) == 136600
    assert repaired.data_size_required(0.9, 0.1, 0.3, 10) == 11640
    assert repaired.data_size_required_simple(0.5, 0.1, 0.1, 5) == 15062
    assert np.isnan(repaired.data_size_required(0.5, 0.1, 1.0, 2))  # the bias alone is 1/2
    assert repaired.data_size_required(0.5, 0.1, 0.999, 2) > 1e6
    log_n = repaired.log_data_size_required_simple(0.5, 0.1, 1e-12, 1000)
    assert log_n > 7000 and np.isinf(repaired.data_size_required_simple(0.5, 0.1, 1e-12, 1000))
    assert repaired.log_data_size_required(0.5, 0.1, 1e-12, 1000) <= log_n


def test_smallest_data_sizes() -> None:
    n, log_n, tau = repaired.data_size_smallest_simple([0.5, 0.5, 0.5, 0.5, 1.0], 0.1, [2, 3, 5, 10, 50])
    assert n[:4].tolist() == [222, 608, 5979, 4435508]
    assert log_n[4] == pytest.approx(57.5, abs=0.05)
    assert tau[:4] == pytest.approx([0.1748, 0.2112, 0.2414, 0.2282], abs=2e-4)
    for d in (2, 3, 5):
        least = float(repaired.data_size_smallest(0.5, 0.1, d)[0])
        assert not np.isnan(repaired.tau_window(least, 0.5, 0.1, d)[0])
        assert np.isnan(repaired.tau_window(least - 1, 0.5, 0.1, d)[0])


@settings(max_examples=30, deadline=None)
@given(d=st.integers(1, 12), epsilon=st.floats(0.2, 1.2), delta=delta, log_n=st.floats(2, 18))
def test_windows_end_inside_and_not_before(d: int, epsilon: float, delta: float, log_n: float) -> None:
    n = math.exp(log_n)
    low, high = repaired.tau_window(n, epsilon, delta, d)
    best = float(repaired.tau_star(n, d))
    if np.isnan(low):
        assert np.isnan(best) or repaired.l1_bound(n, best, d, delta) > epsilon * (1 - 1e-9)
        return
    assert low <= best * (1 + 1e-6) and best <= high * (1 + 1e-6)
    for tau, outward in ((low, 1 - 1e-6), (high, 1 + 1e-6)):
        assert repaired.l1_bound(n, tau, d, delta) <= epsilon * (1 + 1e-12)
        assert repaired.l1_bound(n, tau * outward, d, delta) > epsilon * (1 - 1e-12)


@settings(max_examples=30, deadline=None)
@given(d=st.integers(1, 100), epsilon=st.floats(0.01, 1.9))
def test_floor_over_tau_round_trip(d: int, epsilon: float) -> None:
    log_n = float(repaired.log_data_size_necessary_any_tau(epsilon, d))
    if log_n >= 0:
        assert repaired.floor_over_tau_log(log_n, d) == pytest.approx(epsilon, rel=1e-9)
