"""The paper's losses (section 2): hard labels and distances to the teacher, weighed by alpha, beta and gamma.

Every function gives sums over examples; the training loop divides them once by the number of examples of the whole
batch, so that micro-batches and devices change nothing. Shapes: B examples, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from empirical.config import RunConfig


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The weights of section 2 as they act in a run.

    alpha: hard labels against the teacher on original data. beta: the same on augmented data.
    gamma: original against augmented data; 1 where there is no augmented data. mixed: whether copies are mixed into
        the data, so that every example weighs the same and gamma is what the originals' share makes it.
    """

    alpha: float
    beta: float
    gamma: float
    mixed: bool = False

    @classmethod
    def of(cls, config: RunConfig) -> Weights:
        """Fine-tuning is alpha = beta = 1 (with y' = y); without augmented data only L_KD counts."""
        augment = config.augment
        gamma, mixed = config.train.gamma if augment is not None else 1.0, False
        if augment is not None and augment.mixing == "mixed":
            gamma, mixed = 1 / (1 + (augment.copies or 0)), True
        if config.mode == "finetune":
            return cls(alpha=1.0, beta=1.0, gamma=gamma, mixed=mixed)
        return cls(alpha=config.train.alpha, beta=config.train.beta, gamma=gamma, mixed=mixed)

    def shares(self, original: int, augmented: int) -> tuple[float, float]:
        """The weights of the means over a batch's original and augmented examples, of which there are so many."""
        if self.mixed:
            return original / (original + augmented), augmented / (original + augmented)
        return self.gamma, 1 - self.gamma


def distance(student_BC: Tensor, teacher_BC: Tensor, kind: str, temperature: float = 1.0) -> Tensor:
    """Distance(f_g(x), f_t(x)) of every example, shape (B,).

    kind: `mse`, the mean over classes of the squared difference of logits; `mse-probability`, that of the softmax of
        both; `kl`, KL(teacher || student) of the softened distributions; `ce`, their cross-entropy. Both of the latter
        are multiplied by temperature**2, so that gradients keep their size as the temperature changes (Hinton et al.).

    The paper sets the mean square error without saying of which outputs, and speaks of label distributions elsewhere
    (sections 2 and 7): logits, the presets' choice, are our assumption, probabilities the other reading.
    """
    if kind == "mse":
        return (student_BC - teacher_BC).square().mean(dim=1)
    if kind == "mse-probability":
        return (F.softmax(student_BC, dim=1) - F.softmax(teacher_BC, dim=1)).square().mean(dim=1)
    log_q_BC = F.log_softmax(student_BC / temperature, dim=1)
    log_p_BC = F.log_softmax(teacher_BC / temperature, dim=1)
    p_BC = log_p_BC.exp()
    cross_B = -(p_BC * log_q_BC).sum(dim=1)
    entropy_B = -(p_BC * log_p_BC).sum(dim=1)
    return temperature**2 * (cross_B - entropy_B if kind == "kl" else cross_B)


def half_loss(
    student_BC: Tensor,
    label_B: Tensor,
    teacher_BC: Tensor | None,
    weight: float,
    kind: str = "mse",
    temperature: float = 1.0,
) -> Tensor:
    """Sum over the examples of weight * CE(f_g(x), y) + (1 - weight) * Distance(f_g(x), f_t(x)), a scalar.

    It is L_KD of section 2 with weight alpha, and L'_KD with weight beta. A part whose weight is zero is not computed;
    `teacher_BC` may be None if weight is 1.
    """
    loss = student_BC.new_zeros(())
    if weight > 0:
        loss = loss + weight * F.cross_entropy(student_BC, label_B, reduction="sum")
    if weight < 1:
        assert teacher_BC is not None, "a distance needs the teacher's logits"
        loss = loss + (1 - weight) * distance(student_BC, teacher_BC, kind, temperature).sum()
    return loss
