"""The Wasserstein distance on the line against closed forms, and the slow law's derivation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from simulate.studies.smoothed_w2 import _gaussian, far_point, wasserstein2, worst_exponent


def test_shifted_and_scaled_gaussians_have_their_closed_form() -> None:
    one = np.ones(1)
    assert wasserstein2(np.zeros(1), one, np.full(1, 0.3), one, 0.5) == pytest.approx(0.3, rel=1e-3)


def test_two_mixtures_against_sorted_samples() -> None:
    """W2 of empirical laws is the root mean square of differences of order statistics."""
    rng = np.random.default_rng(0)
    centres, a, b = np.array([0.0, 2.0]), np.array([0.7, 0.3]), np.array([0.5, 0.5])

    def quantiles(weight: np.ndarray) -> np.ndarray:
        x = centres[rng.choice(2, 400_000, p=weight)] + math.sqrt(0.2) * rng.standard_normal(400_000)
        return np.sort(x)

    sampled = math.sqrt(float(((quantiles(a) - quantiles(b)) ** 2).mean()))
    assert wasserstein2(centres, a, centres, b, 0.2) == pytest.approx(sampled, rel=0.02)


def test_a_smoothed_sample_against_order_statistics() -> None:
    rng = np.random.default_rng(1)
    found = _gaussian(np.random.default_rng(2), 40, 0.25)
    x = np.random.default_rng(2).standard_normal(40)
    sample = np.sort(rng.choice(x, 400_000) + 0.5 * rng.standard_normal(400_000))
    quantile = stats.norm.ppf((np.arange(400_000) + 0.5) / 400_000) * math.sqrt(1.25)
    assert found == pytest.approx(math.sqrt(float(((sample - quantile) ** 2).mean())), rel=0.02)


@pytest.mark.parametrize("tau", [0.04, 0.25, 0.8])
def test_the_far_point_is_where_fluctuation_meets_the_density_between(tau: float) -> None:
    """At h both sides are equal: sqrt(p/n) = e^(-x^2/2tau) at the density's lowest point; W2 then goes as n^-e."""
    n = 1e6
    h, p = far_point(int(n), tau)
    lowest = h * (1 + tau) / 2  # where e^(-x^2/2tau) = p e^(-(x-h)^2/2tau)
    assert -(lowest**2) / (2 * tau) == pytest.approx(-((h - lowest) ** 2) / (2 * tau) + math.log(p))
    assert math.log(math.sqrt(p / n)) == pytest.approx(-(lowest**2) / (2 * tau))
    assert math.log(math.sqrt(p / n)) / 2 / math.log(n) == pytest.approx(worst_exponent(tau))  # W2^2 ~ sqrt(p/n)
    assert worst_exponent(1.0) == worst_exponent(3.0) == -0.5
