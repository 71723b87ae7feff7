"""One block of replicates of one family of cells: data, teacher, augmentation, students and what is measured.

Generate, supervise, fit, measure (section 4.2). All tau of the family are fitted together from the same originals,
displacements, teacher, random features and test points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from simulate.experiment_config import ExperimentConfig, Family
from simulate.imperfect_teacher import build_teacher
from simulate.kernel import unit_displacement
from simulate.seeds import streams
from simulate.students.registry import build_student
from simulate.supervision import loss_weights, supervise
from simulate.truth import build_truth

MEASURES = ("error", "squared_error", "misclassification", "teacher_error", "teacher_error_original", "teacher_sup")


@dataclass(frozen=True, kw_only=True)
class World:
    """What replicates of one family see, before tau enters: R replicates, n originals, m displacements, Q test points.

    original_Rnd, label_Rn (0 or 1), displacement_Rmd (variance 1), parent_m, test_RQd.
    """

    original_Rnd: Tensor
    label_Rn: Tensor
    displacement_Rmd: Tensor
    parent_m: Tensor
    test_RQd: Tensor

    def augmented(self, taus: Sequence[float]) -> Tensor:
        """x' = x + sqrt(tau) z, shape (R, T, m, d)."""
        root = torch.tensor([math.sqrt(tau) for tau in taus], device=self.original_Rnd.device)
        parents = self.original_Rnd[:, None, self.parent_m]
        return parents + root[None, :, None, None] * self.displacement_Rmd[:, None]


def generate(config: ExperimentConfig, family: Family, replicates: Sequence[int]) -> World:
    """Draw the world of these replicates; every original gets as many augmented examples as any other, give or take 1.

    The first k augmented examples do not depend on how many are drawn, so amounts are nested.
    """
    device, dimension, size = torch.device(config.device), family.dimension, family.data_size
    truth, augmented_size = build_truth(family.truth), family.examples(config.online_size)
    address = (config.seed, dimension, size, replicates)
    original, uniform = [], []
    for rng in streams(*address, "data"):
        original.append(rng.standard_normal((size, dimension), dtype=np.float32))
        uniform.append(rng.random(size, dtype=np.float32))
    displacement = [
        unit_displacement(
            family.kernel,
            rng,
            augmented_size,
            dimension,
            subspace_dimension=config.subspace_dimension,
            tail_dof=config.tail_dof,
        )
        for rng in streams(*address, "augmentation")
    ]
    test = [rng.standard_normal((config.test_size, dimension), dtype=np.float32) for rng in streams(*address, "test")]
    original_Rnd = torch.from_numpy(np.stack(original)).to(device)
    return World(
        original_Rnd=original_Rnd,
        label_Rn=(torch.from_numpy(np.stack(uniform)).to(device) < truth(original_Rnd)).float(),
        displacement_Rmd=torch.from_numpy(np.stack(displacement)).to(device),
        parent_m=torch.arange(augmented_size, device=device) % size,
        test_RQd=torch.from_numpy(np.stack(test)).to(device),
    )


def simulate_block(config: ExperimentConfig, family: Family, start: int, stop: int) -> dict[str, np.ndarray]:
    """Measures of replicates start .. stop - 1 at every tau: name -> (R, T) array of `MEASURES`.

    error: E|h - f| over fresh points of P; squared_error: E(h - f)^2; misclassification: P(1{h > 1/2} != y), y drawn
    from f. teacher_error: mean |g - f| over the augmented examples; teacher_error_original: over P; teacher_sup:
    largest |g - f| found within the trust radius.
    """
    replicates = range(start, stop)
    address = (config.seed, family.dimension, family.data_size, replicates)
    world = generate(config, family, replicates)
    truth = build_truth(family.truth)
    teacher = build_teacher(
        family.teacher,
        truth,
        streams(*address, "teacher"),
        dimension=family.dimension,
        teacher_epsilon=family.teacher_epsilon,
        trust_radius=family.trust_radius,
        outside=family.outside,
        teacher_size=config.teacher_size,
        device=torch.device(config.device),
    )
    augmented_RTmd = world.augmented(config.tau)
    flat = augmented_RTmd.flatten(1, 2)
    teacher_RTm = teacher(flat).reshape(augmented_RTmd.shape[:-1])
    examples = supervise(
        loss_weights(family.supervision, config.alpha, config.beta, config.gamma),
        original_Rnd=world.original_Rnd,
        label_Rn=world.label_Rn,
        teacher_Rn=teacher(world.original_Rnd),
        augmented_RTmd=augmented_RTmd,
        parent_m=world.parent_m,
        teacher_RTm=teacher_RTm,
    )
    student = build_student(family.student, config.students, online=family.online)
    predicted_RTQ = student(examples, world.test_RQd, streams(*address, "student"))
    gap_RTm = (teacher_RTm - truth(flat).reshape(teacher_RTm.shape)).abs()
    original_gap_RQ = (teacher(world.test_RQd) - truth(world.test_RQd)).abs()
    inside_RTm = torch.linalg.vector_norm(augmented_RTmd, dim=-1) <= family.trust_radius
    measures = _student_errors(predicted_RTQ, truth(world.test_RQd)) | {
        "teacher_error": gap_RTm.mean(-1),
        "teacher_error_original": original_gap_RQ.mean(-1, keepdim=True).expand(-1, len(config.tau)),
        "teacher_sup": torch.where(inside_RTm, gap_RTm, gap_RTm.new_zeros(())).amax(-1),
    }
    arrays = {name: measures[name].double().cpu().numpy() for name in MEASURES}
    if not all(np.isfinite(values).all() for values in arrays.values()):
        raise FloatingPointError("the student diverged: its error is not finite")
    return arrays


def _student_errors(predicted_RTQ: Tensor, truth_RQ: Tensor) -> dict[str, Tensor]:
    truth_R1Q = truth_RQ[:, None]
    gap_RTQ = predicted_RTQ - truth_R1Q
    wrong_RTQ = torch.where(predicted_RTQ > 0.5, 1 - truth_R1Q, truth_R1Q)
    return {
        "error": gap_RTQ.abs().mean(-1),
        "squared_error": gap_RTQ.square().mean(-1),
        "misclassification": wrong_RTQ.mean(-1),
    }
