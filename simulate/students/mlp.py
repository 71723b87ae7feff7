"""A small network (one hidden ReLU layer, squared loss) trained by Adam, all students in one batched computation.

The gradient is written out: on batches this small, automatic differentiation costs more than the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from simulate.supervision import Examples

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # Kingma and Ba 2015


@dataclass(frozen=True, kw_only=True)
class Network:
    """B networks side by side in one array of parameters, value_BP, with views of its parts.

    Points carry a last coordinate 1, so hidden_BeH (e = d + 1) holds the offsets too; out_BH1 and shift_B11 follow.
    """

    value_BP: Tensor
    hidden_BeH: Tensor
    out_BH1: Tensor
    shift_B11: Tensor

    @classmethod
    def of(cls, value_BP: Tensor, inputs: int, hidden: int) -> Network:
        """Views of `value_BP` (B, inputs * hidden + hidden + 1)."""
        split = inputs * hidden
        return cls(
            value_BP=value_BP,
            hidden_BeH=value_BP[:, :split].view(-1, inputs, hidden),
            out_BH1=value_BP[:, split : split + hidden, None],
            shift_B11=value_BP[:, split + hidden :, None],
        )

    def __call__(self, x_BNe: Tensor) -> Tensor:
        """Outputs (B, N); one half is added, so that a network that says nothing predicts one half."""
        return torch.baddbmm(self.shift_B11, (x_BNe @ self.hidden_BeH).relu_(), self.out_BH1)[..., 0] + 0.5

    def gradient(self, into: Network, x_BNe: Tensor, target_BN: Tensor, weight_BN: Tensor) -> None:
        """Write the gradient of the mean of weight (output - target)^2 into the views of `into`."""
        active_BNH = (x_BNe @ self.hidden_BeH).relu_()
        output_BN = torch.baddbmm(self.shift_B11, active_BNH, self.out_BH1)[..., 0] + 0.5
        slope_BN1 = (weight_BN * (output_BN - target_BN)).mul_(2 / target_BN.shape[1])[..., None]
        into.shift_B11.copy_(slope_BN1.sum(1, keepdim=True))
        into.out_BH1.copy_(active_BNH.transpose(1, 2) @ slope_BN1)
        back_BNH = torch.ops.aten.threshold_backward(slope_BN1 * self.out_BH1.transpose(1, 2), active_BNH, 0)
        into.hidden_BeH.copy_(x_BNe.transpose(1, 2) @ back_BNH)


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

    Offline, `steps` batches go through the examples epoch by epoch; online, every example is seen once and the steps
    are as many as that takes.
    """
    size = examples.x_RTMd.shape[2]
    count = max(1, size // min(batch_size, size)) if online else steps
    return fit_at(
        examples, test_RQd, rngs, hidden=hidden, learning_rate=learning_rate, batch_size=batch_size, at=(count,)
    )[0]


def fit_at(
    examples: Examples,
    test_RQd: Tensor,
    rngs: Sequence[np.random.Generator],
    *,
    hidden: int,
    learning_rate: float,
    batch_size: int,
    at: Sequence[int],
) -> Tensor:
    """Predictions (S, R, T, Q), clipped to [0, 1], after each of the increasing numbers of steps `at` of one training.

    A replicate's initial weights and the order of its examples are the same for all tau.
    """
    replicates, taus, size, dimension = examples.x_RTMd.shape
    device = test_RQd.device
    start_BP = _initial(rngs, dimension, hidden).to(device).repeat_interleave(taus, dim=0)
    network = Network.of(start_BP, dimension + 1, hidden)
    gradient = Network.of(torch.zeros_like(start_BP), dimension + 1, hidden)
    mean_BP, square_BP = torch.zeros_like(start_BP), torch.zeros_like(start_BP)
    length = min(batch_size, size)
    owner = torch.arange(replicates, device=device)[:, None]
    # Points, their last coordinate 1 and targets in one array, so that a batch is one gathering of whole rows.
    table_RMTc = (
        torch.cat([_with_one(examples.x_RTMd), examples.target_RTM[..., None]], -1).transpose(1, 2).contiguous()
    )
    snapshots = []
    for step, rows_RN in enumerate(_batches(rngs, size, length, max(at)), start=1):
        rows_RN = rows_RN.to(device)
        batch_BNc = table_RMTc[owner, rows_RN].transpose(1, 2).reshape(replicates * taus, length, dimension + 2)
        weight_BN = examples.weight_M[rows_RN].repeat_interleave(taus, dim=0)
        network.gradient(gradient, batch_BNc[..., :-1], batch_BNc[..., -1], weight_BN)
        mean_BP.lerp_(gradient.value_BP, 1 - BETA1)
        square_BP.lerp_(gradient.value_BP.square(), 1 - BETA2)
        scale_BP = square_BP.sqrt().div_(math.sqrt(1 - BETA2**step)).add_(EPSILON)
        network.value_BP.addcdiv_(mean_BP, scale_BP, value=-learning_rate / (1 - BETA1**step))
        if step in at:
            predicted = network(_with_one(test_RQd).repeat_interleave(taus, dim=0))
            snapshots.append(torch.clamp(predicted, 0.0, 1.0).reshape(replicates, taus, -1))
    return torch.stack(snapshots)


def _with_one(x: Tensor) -> Tensor:
    return torch.cat([x, torch.ones_like(x[..., :1])], dim=-1)


def _initial(rngs: Sequence[np.random.Generator], dimension: int, hidden: int) -> Tensor:
    """Glorot and Bengio's uniform initialisation (R, P), offsets included, as scikit-learn's MLPRegressor has it."""
    inner, outer = math.sqrt(6 / (dimension + hidden)), math.sqrt(6 / (hidden + 1))
    drawn = [
        np.concatenate([rng.uniform(-inner, inner, (dimension + 1) * hidden), rng.uniform(-outer, outer, hidden + 1)])
        for rng in rngs
    ]
    return torch.from_numpy(np.stack(drawn).astype(np.float32))


def _batches(rngs: Sequence[np.random.Generator], size: int, length: int, count: int) -> Iterator[Tensor]:
    """Rows (R, N) of each step: a fresh permutation every epoch, what does not fill a batch left out."""
    per_epoch = size // length
    order = np.empty((len(rngs), 0), dtype=np.int64)
    for step in range(count):
        at = step % per_epoch
        if at == 0:
            order = np.stack([rng.permutation(size) for rng in rngs])
        yield torch.from_numpy(order[:, at * length : (at + 1) * length])
