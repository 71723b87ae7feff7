"""Random Fourier features approximate the Gaussian kernel; Gram matrices are filled where they are read."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from simulate.features import draw_features, fourier_features, gram

CPU = torch.device("cpu")


def rngs(count: int = 2) -> list[np.random.Generator]:
    return [np.random.default_rng([7, r]) for r in range(count)]


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
