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


@pytest.mark.parametrize(
    ("n", "tau", "penalty"), [(15, 0.1, 1e-3), (60, 0.02, 1e-3), (60, 0.5, 1e-2), (300, 0.1, 1e-4)]
)
def test_the_calculation_is_near_the_mean_of_fitted_students(n: int, tau: float, penalty: float) -> None:
    """40 students of n texts against the prediction, fewer texts than features among them: within 12 %."""
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


def test_originals_may_weigh_more_than_their_copies() -> None:
    """Half of the weight on the original, the rest on two copies; n = 25 below D = 40, where a text's rows overlap."""
    weight = np.array([0.5, 0.25, 0.25])
    plain, copies, told = world(1, 2000, 0.4)
    x = np.random.default_rng(1).standard_normal((2000, 3))
    blocks = np.concatenate([plain[:, None], copies[:, :2]], axis=1)
    said = np.concatenate([answers(x)[:, None], told[:, :2]], axis=1)
    held, _, _ = world(9, 2000, 0.0)
    g = answers(np.random.default_rng(9).standard_normal((2000, 3)))
    predicted = excess_distance(Pool.of(blocks, said, weight), held, g, data_size=25, penalty=1e-3)
    rng, found = np.random.default_rng(0), []
    for _ in range(40):
        mine = rng.choice(2000, 25, replace=False)
        fitted = fit_ridge_copies(blocks[mine], said[mine], penalty=1e-3, weight_K=weight)
        found.append(np.square(held @ fitted - g).mean(0).sum())
    assert predicted.total == pytest.approx(np.mean(found), rel=0.12)


def test_one_copy_is_the_known_effective_penalty() -> None:
    """Without copies T is a number, and penalty / T is the kappa of ridge regression on the covariance alone."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((3000, 1, 30)) * np.geomspace(1, 0.1, 30)
    found = excess_distance(Pool.of(x, x[..., :1]), x[:, 0], x[:, 0, :1], data_size=20, penalty=1e-2)
    values = np.linalg.eigvalsh(x[:, 0].T @ x[:, 0] / len(x))
    kappa = found.effective_penalty
    assert kappa == pytest.approx(1e-2 + kappa / 20 * np.sum(values / (values + kappa)), rel=1e-4)


def test_equal_copies_are_one_text() -> None:
    """A text three times is that text, whatever the weights."""
    plain, _, _ = world(1, 400, 0.1)
    g = answers(np.random.default_rng(1).standard_normal((400, 3)))
    one = Pool.of(plain[:, None], g[:, None])
    three = Pool.of(np.repeat(plain[:, None], 3, 1), np.repeat(g[:, None], 3, 1), np.array([0.5, 0.3, 0.2]))
    told = {"data_size": 30, "penalty": 1e-2}
    first, second = (excess_distance(pool, plain, g, **told) for pool in (one, three))
    for part in ("bias", "shrinkage", "variance", "effective_penalty"):
        assert getattr(first, part) == pytest.approx(getattr(second, part), rel=1e-5, abs=1e-9)


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
    with pytest.raises(InputError, match="weight"):
        Pool.of(np.ones((2, 2, 3)), np.ones((2, 2, 1)), np.array([0.7, 0.7]))
    with pytest.raises(InputError, match="features"):
        Pool.of(np.ones((2, 3)), np.ones((2, 1, 1)))
