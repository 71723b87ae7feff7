"""Ridge regression on random Fourier features: the squared loss, in closed form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from simulate.features import fitted_values, normal_equations, solve_ridge
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

    def fit(x_BMd: Tensor, target_BM: Tensor, frequency_BdD: Tensor, phase_B1D: Tensor) -> Tensor:
        system = normal_equations(x_BMd, target_BM - 0.5, examples.weight_M, frequency_BdD, phase_B1D)
        return torch.stack([solve_ridge(*system, penalty) for penalty in penalties])

    value_KRTQ = fitted_values(examples, test_RQd, rngs, fit, features=features, bandwidth=bandwidth)
    return torch.clamp(0.5 + value_KRTQ, 0.0, 1.0)
