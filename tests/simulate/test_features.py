"""Random features approximate their kernel; Gram matrices, ridge systems and predictions side by side."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from simulate.features import draw_features, fit_ridge, fourier_features, gram, normal_equations, predict
from tests.simulate.students.worlds import rngs

CPU = torch.device("cpu")


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


def test_normal_equations_do_not_depend_on_how_rows_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 rows are taken in two goes; their ridge is that of the dense system."""
    rng = np.random.default_rng(6)
    x = torch.from_numpy(rng.standard_normal((1, 20_000, 2), dtype=np.float32))
    target, weight = torch.sin(x[..., 0]), torch.from_numpy(rng.random(20_000, dtype=np.float32))
    drawn = draw_features(rngs(1), 2, 24, 0.5, CPU)
    gram_BDD, moment_BD = normal_equations(x, target, weight, *drawn)
    phi = fourier_features(x, *drawn)[0].double()
    dense = (phi * weight.double()[:, None]).T @ phi / len(phi)
    np.testing.assert_allclose(gram_BDD[0].tril(), dense.tril(), atol=1e-5)
    expected = torch.linalg.solve(
        dense + 1e-2 * torch.eye(24), (phi * weight[:, None]).T @ target[0].double() / len(phi)
    )
    np.testing.assert_allclose(fit_ridge(x, target, weight, *drawn, penalty=1e-2)[0], expected, atol=1e-3)
    assert moment_BD.shape == (1, 24)


def test_predictions_side_by_side_are_each_students_own() -> None:
    rng = np.random.default_rng(7)
    c, phi = (torch.from_numpy(rng.standard_normal(shape)) for shape in ((3, 2, 4, 8), (2, 5, 8)))
    found = predict(c, phi)
    assert found.shape == (3, 2, 4, 5)
    for k, r, t in ((0, 0, 0), (2, 1, 3), (1, 0, 2)):
        torch.testing.assert_close(found[k, r, t], phi[r] @ c[k, r, t])
