"""The pieces of the radial quadrature: closed forms of its integrand, its switch and crossing, its panels."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import radial
from theory.setting import Floats

GRID = [(2, 30.0, 0.1), (2, 1e4, 1e-3), (10, 500.0, 0.3), (100, 1e6, 0.05), (1, 3.0, 2.0)]


def at(value: float) -> Floats:
    return np.array([float(value)])


@pytest.mark.parametrize(("d", "n", "tau"), GRID)
def test_ratio_and_variance_are_those_of_the_densities(d: int, n: float, tau: float) -> None:
    for s in (0.0, 0.5 * d, 2.0 * d):
        with mp.workdps(50):
            p, q, v = oracle.densities(mp.mpf(s), mp.mpf(n), mp.mpf(tau), d)
            ratio, variance = float(mp.log(q / p)), float(mp.log(v / q**2))
        assert radial.log_ratio(at(s), at(tau), at(d))[0] == pytest.approx(ratio, rel=1e-10, abs=1e-13)
        found = radial.log_relative_variance(at(s), at(math.log(n)), at(tau), at(d))[0]
        assert found == pytest.approx(variance, rel=1e-10, abs=1e-12)


@given(st.floats(-300, 300))
def test_shrinkage_has_no_cancellation_at_either_end(exponent: float) -> None:
    tau = 10.0**exponent
    with mp.workdps(700):
        t = mp.mpf(tau)
        exact = float(mp.log(t * (2 + t) / (1 + t) ** 2))
    assert radial.log_shrinkage(at(tau))[0] == pytest.approx(exact, rel=1e-12)


@given(st.floats(-10, 3), st.integers(1, 1000))
def test_q_crosses_p_at_the_crossing(exponent: float, d: int) -> None:
    tau = 10.0**exponent
    s = radial.crossing(at(tau), at(d))
    assert abs(radial.log_ratio(s, at(tau), at(d))[0]) <= 1e-12 * max(1.0, d * math.log1p(tau))
    assert radial.log_ratio(1.01 * s, at(tau), at(d))[0] > 0 > radial.log_ratio(0.99 * s, at(tau), at(d))[0]


@settings(max_examples=60)
@given(st.floats(0, 30), st.floats(-6, 2), st.integers(1, 200))
def test_the_switch_solves_its_equation_or_is_zero(log_n: float, exponent: float, d: int) -> None:
    """2 p/q - 1 - v/q^2 falls in |x|^2: zero at the switch, or negative from the origin on."""
    tau, d_ = at(10.0**exponent), at(d)
    s = radial.switch(at(log_n), tau, d_)

    def gap(square: Floats) -> float:
        both = -radial.log_ratio(square, tau, d_) + math.log(2)
        variance = radial.log_relative_variance(square, at(log_n), tau, d_)
        return float((both - np.logaddexp(0, variance))[0])

    if s[0] == 0:
        assert gap(at(0)) <= 1e-9
    else:
        assert abs(gap(s)) < 1e-9 * max(1.0, float(s[0]))


def test_spans_hold_the_gaussian_and_panels_cover_them() -> None:
    for d in (1, 2, 30, 1000):
        low, high, count = radial.spans(d)
        edges = np.linspace(low, high, count + 1)[None, :]
        row, middle, half = radial.panels(edges)
        nodes = middle[:, None] + half[:, None] * radial.NODES
        mass = ((np.exp(radial.log_chi_density(nodes, d)) @ radial.WEIGHTS) * half).sum()
        # The span leaves 1e-16 outside; at d = 1,000 the density itself is exact to 1e-13, an exponent of thousands.
        assert len(row) == count and mass == pytest.approx(1, abs=1e-12)


def test_panels_are_sorted_and_drop_the_empty_ones() -> None:
    row, middle, half = radial.panels(np.array([[0.0, 2.0, 1.0, 1.0], [3.0, 3.0, 3.0, 4.0]]))
    assert row.tolist() == [0, 0, 1] and middle.tolist() == [0.5, 1.5, 3.5] and half.tolist() == [0.5] * 3


def test_a_chunked_sum_is_the_sum_of_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    log_n, tau, d = np.log([10.0, 1e3, 1e5]), np.array([0.5, 0.1, 0.01]), np.array([2.0, 10.0, 2.0])
    together = radial.scarf(log_n, tau, d)
    monkeypatch.setattr(radial, "CHUNK", 1)
    # The number of geometric edges is the chunk's, so that the last digits may differ.
    assert together == pytest.approx(radial.scarf(log_n, tau, d), rel=1e-11)
