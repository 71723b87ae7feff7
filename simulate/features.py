"""Random Fourier features and ridge regression on them for many students at once, within a stated memory.

A student's features (M, D) are made, used for its normal equations and dropped before the next one's are made: on a
CPU a chunk stays in the cache, on a GPU a chunk fills the device. Features, products and sums are in single precision:
entries of the mean Gram matrix are about 1/D and wrong by less than 1e-6 of that, far below any penalty in use. The
small systems are solved in double.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from simulate.supervision import Examples

CHUNK_BYTES = {"cpu": 4 << 20, "cuda": 2 << 30}
GRAM_BLOCKS = 4


def draw_features(
    rngs: Sequence[np.random.Generator], dimension: int, width: int, bandwidth: float, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Frequencies (R, d, D) and phases (R, 1, D), one draw a generator.

    The kernel's bandwidth is `bandwidth` times sqrt(2d), which is nearly the median distance of two points of N(0, I).
    """
    frequency = np.stack([rng.standard_normal((dimension, width), dtype=np.float32) for rng in rngs])
    phase = np.stack([rng.random((1, width), dtype=np.float32) for rng in rngs]) * np.float32(2 * np.pi)
    scale = bandwidth * math.sqrt(2.0 * dimension)
    return (torch.from_numpy(frequency) / scale).to(device), torch.from_numpy(phase).to(device)


def fourier_features(x_BMd: Tensor, frequency_BdD: Tensor, phase_B1D: Tensor) -> Tensor:
    """sqrt(2/D) cos(x W + b), shape (B, M, D): inner products approximate exp(-|x - x'|^2 / 2 bandwidth^2)."""
    ones_BM1 = x_BMd.new_ones((*x_BMd.shape[:-1], 1))
    angles = torch.cat([x_BMd, ones_BM1], -1) @ torch.cat([frequency_BdD, phase_B1D], 1)
    return angles.cos_().mul_(math.sqrt(2.0 / phase_B1D.shape[-1]))


def chunk_length(rows: int, columns: int, device: torch.device) -> int:
    """How many (rows, columns) single-precision matrices fit in one chunk; at least one."""
    return max(1, CHUNK_BYTES.get(device.type, CHUNK_BYTES["cpu"]) // (4 * rows * columns))


def gram(features_BMD: Tensor, out_BDD: Tensor) -> None:
    """Add features' features to `out_BDD`, its lower block triangle only: 5/8 of the multiplications."""
    size = features_BMD.shape[-1]
    step = -(-size // GRAM_BLOCKS) if features_BMD.shape[1] >= 512 else size
    turned_BDM = features_BMD.transpose(1, 2)
    for start in range(0, size, step):
        stop = min(start + step, size)
        out_BDD[:, start:stop, :stop] += turned_BDM[:, start:stop] @ features_BMD[:, :, :stop]


def normal_equations(
    x_BMd: Tensor, target_BM: Tensor, weight_M: Tensor, frequency_BdD: Tensor, phase_B1D: Tensor
) -> tuple[Tensor, Tensor]:
    """(1/M) sum w phi phi' (lower triangle, (B, D, D)) and (1/M) sum w phi t (B, D), B students side by side.

    Rows are taken 16384 at a time, so memory does not grow with M.
    """
    students, size, width = x_BMd.shape[0], x_BMd.shape[1], phase_B1D.shape[-1]
    gram_BDD = x_BMd.new_zeros(students, width, width)
    moment_BD = x_BMd.new_zeros(students, width)
    plain = bool((weight_M == 1).all())
    for start in range(0, size, 16384):
        rows = slice(start, start + 16384)
        features = fourier_features(x_BMd[:, rows], frequency_BdD, phase_B1D)
        if not plain:
            features.mul_(weight_M[rows].sqrt()[None, :, None])
        target = target_BM[:, rows] if plain else target_BM[:, rows] * weight_M[rows].sqrt()
        gram(features, gram_BDD)
        moment_BD += (target[:, None] @ features)[:, 0]
    return gram_BDD.div_(size), moment_BD.div_(size)


def predict(coefficient_KRTD: Tensor, features_RQD: Tensor) -> Tensor:
    """phi(x)'c of K students for each of R replicates and T taus at the replicate's points, shape (K, R, T, Q)."""
    rows, replicates, taus, width = coefficient_KRTD.shape
    side_by_side = coefficient_KRTD.transpose(0, 1).reshape(replicates, rows * taus, width)
    return (side_by_side @ features_RQD.transpose(1, 2)).reshape(replicates, rows, taus, -1).transpose(0, 1)


def fitted_values(
    examples: Examples,
    test_RQd: Tensor,
    rngs: Sequence[np.random.Generator],
    fit: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor],
    *,
    features: int,
    bandwidth: float,
) -> Tensor:
    """phi(x)'c at the test points, shape (K, R, T, Q), of students that `fit` fits to the examples of R replicates.

    fit: coefficients (K, B, D) from points (B, M, d), targets (B, M), frequencies (B, d, D) and phases (B, 1, D) of as
    many students as a chunk holds.
    """
    replicates, taus, size, dimension = examples.x_RTMd.shape
    frequency_RdD, phase_R1D = draw_features(rngs, dimension, features, bandwidth, test_RQd.device)
    x_BMd = examples.x_RTMd.reshape(-1, size, dimension)
    target_BM = examples.target_RTM.reshape(-1, size)
    owner_B = torch.arange(replicates, device=test_RQd.device).repeat_interleave(taus)
    step = chunk_length(size, features, test_RQd.device)
    parts = []
    for start in range(0, len(owner_B), step):
        part = slice(start, start + step)
        parts.append(fit(x_BMd[part], target_BM[part], frequency_RdD[owner_B[part]], phase_R1D[owner_B[part]]))
    coefficient_KRTD = torch.cat(parts, 1).reshape(-1, replicates, taus, features)
    return predict(coefficient_KRTD, fourier_features(test_RQd, frequency_RdD, phase_R1D))


def solve_ridge(gram_BDD: Tensor, moment_BD: Tensor, penalty: float) -> Tensor:
    """(G + penalty I)^-1 moment, shape (B, D), in double precision; only the lower triangle of G is read."""
    system = gram_BDD.double()
    system.diagonal(dim1=-2, dim2=-1).add_(penalty)
    factor, info = torch.linalg.cholesky_ex(system)
    if bool((info != 0).any()):
        raise FloatingPointError("ridge system is not positive definite: the penalty is too small for the data")
    return torch.cholesky_solve(moment_BD.double()[..., None], factor)[..., 0].to(moment_BD.dtype)


def fit_ridge(
    x_BMd: Tensor, target_BM: Tensor, weight_M: Tensor, frequency_BdD: Tensor, phase_B1D: Tensor, *, penalty: float
) -> Tensor:
    """Coefficients (B, D) that minimise (1/M) sum w (phi(x)'c - target)^2 + penalty |c|^2."""
    return solve_ridge(*normal_equations(x_BMd, target_BM, weight_M, frequency_BdD, phase_B1D), penalty)
