"""A static student: the mean of frozen input embeddings and a small network, many of them in one batch of products.

Students of a stack share nothing but the clock: each has its own weights, batches, best step.
`kdshift empirical curves` trains thousands.
Shapes: S students, N texts, B texts of a batch, V validation texts, D width of the input, H hidden units, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from empirical.tokens.corpus import Corpus

HIDDEN = 64
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.01
LOOKS = 20  # looks at validation along the training, the best of which is kept


def mean_embeddings(
    corpus: Corpus, index_N: NDArray[np.integer], embeddings_VD: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The mean of the input embeddings of each text's tokens, start and end included; float32 of shape (N, D)."""
    batch = corpus.batch(index_N)
    row_T = np.nonzero(batch.mask_BL)[0]
    share_T = (1 / batch.mask_BL.sum(axis=1))[row_T].astype(np.float32)
    shape = (len(index_N), len(embeddings_VD))
    mixture = sparse.csr_matrix((share_T, (row_T, batch.ids_BL[batch.mask_BL])), shape=shape)
    return np.asarray(mixture @ embeddings_VD, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Half:
    """One half of a step's loss: which texts, what they should be, how much it counts.

    row: function from a step to texts, int64 tensor of shape (S, B): rows of `x`.
    x: inputs of all texts, (N, D). target: the teacher's logits, (N, C). label: labels, (N,).
    alpha: weight of the labels against the teacher. share: weight of this half.
    """

    row: Callable[[int], Tensor]
    x: Tensor
    target: Tensor
    label: Tensor
    alpha: float
    share: float


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Trained students, each at its best step on validation.

    w1, b1, w2, b2: weights of shape (S, D, H), (S, 1, H), (S, H, C), (S, 1, C).
    step: the step of each, int array of shape (S,). loss: validation loss there. last: whether it was the last look.
    """

    w1: Tensor
    b1: Tensor
    w2: Tensor
    b2: Tensor
    step: NDArray[np.int64]
    loss: NDArray[np.float64]
    last: NDArray[np.bool_]

    def logits(self, x_ND: Tensor) -> Tensor:
        """Logits of the same texts by every student, shape (S, N, C)."""
        with torch.inference_mode():
            return forward(x_ND.expand(len(self.w1), -1, -1), (self.w1, self.b1, self.w2, self.b2))


def forward(x_SBD: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
    """Logits of every student on its own texts, shape (S, B, C)."""
    w1, b1, w2, b2 = weights
    return torch.baddbmm(b2, torch.relu(torch.baddbmm(b1, x_SBD, w1)), w2)


def initial(seeds: list[int], width: int, classes: int, hidden: int = HIDDEN) -> tuple[Tensor, ...]:
    """Fresh weights, one student a seed, shapes (S, rows, columns): PyTorch's own uniform law of linear layers."""
    parts: list[list[Tensor]] = [[], [], [], []]
    for seed in seeds:
        rng = torch.Generator().manual_seed(seed)
        for place, (rows, columns, fan) in enumerate(
            ((width, hidden, width), (1, hidden, width), (hidden, classes, hidden), (1, classes, hidden))
        ):
            bound = 1 / math.sqrt(fan)
            parts[place].append((2 * torch.rand(rows, columns, generator=rng) - 1) * bound)
    return tuple(torch.stack(part) for part in parts)


def half_losses(half: Half, step: int, weights: tuple[Tensor, ...]) -> Tensor:
    """share * (alpha * CE + (1 - alpha) * squared distance of logits), the mean over texts of each student, (S,)."""
    row_SB = half.row(step)
    output_SBC = forward(half.x[row_SB], weights)
    loss_S = output_SBC.new_zeros(len(row_SB))
    if half.alpha < 1:
        loss_S = loss_S + (1 - half.alpha) * (output_SBC - half.target[row_SB]).square().mean(dim=(1, 2))
    if half.alpha > 0:
        label_SB = half.label[row_SB]
        ce = F.cross_entropy(output_SBC.flatten(0, 1), label_SB.flatten(), reduction="none")
        loss_S = loss_S + half.alpha * ce.view(label_SB.shape).mean(dim=1)
    return half.share * loss_S


def train_stack(
    weights: tuple[Tensor, ...],
    halves: list[Half],
    validate: Callable[[Tensor], Tensor],
    x_validation: Tensor,
    *,
    steps: int,
    learning_rate: float = LEARNING_RATE,
) -> Stack:
    """Train S students side by side by AdamW with a rate that falls to zero; each keeps its best look at validation.

    weights: fresh ones of `initial`. validate: function from logits (S, V, C) to the criterion (S,), least is best.
    """
    parameters = tuple(weight.clone().requires_grad_() for weight in weights)
    optimizer = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=WEIGHT_DECAY, fused=True)
    students = len(parameters[0])
    best = tuple(weight.clone() for weight in weights)
    best_loss, best_step = torch.full((students,), torch.inf), torch.zeros(students, dtype=torch.int64)
    every = max(1, steps // LOOKS)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * (1 - step / steps)
        loss = torch.stack([half_losses(half, step, parameters).sum() for half in halves]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % every == 0 or step + 1 == steps:
            with torch.inference_mode():
                found = validate(forward(x_validation.expand(students, -1, -1), parameters))
            better = (found < best_loss).clone()
            best_loss[better], best_step[better] = found[better].clone(), step + 1
            for kept, weight in zip(best, parameters, strict=True):
                kept[better] = weight.detach()[better]
    return Stack(
        w1=best[0],
        b1=best[1],
        w2=best[2],
        b2=best[3],
        step=best_step.numpy(),
        loss=best_loss.double().numpy(),
        last=(best_step == steps).numpy(),
    )
