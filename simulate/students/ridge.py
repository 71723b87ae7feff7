"""Ridge regression on random Fourier features: the squared loss, in closed form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from simulate.features import chunk_length, draw_features, fourier_features, normal_equations, predict, solve_ridge
from simulate.supervision import Examples


def fit_predict(
    examples: Examples,
    test_RQd: Tensor,
    rngs: Sequence[np.random.Generator],
    *,
    features: int,
    bandwidth: float,
    penalties: Sequence[float],
) -> Tensor:
    """Predictions (K, R, T, Q), clipped to [0, 1]. Penalties are against a mean squared error; kernel k(x, x) = 1."""
    replicates, taus, size, dimension = examples.x_RTMd.shape
    frequency_RdD, phase_R1D = draw_features(rngs, dimension, features, bandwidth, test_RQd.device)
    x_BMd = examples.x_RTMd.reshape(-1, size, dimension)
    target_BM = examples.target_RTM.reshape(-1, size) - 0.5
    owner_B = torch.arange(replicates, device=test_RQd.device).repeat_interleave(taus)
    step = chunk_length(size, features, test_RQd.device)
    coefficients = []
    for start in range(0, len(owner_B), step):
        part = slice(start, start + step)
        owner = owner_B[part]
        system = normal_equations(
            x_BMd[part], target_BM[part], examples.weight_M, frequency_RdD[owner], phase_R1D[owner]
        )
        coefficients.append(torch.stack([solve_ridge(*system, penalty) for penalty in penalties]))
    coefficient_KRTD = torch.cat(coefficients, 1).reshape(len(penalties), replicates, taus, features)
    predicted_KRTQ = predict(coefficient_KRTD, fourier_features(test_RQd, frequency_RdD, phase_R1D))
    return torch.clamp(0.5 + predicted_KRTQ, 0.0, 1.0)
