"""Clouds that are the same cannot be told apart, clouds that are not can; energy distances by closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from empirical.shift.telling_apart import energy_distance, own_errors, population_l1


def test_proxy_a_distance_of_equal_and_of_separated_clouds():
    rng = np.random.default_rng(0)
    x, same, apart = rng.standard_normal((3, 400, 5))
    errors = own_errors(x, same, 0)
    assert abs(errors.mean() - 0.5) < 0.07
    apart[:, 2] += 20
    assert own_errors(x, apart, 0).mean() == 0
    assert own_errors(x, x, 0).mean() == 0.5


@pytest.mark.parametrize("apart", [0.0, 1.0, 2.0])
def test_population_l1_is_below_and_near_the_truth_for_two_gaussians(apart: float) -> None:
    """N(0, I) against N(apart e_1, I): L1 = 2 (2 Phi(apart/2) - 1); no classifier can be better than that."""
    rng = np.random.default_rng(1)
    mixture, population = rng.standard_normal((2, 2, 1500, 3))
    mixture[..., 0] += apart
    found = population_l1((mixture[0], mixture[1]), (population[0], population[1]), bandwidth=1.5)
    truth = 2 * (2 * norm.cdf(apart / 2) - 1)
    noise = 4 * math.sqrt(2 * 0.25 / 1500)
    assert 0.85 * truth - noise < found < truth + noise


def test_population_l1_sees_the_sample_as_the_theorem_does() -> None:
    """Few originals that hardly move are far from the population; moved further, or more of them, they come nearer."""
    rng = np.random.default_rng(2)
    population = rng.standard_normal((2, 800, 2))

    def far(originals: int, tau: float) -> float:
        centres = np.repeat(rng.standard_normal((originals, 2)), 800 // originals, axis=0)
        first, second = centres + math.sqrt(tau) * rng.standard_normal((2, *centres.shape))
        return population_l1((first, second), (population[0], population[1]), bandwidth=0.3)

    assert far(10, 1e-4) > 1.7 > 1.2 > far(10, 0.3)
    assert far(400, 0.1) < far(20, 0.1)


def folded(mean: np.ndarray, variance: float) -> np.ndarray:
    """E|N(mean, variance)|."""
    sd = math.sqrt(variance)
    return sd * math.sqrt(2 / math.pi) * np.exp(-(mean**2) / (2 * variance)) + mean * (1 - 2 * norm.cdf(-mean / sd))


@pytest.mark.parametrize("tau", [0.05, 0.8])
def test_energy_distance_of_a_mixture_by_its_closed_form(tau: float) -> None:
    """One dimension, six originals: all three expectations are means of folded normals."""
    rng = np.random.default_rng(3)
    centres = rng.standard_normal(6)
    truth = 2 * folded(centres, 1 + tau).mean() - 2 / math.sqrt(math.pi)
    truth -= folded(centres[:, None] - centres[None], 2 * tau).mean()
    points = np.repeat(centres, 400)[:, None]
    found = []
    for _ in range(8):
        first, second = points + math.sqrt(tau) * rng.standard_normal((2, *points.shape))
        found.append(energy_distance((first, second), rng.standard_normal((1500, 1))))
    assert np.mean(found) == pytest.approx(truth, abs=4 * np.std(found, ddof=1) / math.sqrt(8))
    assert np.std(found, ddof=1) < 0.3 * truth
