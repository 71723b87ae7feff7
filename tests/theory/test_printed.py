"""Theorem 1 as printed: against the mpmath oracle, solved for each variable, misprints included."""

from __future__ import annotations

import math
from itertools import product

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import trapezoid

from tests.theory import oracle
from theory import printed
from theory.errors import InputError

DIMENSIONS = (2, 3, 4, 5, 10, 50, 100, 768, 1000)
EPSILONS = (1e-9, 0.01, 0.1, 0.5, 0.99)


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(oracle.DIGITS):
        yield


@pytest.mark.parametrize(("d", "epsilon"), [*product(DIMENSIONS, EPSILONS)])
def test_closed_forms_agree_with_the_oracle(d: int, epsilon: float) -> None:
    assert oracle.close(printed.x_u(epsilon, d), oracle.x_u(epsilon, d), 1e-14)
    assert oracle.close(printed.log_tau_limit(epsilon, d), oracle.log_tau_limit(epsilon, d), 1e-13)
    assert oracle.close(printed.ball_radius(epsilon, d), oracle.ball(epsilon, d), 1e-12)
    for delta, log_tau in product((1e-12, 0.1), (-6766.7, -27.6, math.log(1e3))):
        exact = oracle.printed_data_size(epsilon, delta, log_tau, d)
        assert oracle.close(printed.data_size_required(epsilon, delta, log_tau, d), exact, 1e-11)


def test_numbers_of_the_audit() -> None:
    limit = printed.log_tau_limit(0.5, [2, 3, 5, 10]) + math.log(0.99)
    required = printed.data_size_required(0.5, 0.1, limit, [2, 3, 5, 10])
    assert np.floor(required + 1).tolist() == [3404, 6375, 15459, 58404]
    assert printed.log_tau_limit(0.5, 768) == pytest.approx(-6766.72, abs=0.005)
    assert printed.tau_limit(0.5, 768) == 0.0
    tau = np.log([1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8])
    assert np.round(printed.data_size_required(0.5, 0.1, tau, 2)).tolist() == [2680, 2827, 2974, 3122, 3417, 3711]
    assert np.round(printed.data_size_required(0.5, 0.1, tau, 5)).tolist() == [11659, 12027, 12396, 12764, 13501, 14238]


def test_mass_of_p_aug_is_the_integral_of_its_density() -> None:
    rng = np.random.default_rng(3)
    for tau in (0.3, 0.05):
        x = np.linspace(-8, 8, 4001)[:, None]
        one = trapezoid(np.exp(oracle.log_printed_density(x, rng.standard_normal((7, 1)), tau)), x[:, 0])
        assert one == pytest.approx(math.exp(printed.log_total_mass(tau, 1)), rel=1e-9)
        grid = np.linspace(-7, 7, 401)
        points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
        density = np.exp(oracle.log_printed_density(points, rng.standard_normal((5, 2)), tau))
        two = density.sum() * (grid[1] - grid[0]) ** 2
        assert two == pytest.approx(math.exp(printed.log_total_mass(tau, 2)), rel=1e-6)
        assert two == pytest.approx(math.sqrt(tau), rel=1e-6)


settings_of = {
    "d": st.integers(2, 1000),
    "epsilon": st.floats(1e-3, 0.99),
    "delta": st.floats(1e-6, 0.99),
}


@given(**settings_of, n=st.floats(1, 1e12))
def test_tau_interval_is_where_both_conditions_hold(d: int, epsilon: float, delta: float, n: float) -> None:
    low, high = printed.log_tau_interval(n, epsilon, delta, d)
    if np.isnan(low):
        at_limit = printed.log_tau_limit(epsilon, d) - 1e-9
        assert not printed.data_size_condition(n, epsilon, delta, at_limit - 1e-6, d)
        return
    inside = (low + high) / 2
    for log_tau, holds in ((inside, True), (high + 1e-6 + 1e-9 * abs(high), False)):
        assert printed.tau_condition(epsilon, log_tau, d) == holds
    assert printed.data_size_condition(n, epsilon, delta, inside, d)
    assert not printed.data_size_condition(n, epsilon, delta, low - 1e-6 - 1e-9 * abs(low), d)


@given(**settings_of)
def test_smallest_data_size_is_required_at_the_limit(d: int, epsilon: float, delta: float) -> None:
    smallest = float(printed.data_size_smallest(epsilon, delta, d))
    assert np.isnan(printed.log_tau_interval(max(smallest * (1 - 1e-9), 1), epsilon, delta, d)[0])
    assert not np.isnan(printed.log_tau_interval(smallest * (1 + 1e-9), epsilon, delta, d)[0])


@pytest.mark.parametrize("call", [
    lambda: printed.x_u(0.0, 2), lambda: printed.x_u(float("nan"), 2), lambda: printed.x_u(0.5, 1),
    lambda: printed.x_u(0.5, 2.5), lambda: printed.data_size_required(0.5, 1.0, -1.0, 2),
    lambda: printed.data_size_required(0.5, 0.1, float("nan"), 2), lambda: printed.tau_limit(0.5, 1),
])  # fmt: skip
def test_mistakes_are_input_errors(call) -> None:
    with pytest.raises(InputError):
        call()
