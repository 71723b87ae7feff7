"""Logistic regression on random Fourier features with soft targets: cross-entropy, all students at once.

The Hessian of the mean cross-entropy is at most a quarter of the (weighted) Gram matrix, with equality at zero
(Boehning and Lindsay 1988). One Cholesky factor of that bound preconditions accelerated gradient steps with adaptive
restart (O'Donoghue and Candes 2015): the first step is Newton's, and no step needs a new factor.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from simulate.features import fitted_values, fourier_features, gram
from simulate.supervision import Examples

STEPS = 100
TOLERANCE = 3e-3


def fit_predict(
    examples: Examples,
    test_RQd: Tensor,
    rngs: Sequence[np.random.Generator],
    *,
    features: int,
    bandwidth: float,
    penalties: Sequence[float],
) -> Tensor:
    """Predictions (K, R, T, Q) of the minimisers of mean w CE(target, sigmoid(phi(x)'c)) + penalty/2 |c|^2."""

    def fit(x_BMd: Tensor, target_BM: Tensor, frequency_BdD: Tensor, phase_B1D: Tensor) -> Tensor:
        phi_BMD = fourier_features(x_BMd, frequency_BdD, phase_B1D)
        return torch.stack([fit_logistic(phi_BMD, target_BM, examples.weight_M, penalty) for penalty in penalties])

    return torch.sigmoid(fitted_values(examples, test_RQd, rngs, fit, features=features, bandwidth=bandwidth))


def fit_logistic(phi_BMD: Tensor, target_BM: Tensor, weight_M: Tensor, penalty: float) -> Tensor:
    """Coefficients (B, D), until a step moves no logit's root mean square by more than 0.003 (or 100 steps)."""
    students, size, width = phi_BMD.shape
    factor_BDD = _factor(phi_BMD, weight_M, penalty)
    scale_M = weight_M / size
    here_BD = phi_BMD.new_zeros(students, width)
    ahead_BD, momentum_B = here_BD.clone(), phi_BMD.new_ones(students)
    phi_BDM = phi_BMD.transpose(1, 2)
    for _ in range(STEPS):
        residual_BM = (torch.sigmoid((ahead_BD[:, None] @ phi_BDM)[:, 0]) - target_BM) * scale_M
        gradient_BD = (residual_BM[:, None] @ phi_BMD)[:, 0] + penalty * ahead_BD
        move_BD = torch.cholesky_solve(gradient_BD.double()[..., None], factor_BDD)[..., 0]
        # Newton decrement: the mean squared change of the logits is at most four times gradient' move.
        decrement_B = (gradient_BD.double() * move_BD).sum(-1)
        next_BD = ahead_BD - move_BD.float()
        restart_B = (gradient_BD * (next_BD - here_BD)).sum(-1) > 0
        momentum_B = torch.where(restart_B, torch.ones_like(momentum_B), momentum_B)
        grown_B = (1 + torch.sqrt(1 + 4 * momentum_B.square())) / 2
        ahead_BD = next_BD + ((momentum_B - 1) / grown_B)[:, None] * (next_BD - here_BD)
        here_BD, momentum_B = next_BD, grown_B
        if bool((4 * decrement_B < TOLERANCE**2).all()):
            break
    return here_BD


def _factor(phi_BMD: Tensor, weight_M: Tensor, penalty: float) -> Tensor:
    """Cholesky factor (B, D, D), double, of a quarter of the weighted Gram matrix plus the penalty."""
    students, size, width = phi_BMD.shape
    bound_BDD = phi_BMD.new_zeros(students, width, width)
    gram(phi_BMD if bool((weight_M == 1).all()) else phi_BMD * weight_M.sqrt()[:, None], bound_BDD)
    system = bound_BDD.double().div_(4 * size)
    system.diagonal(dim1=-2, dim2=-1).add_(penalty)
    factor: Tensor
    factor, info = torch.linalg.cholesky_ex(system)
    if bool((info != 0).any()):
        raise FloatingPointError("logistic system is not positive definite: the penalty is too small for the data")
    return factor
