"""The chi-square law: closed forms in two dimensions, mpmath elsewhere, no cancellation and no underflow."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.theory import oracle
from theory import chi2
from theory.setting import Floats


def at(*values: float) -> Floats:
    return np.array(values, dtype=float)


@given(st.floats(1e-6, 600))
def test_two_dimensions_are_exponential(s: float) -> None:
    assert chi2.survival(at(s), at(2))[0] == pytest.approx(math.exp(-s / 2), rel=1e-12)
    assert chi2.cdf(at(s), at(2))[0] == pytest.approx(-math.expm1(-s / 2), rel=1e-12)
    assert chi2.log_density(at(s), at(2))[0] == pytest.approx(-s / 2 - math.log(2), rel=1e-12)


@pytest.mark.parametrize("d", [1, 2, 7, 100])
def test_the_density_is_the_slope_of_the_distribution_function(d: int) -> None:
    for s in (0.3 * d, d, 2.5 * d):
        with mp.workdps(40):
            slope = mp.diff(lambda t: oracle.cdf(t, d), mp.mpf(s))
        assert chi2.log_density(at(s), at(d))[0] == pytest.approx(float(mp.log(slope)), rel=1e-9)


@pytest.mark.parametrize(("d", "s"), [(2, 1e-300), (768, 1.0), (768, 60.0), (200, 1e-3), (10, 3.0), (3, 50.0)])
def test_the_logarithm_of_the_distribution_function_survives_underflow(d: int, s: float) -> None:
    with mp.workdps(60):
        exact = float(mp.log(oracle.cdf(mp.mpf(s), d)))
    assert chi2.log_cdf(at(s), at(d))[0] == pytest.approx(exact, rel=1e-12)


def test_the_logarithm_is_minus_infinity_at_zero_and_shapes_broadcast() -> None:
    found = chi2.log_cdf(np.zeros((3, 1)), at(2, 5))
    assert found.shape == (3, 2) and np.all(np.isneginf(found))


@given(st.sampled_from([1, 2, 5, 100]), st.floats(0.05, 4), st.floats(-12, 0))
def test_masses_of_thin_shells_do_not_cancel(d: int, ratio: float, log_width: float) -> None:
    low, width = ratio * d, 10.0**log_width
    with mp.workdps(60):
        exact = oracle.cdf(mp.mpf(low) + mp.mpf(width), d) - oracle.cdf(mp.mpf(low), d)
    assert chi2.mass_above(at(low), at(width), at(d))[0] == pytest.approx(float(exact), rel=1e-11)


def test_a_shell_without_width_has_no_mass_and_shells_add_up() -> None:
    assert chi2.mass_above(at(3), at(0), at(5))[0] == 0
    edges = np.linspace(0, 200, 401)
    masses = chi2.mass_above(edges[:-1], np.diff(edges), at(5))
    assert masses.sum() == pytest.approx(1, rel=1e-13)
