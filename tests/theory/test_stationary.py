"""Kernels that keep the population: closed forms against quadrature, enumeration, Monte Carlo and the other bounds."""

from __future__ import annotations

import itertools
import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from theory import repaired, stationary
from theory.errors import InputError

CELLS = [(50, 0.02, 2), (1000, 0.1, 5), (1e9, 3.0, 2), (1e4, 0.3, 30)]


def oracle_sharp(n: float, tau: float, d: int) -> mp.mpf:
    """The integral of the two-moment bound at |x - q| as it is defined, in mpmath, radially."""
    with mp.workdps(20):
        n, t = mp.mpf(n), mp.mpf(tau)

        def density(s: mp.mpf, variance: mp.mpf) -> mp.mpf:
            return (2 * mp.pi * variance) ** (-mp.mpf(d) / 2) * mp.exp(-s / (2 * variance))

        def bound(r: mp.mpf) -> mp.mpf:
            q = density(r * r, 1 + t)
            v = ((4 * mp.pi * t) ** (-mp.mpf(d) / 2) * density(r * r, 1 + t / 2) - q * q) / n
            sigma = mp.sqrt(v) if v <= q * q else 2 * q - 2 * q**3 / (q * q + v)
            return sigma * 2 * mp.pi ** (mp.mpf(d) / 2) / mp.gamma(mp.mpf(d) / 2) * r ** (d - 1)

        top = mp.sqrt(1 + t) * (mp.sqrt(2 * d) + 12)
        return mp.quad(bound, [top * k / 16 for k in range(17)])


@pytest.mark.parametrize(("n", "tau", "d"), CELLS)
def test_the_sharp_deviation_is_its_integral(n: float, tau: float, d: int) -> None:
    assert float(stationary.deviation_sharp(n, tau, d)) == pytest.approx(float(oracle_sharp(n, tau, d)), rel=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.floats(math.log(1e-4), math.log(100.0)), st.floats(0, math.log(1e9)))
def test_the_sharp_deviation_is_the_smallest(d: int, log_tau: float, log_n: float) -> None:
    n, tau = math.exp(log_n), math.exp(log_tau)
    sharp = stationary.deviation_sharp(n, tau, d)
    assert 0 <= sharp <= 2
    assert sharp <= repaired.deviation_exact_variance(n, tau, d) * (1 + 1e-8)
    assert sharp <= repaired.deviation_clipped(n, tau, d) * (1 + 1e-8)
    assert repaired.mean_bound(n, tau, d) <= repaired.bias(tau, d) + sharp + 1e-9


def test_the_preserving_mixture_is_the_additive_one_shrunk() -> None:
    """Same training set: a X + sqrt(1 - a^2) z against X + sqrt(tau') z, L1 to their means, by quadrature in d = 1."""
    x = np.random.default_rng(0).standard_normal(7)
    tau = 0.6
    a, add = float(stationary.preserving_correlation(tau)), float(stationary.equivalent_tau(tau))
    grid = np.linspace(-12, 12, 60_001)

    def l1(centres: np.ndarray, variance: float, around: float) -> float:
        mixture = stats.norm.pdf(grid[:, None], centres, math.sqrt(variance)).mean(1)
        return float(integrate.trapezoid(np.abs(mixture - stats.norm.pdf(grid, scale=math.sqrt(around))), grid))

    assert a == pytest.approx(0.7) and add == pytest.approx(0.51 / 0.49)
    assert l1(a * x, 1 - a * a, 1.0) == pytest.approx(l1(x, add, 1 + add), rel=1e-5)


@pytest.mark.parametrize(("n", "tau", "d"), [(20, 0.3, 1), (50, 0.8, 2), (30, 1.5, 3)])
def test_the_preserving_bound_holds_and_chi_square_is_exact(n: int, tau: float, d: int) -> None:
    """100 training sets: importance sampling from P for both distances; z tests at level 1e-3."""
    rng, a = np.random.default_rng(1), float(stationary.preserving_correlation(tau))
    l1, square = [], []
    for _ in range(100):
        x = a * rng.standard_normal((n, d))
        y = rng.standard_normal((300, d)) * 1.3  # wider than P: weights stay bounded
        log_p = stats.norm.logpdf(y).sum(1)
        weight = np.exp(log_p - stats.norm.logpdf(y, scale=1.3).sum(1))
        kernel = stats.norm.logpdf(y[:, None], x[None], math.sqrt(1 - a * a)).sum(2)
        ratio = np.exp(kernel - log_p[:, None]).mean(1)
        l1.append((np.abs(ratio - 1) * weight).mean())
        square.append(((ratio - 1) ** 2 * weight).mean())
    bound = float(stationary.mean_bound_preserving(n, tau, d))
    assert np.mean(l1) - 3.1 * np.std(l1) / 10 < bound
    assert np.mean(l1) > 0.6 * bound  # the bound is not idle
    exact = float(stationary.chi_square_preserving(n, tau, d))
    assert abs(np.mean(square) - exact) < 3.3 * np.std(square) / 10
    assert bound <= math.sqrt(exact)


def test_the_preserving_bound_falls_to_zero() -> None:
    tau = np.linspace(0.01, 2.0, 60)
    for d in (1, 3, 10):
        values = stationary.mean_bound_preserving(500, tau, d)
        assert np.all(np.diff(values) <= 1e-12) and values[-1] == 0 and values[0] > 0.1


