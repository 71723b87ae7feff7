"""Students against closed forms, scikit-learn and each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor

from simulate.features import draw_features, fourier_features, gram
from simulate.students.logistic import fit_logistic
from simulate.students.mlp import Network
from simulate.students.registry import STUDENTS, StudentConfig, build_student
from simulate.supervision import Examples
from theory.errors import InputError

CPU = torch.device("cpu")
CONFIG = StudentConfig(features=32, steps=400, penalty=1e-3)


def examples(replicates: int = 2, taus: int = 3, size: int = 200, seed: int = 0, weighted: bool = False) -> Examples:
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.standard_normal((replicates, taus, size, 2), dtype=np.float32))
    target = torch.sigmoid(3 * x[..., 0]) * 0.9
    weight = torch.from_numpy(rng.random(size, dtype=np.float32)) if weighted else torch.ones(size)
    return Examples(x_RTMd=x, target_RTM=target, weight_M=weight / weight.mean())


def rngs(count: int = 2) -> list[np.random.Generator]:
    return [np.random.default_rng([7, r]) for r in range(count)]


TESTS = torch.from_numpy(np.random.default_rng(3).standard_normal((2, 150, 2), dtype=np.float32))


@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize("weighted", [False, True])
def test_every_student_learns_an_easy_truth(name: str, weighted: bool) -> None:
    predicted = build_student(name, CONFIG)(examples(weighted=weighted), TESTS, rngs())
    assert predicted.shape == (2, 3, 150) and 0 <= float(predicted.min()) and float(predicted.max()) <= 1
    truth = torch.sigmoid(3 * TESTS[..., 0]) * 0.9
    assert float((predicted - truth[:, None]).abs().mean()) < 0.12


@pytest.mark.parametrize("name", STUDENTS)
def test_fitting_together_equals_fitting_alone(name: str) -> None:
    """A batch of replicates and tau gives what each of them gives by itself."""
    together = build_student(name, CONFIG)(examples(), TESTS, rngs())
    data = examples()
    alone = Examples(x_RTMd=data.x_RTMd[1:, 2:], target_RTM=data.target_RTM[1:, 2:], weight_M=data.weight_M)
    one = build_student(name, CONFIG)(alone, TESTS[1:], rngs()[1:])
    np.testing.assert_allclose(together[1, 2], one[0, 0], atol=2e-3)


@pytest.mark.parametrize("name", STUDENTS)
def test_a_student_depends_on_its_weights(name: str) -> None:
    plain, weighted = (build_student(name, CONFIG)(examples(weighted=w), TESTS, rngs()) for w in (False, True))
    assert float((plain - weighted).abs().max()) > 1e-4


def test_an_unknown_student_is_named() -> None:
    with pytest.raises(InputError, match="nearest: ridge"):
        build_student("rigde", CONFIG)


def test_ridge_equals_scikit_learn() -> None:
    data = examples(weighted=True)
    predicted = build_student("ridge", CONFIG)(data, TESTS, rngs())
    frequency, phase = draw_features(rngs(), 2, 32, CONFIG.bandwidth, CPU)
    phi = fourier_features(data.x_RTMd[0, 1:2], frequency[:1], phase[:1])[0].double().numpy()
    rival = Ridge(alpha=1e-3 * 200, fit_intercept=False)
    rival.fit(phi, data.target_RTM[0, 1].numpy() - 0.5, sample_weight=data.weight_M.numpy())
    tests = fourier_features(TESTS[:1], frequency[:1], phase[:1])[0].double().numpy()
    np.testing.assert_allclose(predicted[0, 1], np.clip(0.5 + rival.predict(tests), 0, 1), atol=2e-4)


def test_features_approximate_the_gaussian_kernel() -> None:
    """phi(x)'phi(x') against exp(-|x - x'|^2 / 2 h^2) with h = bandwidth sqrt(2d): error of order D^(-1/2)."""
    frequency, phase = draw_features(rngs(1), 3, 20_000, 0.5, CPU)
    x = torch.from_numpy(np.random.default_rng(4).standard_normal((1, 20, 3), dtype=np.float32))
    phi = fourier_features(x, frequency, phase)[0]
    exact = torch.exp(-torch.cdist(x[0], x[0]).square() / (2 * 0.25 * 6))
    assert float((phi @ phi.T - exact).abs().max()) < 6 / math.sqrt(20_000)


@pytest.mark.parametrize("rows, width", [(600, 32), (600, 30), (100, 32)])
def test_gram_fills_the_lower_triangle(rows: int, width: int) -> None:
    features = torch.from_numpy(np.random.default_rng(5).standard_normal((2, rows, width), dtype=np.float32))
    out = torch.zeros(2, width, width)
    gram(features, out)
    np.testing.assert_allclose(out.tril(), (features.transpose(1, 2) @ features).tril(), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("penalty", [1e-2, 1e-4])
def test_logistic_finds_the_minimum(penalty: float) -> None:
    """Against L-BFGS in double precision on the same loss."""
    rng = np.random.default_rng(6)
    phi, weight = rng.standard_normal((300, 10)) / 3, rng.random(300) * 2
    target = 1 / (1 + np.exp(-phi @ rng.standard_normal(10) * 6))

    def loss(c: np.ndarray) -> float:
        logit = phi @ c
        return float(np.mean(weight * (np.logaddexp(0, logit) - target * logit)) + penalty / 2 * c @ c)

    best = minimize(loss, np.zeros(10), method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9}).x
    as_tensor = [torch.from_numpy(a[None].astype(np.float32)) for a in (phi, target)]
    found = fit_logistic(*as_tensor, torch.from_numpy(weight.astype(np.float32)), penalty)[0].double().numpy()
    assert loss(found) - loss(best) < 5e-6
    np.testing.assert_allclose(phi @ found, phi @ best, atol=0.05)


def test_knn_equals_scikit_learn() -> None:
    data = examples()
    predicted = build_student("knn", CONFIG)(data, TESTS, rngs())
    rival = KNeighborsRegressor(n_neighbors=CONFIG.neighbours).fit(data.x_RTMd[1, 2], data.target_RTM[1, 2])
    np.testing.assert_allclose(predicted[1, 2], rival.predict(TESTS[1]), atol=1e-5)
    few = Examples(x_RTMd=data.x_RTMd[:, :, :4], target_RTM=data.target_RTM[:, :, :4], weight_M=torch.ones(4))
    everything = build_student("knn", CONFIG)(few, TESTS, rngs())
    np.testing.assert_allclose(everything[0, 0], few.target_RTM[0, 0].mean().expand(150), atol=1e-6)


def test_mlp_gradient_equals_automatic_differentiation() -> None:
    rng = np.random.default_rng(8)
    value, x, target, weight = (
        torch.from_numpy(rng.standard_normal(shape)) for shape in ((3, 4 * 6 + 6 + 1), (3, 10, 4), (3, 10), (3, 10))
    )
    value.requires_grad_()
    (weight * (Network.of(value, 4, 6)(x) - target).square()).mean(-1).sum().backward()
    found = Network.of(torch.zeros(3, 31, dtype=torch.float64), 4, 6)
    with torch.no_grad():
        Network.of(value, 4, 6).gradient(found, x, target, weight)
    torch.testing.assert_close(found.value_BP, value.grad)


def test_online_mlp_sees_every_example_once() -> None:
    """Half of the examples have another target: were some left out or repeated, the constant would be another."""
    size = 4096
    x = torch.zeros(1, 1, size, 2)
    target = (torch.arange(size) % 4 == 0).float()[None, None]
    data = Examples(x_RTMd=x, target_RTM=target, weight_M=torch.ones(size))
    config = StudentConfig(learning_rate=3e-3, batch_size=64)
    predicted = build_student("mlp", config, online=True)(data, TESTS[:1, :1] * 0, rngs(1))
    assert float(predicted[0, 0, 0]) == pytest.approx(0.25, abs=0.08)
