"""The calculation of a ridge student's distance against students that are fitted."""

from __future__ import annotations

import numpy as np
import pytest

from theory.errors import InputError
from theory.excess_distance import Pool, excess_distance, fit_ridge_copies

D, K = 40, 6


def world(seed: int, count: int, tau: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Originals' features (N, D), copies' (N, K, D) and the teacher's answers on copies (N, K, 2), x in R^3."""
    rng = np.random.default_rng(7)
    frequency, phase = rng.standard_normal((3, D)), rng.uniform(0, 2 * np.pi, D)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, 3))
    copies = x[:, None] + np.sqrt(tau) * rng.standard_normal((count, K, 3))

    def features(points: np.ndarray) -> np.ndarray:
        return np.sqrt(2 / D) * np.cos(points @ frequency + phase)

    return features(x), features(copies), answers(copies)


def answers(points: np.ndarray) -> np.ndarray:
    return np.stack([np.tanh(2 * points[..., 0]), np.sin(2 * points.sum(-1))], axis=-1)


@pytest.mark.parametrize(("n", "tau", "penalty"), [(60, 0.02, 1e-3), (60, 0.5, 1e-2), (300, 0.1, 1e-4)])
def test_the_calculation_is_near_the_mean_of_fitted_students(n: int, tau: float, penalty: float) -> None:
    """40 students of n texts against the prediction: within 12 %; at n = 15 < D it is 35 % too low (not tested)."""
    rng = np.random.default_rng(0)
    x = np.random.default_rng(9).standard_normal((2000, 3))
    plain, copies, told = world(1, 3000, tau)
    held, _, _ = world(9, 2000, 0.0)
    g = answers(x)
    predicted = excess_distance(Pool.of(copies, told), held, g, data_size=n, penalty=penalty)
    found = []
    for _ in range(40):
        mine = rng.choice(len(plain), n, replace=False)
        fitted = fit_ridge_copies(copies[mine], told[mine], penalty=penalty)
        found.append(np.square(held @ fitted - g).mean(0).sum())
    assert predicted.total == pytest.approx(np.mean(found), rel=0.12)
    assert predicted.variance > 0 and predicted.effective_penalty > penalty


def test_many_texts_leave_the_bias_alone() -> None:
    _, copies, told = world(1, 1500, 0.1)
    held, _, _ = world(9, 500, 0.0)
    g = answers(np.random.default_rng(9).standard_normal((500, 3)))
    found = excess_distance(Pool.of(copies, told), held, g, data_size=1e9, penalty=1e-2)
    everything = fit_ridge_copies(copies, told, penalty=1e-2)
    assert found.bias == pytest.approx(np.square(held @ everything - g).mean(0).sum(), rel=1e-9)
    assert abs(found.shrinkage) + found.variance < 1e-5 and found.effective_penalty == pytest.approx(1e-2, rel=1e-5)


def test_linear_gaussian_regression_has_its_known_variance() -> None:
    """No copies' spread, hardly any penalty, n > D: sigma^2 D/(n - D), the asymptotic form of s/(n - s - 1)."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((40_000, 1, 10))
    noise = rng.standard_normal((40_000, 1, 1))
    held = rng.standard_normal((4000, 10))
    found = excess_distance(Pool.of(x, noise), held, np.zeros((4000, 1)), data_size=50, penalty=1e-9)
    assert found.variance == pytest.approx(10 / 40, rel=0.03)


def test_bad_numbers_are_named() -> None:
    pool = Pool.of(np.ones((2, 1, 3)), np.ones((2, 1, 1)))
    for name in ("penalty", "data_size"):
        numbers = {"penalty": 1.0, "data_size": 5.0, name: 0.0}
        with pytest.raises(InputError, match=name):
            excess_distance(pool, np.ones((2, 3)), np.ones((2, 1)), **numbers)
    with pytest.raises(InputError, match="features"):
        Pool.of(np.ones((2, 3)), np.ones((2, 1, 1)))
