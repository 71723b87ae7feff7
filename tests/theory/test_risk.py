"""The risk curve: outside mass and its bounds, terms that add up, the inverted U, best tau and its traps."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import repaired, risk
from theory.errors import InputError


@pytest.mark.parametrize(
    ("tau", "d", "radius"), [(0.5, 2, 2.039), (1e-12, 3, 3.0), (1e3, 1000, 30.0), (2.0, 768, 40.0)]
)
def test_outside_mass_agrees_with_the_oracle(tau: float, d: int, radius: float) -> None:
    with mp.workdps(40):
        assert oracle.close(risk.outside_mass(tau, d, radius), oracle.outside_mass(tau, d, radius), 1e-11)
    assert risk.outside_mass(tau, d, math.inf) == 0


@settings(max_examples=40, deadline=None)
@example(log_mean=-19.0, log_n=24.0, delta=0.5)
@given(log_mean=st.floats(-300, -1e-3), log_n=st.floats(0, 27), delta=st.floats(1e-9, 0.9))
def test_kl_bound_is_the_inverse_rounded_up_and_the_smallest(log_mean: float, log_n: float, delta: float) -> None:
    mean, n = math.exp(log_mean), math.exp(log_n)
    bound = float(risk.outside_mass_bound(mean, n, delta))
    with mp.workdps(40):
        exact = oracle.kl_inverse(mean, -math.log(delta) / n)
        assert oracle.number(bound) >= exact * (1 - mp.mpf(10) ** -12)
        assert (
            oracle.number(bound)
            <= exact * (1 + mp.mpf(10) ** -6) + mp.mpf(10) ** -6 * (exact - mean) + mp.mpf(10) ** -15
        )
    for method in ("hoeffding", "bernstein"):
        assert (
            mean <= bound * (1 + 1e-12) <= risk.outside_mass_bound(mean, n, delta, method=method) * (1 + 1e-6) + 1e-14
        )


def test_terms_add_up_and_the_smaller_version_is_returned() -> None:
    tau = np.geomspace(1e-3, 10, 30)[:, None]
    terms = risk.risk_terms(tau, [30, 1000, 1e6], 5, 3.5, 0.05, 0.1)
    assert terms.bound.shape == (30, 3)
    assert terms.distance + terms.teacher + terms.sample == pytest.approx(terms.bound)
    assert np.all(terms.bound == np.minimum(terms.joint, terms.split)) and np.all(terms.sample >= 0)
    assert np.all(np.diff(terms.teacher, axis=0) > 0)
    joint = repaired.mean_bound(1000, 0.3, 5) / 2 + 0.05 + 0.95 * risk.outside_mass(0.3, 5, 3.5)
    one = risk.risk_terms(0.3, 1000, 5, 3.5, 0.05, 0.1)
    assert one.joint == pytest.approx(joint + math.sqrt(2 * math.log(10) / 1000))
    assert one.distance + one.teacher == pytest.approx(joint)


def test_split_wins_where_little_lies_outside_and_finite_draws_cost() -> None:
    terms = risk.risk_terms(0.1, 10_000, 3, 6.0, 0.0, 0.1)
    assert terms.split < terms.joint
    finite = risk.risk_terms(0.1, 10_000, 3, 6.0, 0.0, 0.1, augmented_size=1000)
    larger = risk.risk_terms(0.1, 10_000, 3, 6.0, 0.0, 0.1, augmented_size=1000, hypotheses=100)
    trained = risk.risk_terms(0.1, 10_000, 3, 6.0, 0.0, 0.1, augmented_size=1000, rademacher=0.1)
    assert terms.bound < finite.bound < larger.bound
    assert trained.bound == pytest.approx(finite.bound + 0.2)
    online = risk.risk_terms(0.1, 10_000, 3, 6.0, 0.0, 0.05)
    assert risk.risk_terms(0.1, 10_000, 3, 6.0, 0.0, 0.1, augmented_size=1e12).bound == pytest.approx(
        online.bound, abs=1e-5
    )


def test_inverted_u_and_best_tau() -> None:
    tau = np.geomspace(1e-3, 10, 4001)
    for n, radius in ((300, 3.5), (1000, 3.0), (1000, np.inf)):
        values = np.asarray(risk.mean_risk_bound(tau, n, 5, radius, 0.05))
        best = float(risk.best_tau(n, 5, radius, 0.05))
        assert best == pytest.approx(tau[np.argmin(values)], rel=5e-3)
        assert values[0] > values.min() < values[-1]
    with_delta = float(risk.best_tau(1000, 5, 3.5, 0.05, 0.1))
    at = risk.risk_terms(tau, 1000, 5, 3.5, 0.05, 0.1).bound
    assert with_delta == pytest.approx(tau[np.argmin(at)], rel=5e-3)


def test_best_tau_without_a_radius_is_that_of_the_l1_bound() -> None:
    assert risk.best_tau([100, 1e4], [3, 10]) == pytest.approx(repaired.tau_star([100, 1e4], [3, 10]), rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(d=st.integers(1, 12), log_n=st.floats(3, 20), spread=st.floats(0.8, 4), epsilon=st.floats(0, 0.3))
def test_a_finite_radius_lowers_best_tau(d: int, log_n: float, spread: float, epsilon: float) -> None:
    n, radius = math.exp(log_n), spread * math.sqrt(d)
    capped, free = float(risk.best_tau(n, d, radius, epsilon)), float(risk.best_tau(n, d))
    assert np.isnan(capped) or capped <= free * (1 + 1e-5)
    if radius**2 >= d * (1 + free):  # from here on a larger radius raises it
        wider = float(risk.best_tau(n, d, radius * 1.2, epsilon))
        assert np.isnan(capped) or capped <= wider * (1 + 1e-5)


def test_vacuous_best_tau_is_nan() -> None:
    assert np.isnan(risk.best_tau(1000, 10, 2.0))  # nearly everything lies outside
    assert np.isnan(risk.best_tau(1e6, 768))


@pytest.mark.parametrize("change", [
    {"teacher_epsilon": 1.5}, {"trust_radius": 0}, {"trust_radius": float("nan")}, {"delta": 0}, {"tau": 0},
    {"augmented_size": 0}, {"augmented_size": 10, "hypotheses": 0}, {"outside": "bennett"},
])  # fmt: skip
def test_mistakes_are_input_errors(change: dict) -> None:
    good = {"tau": 0.1, "data_size": 100, "dimension": 3, "trust_radius": 2.0, "teacher_epsilon": 0.1, "delta": 0.1}
    with pytest.raises(InputError):
        risk.risk_terms(**(good | change))


def test_best_tau_is_not_monotone_in_the_radius() -> None:
    best = risk.best_tau(1000, 5, np.sqrt(5) * np.array([0.9, 1.1, 1.3]))
    assert best == pytest.approx([0.240, 0.228, 0.236], abs=6e-4)


def test_split_version_spends_half_of_delta_on_each_part() -> None:
    tau, n, d, radius, epsilon, delta = 0.3, 200, 3, 3.0, 0.1, 0.08
    terms = risk.risk_terms(tau, n, d, radius, epsilon, delta)
    share = risk.outside_mass(tau, d, radius)
    with mp.workdps(30):
        tail = float(oracle.kl_inverse(float(share), math.log(2 / delta) / n))
    distance = repaired.mean_bound(n, tau, d) / 2 + math.sqrt(2 * math.log(2 / delta) / n) / 2
    assert terms.split == pytest.approx(distance + epsilon + (1 - epsilon) * tail, rel=1e-7)
