"""What the student is told: the teacher's probabilities, copied labels, or the paper's mixture of losses (section 2).

Fine-tuning loss and distance are both proper losses that are linear in the target, so that
gamma [alpha L(h(x), y) + (1 - alpha) D(h(x), g(x))] + (1 - gamma) [beta L(h(x'), y) + (1 - beta) D(h(x'), g(x'))]
is one weighted loss with targets alpha y + (1 - alpha) g(x) on original and beta y + (1 - beta) g(x') on augmented
points. `teacher` is this with section 5's numbers (gamma = alpha = 0: augmented points alone, the setting of section
4.2), `copied_label` the same with alpha = beta = 1 (y' = y). tau = 0 stands for no augmented data: originals alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from theory.errors import InputError, unknown_name

SUPERVISIONS = ("teacher", "copied_label")


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """alpha, beta, gamma of section 2, each in [0, 1]."""

    alpha: float
    beta: float
    gamma: float

    def __post_init__(self) -> None:
        for name in ("alpha", "beta", "gamma"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(name, getattr(self, name), "a number in [0, 1]")


def loss_weights(supervision: str, alpha: float, beta: float, gamma: float) -> LossWeights:
    """The weights that a supervision stands for; copied labels have no teacher, so alpha = beta = 1."""
    if supervision not in SUPERVISIONS:
        raise unknown_name("supervision", supervision, SUPERVISIONS)
    if supervision == "copied_label":
        alpha = beta = 1.0
    return LossWeights(alpha=alpha, beta=beta, gamma=gamma)


@dataclass(frozen=True, kw_only=True)
class Examples:
    """What students are fitted to: points (R, T, M, d), targets in [0, 1] (R, T, M), weights (M,) with mean 1.

    R replicates, T values of tau, M examples (original ones first where the loss has any, then augmented ones).
    """

    x_RTMd: Tensor
    target_RTM: Tensor
    weight_M: Tensor


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Labelled examples of the population that no student is fitted to: points (R, V, d), labels 0 or 1 (R, V)."""

    x_RVd: Tensor
    label_RV: Tensor


def supervise(
    weights: LossWeights,
    *,
    taus: Sequence[float],
    original_Rnd: Tensor,
    label_Rn: Tensor,
    teacher_Rn: Tensor,
    augmented_RTmd: Tensor,
    parent_Rm: Tensor,
    teacher_RTm: Tensor,
) -> Examples:
    """Targets and weights of the loss above, at every tau.

    Where tau = 0, originals with their own targets stand in the augmented examples' places, in turn (each as often as
    any other, give or take one), so the student sees originals alone. `label_Rn` are the labels y of the originals,
    `parent_Rm` says which original each augmented point came from, `teacher_Rn` and `teacher_RTm` are the teacher's
    probabilities on both.
    """
    copied_RTm = label_Rn.gather(1, parent_Rm)[:, None].expand_as(teacher_RTm)
    target_RTm = weights.beta * copied_RTm + (1 - weights.beta) * teacher_RTm
    target_Rn = weights.alpha * label_Rn + (1 - weights.alpha) * teacher_Rn
    m, n = parent_Rm.shape[1], label_Rn.shape[1]
    if 0.0 in taus:
        none, in_turn = list(taus).index(0.0), torch.arange(m, device=parent_Rm.device) % n
        augmented_RTmd = augmented_RTmd.clone()
        augmented_RTmd[:, none], target_RTm[:, none] = original_Rnd[:, in_turn], target_Rn[:, in_turn]
    if weights.gamma == 0:
        return Examples(x_RTMd=augmented_RTmd, target_RTM=target_RTm, weight_M=target_RTm.new_ones(m))
    count = len(taus)
    share = [torch.full((n,), weights.gamma / n), torch.full((m,), (1 - weights.gamma) / m)]
    return Examples(
        x_RTMd=torch.cat([original_Rnd[:, None].expand(-1, count, -1, -1), augmented_RTmd], dim=2),
        target_RTM=torch.cat([target_Rn[:, None].expand(-1, count, -1), target_RTm], dim=2),
        weight_M=torch.cat(share).to(target_RTm) * (n + m),
    )