@pytest.mark.parametrize("degree", [0.0, 0.2, 0.5, 0.61, 1.0])
@pytest.mark.parametrize("marginal", [[0.5, 0.5], [0.7, 0.2, 0.1]])
def test_chi_square_of_replacement_by_enumeration(degree: float, marginal: list[float]) -> None:
    """d = 3 tokens of a small vocabulary: E chi^2 of one text's kernel against P, summed over everything."""
    d, p = 3, np.asarray(marginal)
    texts = list(itertools.product(range(len(p)), repeat=d))
    law = np.array([p[list(text)].prod() for text in texts])
    low = math.floor(degree * d)
    parts = [(1 - (degree * d - low), low), (degree * d - low, min(low + 1, d))]
    kernel = np.zeros((len(texts), len(texts)))
    for share, count in parts:
        masks = list(itertools.combinations(range(d), count))
        for mask in masks:
            for i, text in enumerate(texts):
                for j, other in enumerate(texts):
                    if all(text[k] == other[k] for k in range(d) if k not in mask):
                        kernel[i, j] += share / len(masks) * math.prod(p[other[k]] for k in mask)
    np.testing.assert_allclose(law @ kernel, law, atol=1e-12)  # the population is stationary: no bias
    expected = float(law @ (kernel**2 / law).sum(1) - 1)
    assert stationary.chi_square_replacement(1, degree, d, len(p)) == pytest.approx(expected, abs=1e-12)
    assert stationary.chi_square_replacement(40, degree, d, len(p)) == pytest.approx(expected / 40, abs=1e-12)


def test_kept_probability_is_the_noise_operator() -> None:
    """Order 1 is 1 - degree exactly; large d tends to (1 - degree)^k, the eigenvalue a^k of `preserving`."""
    r = np.linspace(0, 1, 13)
    np.testing.assert_allclose(stationary.kept_probability(1, r, 7), 1 - r, atol=1e-12)
    np.testing.assert_allclose(stationary.kept_probability(3, r, 100_000), (1 - r) ** 3, atol=1e-4)
    a = stationary.preserving_correlation(2 * r)
    np.testing.assert_allclose(a, 1 - r)
    assert stationary.chi_square_replacement(10, 0.5, 5, np.inf) == np.inf
    assert stationary.chi_square_replacement(10, 1.0, 5, np.inf) == 0


@pytest.mark.parametrize("width", [0.05, 0.2, 0.5, 0.8])
def test_neighbour_correlation_by_quadrature(width: float) -> None:
    def inner(u: float) -> float:
        v = np.linspace(-1, 1, 20_001)
        folded = 1 - np.abs(1 - np.abs(u + width * (v[1:] + v[:-1]) / 2))
        return float(stats.norm.ppf(np.clip(folded, 1e-12, 1 - 1e-12)).mean())

    u = (np.arange(400) + 0.5) / 400
    expected = np.mean([stats.norm.ppf(one) * inner(one) for one in u])
    assert stationary.neighbour_correlation(width) == pytest.approx(expected, abs=4e-3)
    assert stationary.neighbour_correlation(1.0) == pytest.approx(0, abs=1e-9)
    assert stationary.neighbour_correlation(1e-4) == pytest.approx(1, abs=1e-4)


def test_dependence_bias_bound_against_quadrature() -> None:
    """d = 2: any change makes both coordinates independent, so the bias is ||N(0, I) - N(0, R)||_1 times its chance."""
    rho = 0.6
    grid = np.linspace(-8, 8, 801)
    x, y = np.meshgrid(grid, grid)
    joint = stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]]).pdf(np.dstack([x, y]))
    gap = np.abs(joint - stats.norm.pdf(x) * stats.norm.pdf(y))
    exact = float(integrate.trapezoid(integrate.trapezoid(gap, grid, axis=1), grid))
    assert exact <= stationary.dependence_bias_bound(rho, 0.5, 2) <= 1.5 * exact
    assert stationary.dependence_bias_bound(rho, 0.25, 2) == pytest.approx(
        float(stationary.dependence_bias_bound(rho, 0.5, 2)) / 2
    )
    assert stationary.dependence_divergence(rho, 2, 2) == pytest.approx(-math.log(1 - rho * rho) / 2)
    assert np.all(stationary.dependence_bias_bound(0.0, np.linspace(0, 1, 5), 6) == 0)
    assert np.all(np.diff(stationary.dependence_bias_bound(rho, np.linspace(0, 1, 13), 6)) >= 0)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: stationary.preserving_correlation(2.1), "tau"),
        (lambda: stationary.kept_probability(1, 1.5, 3), "degree"),
        (lambda: stationary.degree_of_tau(1.9, neighbour_width=0.2), "tau"),
        (lambda: stationary.neighbour_correlation(0.0), "neighbour_width"),
        (lambda: stationary.dependence_divergence(1.0, 1, 3), "correlation"),
        (lambda: stationary.chi_square_replacement(1, 0.5, 3, 0.5), "vocabulary"),
        (lambda: stationary.deviation_sharp(10, 0.0, 2), "tau"),
    ],
)
def test_bad_numbers_are_named(call, name: str) -> None:
    with pytest.raises(InputError, match=name):
        call()
