"""k nearest neighbours: the weighted mean target of the k closest examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from simulate.supervision import Examples

TILE_BYTES = 64 << 20


def fit_predict(
    examples: Examples, test_RQd: Tensor, rngs: Sequence[np.random.Generator], *, neighbours: int
) -> Tensor:
    """Predictions (R, T, Q); all examples count where there are fewer than `neighbours`."""
    replicates, taus, size, _ = examples.x_RTMd.shape
    count = min(neighbours, size)
    rows = max(1, TILE_BYTES // (4 * size))
    predicted = test_RQd.new_empty(replicates, taus, test_RQd.shape[1])
    for replicate in range(replicates):
        for tau in range(taus):
            x_Md, target_M = examples.x_RTMd[replicate, tau], examples.target_RTM[replicate, tau]
            half_M = x_Md.square().sum(-1) / 2
            for start in range(0, test_RQd.shape[1], rows):
                part = slice(start, start + rows)
                # |q - x|^2 / 2 without |q|^2, which is the same for all examples.
                nearness = test_RQd[replicate, part] @ x_Md.T - half_M
                nearest = nearness.topk(count, dim=1, sorted=False).indices
                weight = examples.weight_M[nearest]
                predicted[replicate, tau, part] = (weight * target_M[nearest]).sum(1) / weight.sum(1)
    return torch.clamp(predicted, 0.0, 1.0)
