"""A small network (one hidden ReLU layer, squared loss) trained by Adam, all students in one batched computation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from simulate.supervision import Examples


def fit_predict(
    examples: Examples,
    test_RQd: Tensor,
    rngs: Sequence[np.random.Generator],
    *,
    hidden: int,
    learning_rate: float,
    batch_size: int,
    steps: int,
    online: bool,
) -> Tensor:
    """Predictions (R, T, Q), clipped to [0, 1].

    A replicate's initial weights and the order of its examples are the same for all tau. Offline, `steps` batches go
    through the examples epoch by epoch; online, every example is seen once and the steps are as many as that takes.
    """
    replicates, taus, size, dimension = examples.x_RTMd.shape
    device = test_RQd.device
    parameters = _initial(rngs, taus, dimension, hidden, device)
    optimizer = torch.optim.Adam(parameters, lr=learning_rate, fused=True)
    length = min(batch_size, size)
    count = max(1, size // length) if online else steps
    owner = torch.arange(replicates, device=device)[:, None]
    x_RMTd, target_RMT = examples.x_RTMd.transpose(1, 2), examples.target_RTM.transpose(1, 2)
    for rows_RN in _batches(rngs, size, length, count):
        rows_RN = rows_RN.to(device)
        x_BNd = x_RMTd[owner, rows_RN].transpose(1, 2).reshape(replicates * taus, length, dimension)
        target_BN = target_RMT[owner, rows_RN].transpose(1, 2).reshape(replicates * taus, length)
        weight_BN = examples.weight_M[rows_RN].repeat_interleave(taus, dim=0)
        loss = (weight_BN * (_forward(parameters, x_BNd) + 0.5 - target_BN).square()).mean(-1).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        tests = test_RQd.repeat_interleave(taus, dim=0)
        predicted = _forward(parameters, tests) + 0.5
    return torch.clamp(predicted, 0.0, 1.0).reshape(replicates, taus, -1)


def _forward(parameters: Sequence[Tensor], x_BNd: Tensor) -> Tensor:
    weight_BdH, offset_B1H, out_BH1, shift_B11 = parameters
    return torch.baddbmm(shift_B11, torch.baddbmm(offset_B1H, x_BNd, weight_BdH).relu(), out_BH1)[..., 0]


def _initial(
    rngs: Sequence[np.random.Generator], taus: int, dimension: int, hidden: int, device: torch.device
) -> list[Tensor]:
    """He's initialisation, one draw a replicate: (B, d, H), (B, 1, H), (B, H, 1), (B, 1, 1) with B = R T."""
    shapes = ((dimension, hidden), (1, hidden), (hidden, 1), (1, 1))
    scales = (math.sqrt(2 / dimension), 1.0, math.sqrt(2 / hidden), 0.0)
    drawn = [[rng.standard_normal(shape) * scale for shape, scale in zip(shapes, scales, strict=True)] for rng in rngs]
    return [
        torch.from_numpy(np.stack(part).astype(np.float32)).to(device).repeat_interleave(taus, dim=0).requires_grad_()
        for part in zip(*drawn, strict=True)
    ]


def _batches(rngs: Sequence[np.random.Generator], size: int, length: int, count: int) -> Iterator[Tensor]:
    """Rows (R, N) of each step: a fresh permutation every epoch, what does not fill a batch left out."""
    per_epoch = size // length
    order = np.empty((len(rngs), 0), dtype=np.int64)
    for step in range(count):
        at = step % per_epoch
        if at == 0:
            order = np.stack([rng.permutation(size) for rng in rngs])
        yield torch.from_numpy(order[:, at * length : (at + 1) * length])
