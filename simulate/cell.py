"""One block of replicates of one family of cells: data, teacher, augmentation, students and what is measured.

Generate, supervise, fit, measure (section 4.2). All tau of the family are fitted together from the same originals,
displacements, teacher, random features and test points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from simulate.experiment_config import ExperimentConfig, Family
from simulate.imperfect_teacher import build_teacher
from simulate.kernel import Moves, correlated, draw_moves, population_norm
from simulate.seeds import streams
from simulate.students.registry import build_student
from simulate.supervision import HeldOut, loss_weights, supervise
from simulate.truth import build_truth

Measures = dict[str, npt.NDArray[np.float64]]
MEASURES = ("error", "squared_error", "misclassification", "teacher_error", "teacher_error_original", "teacher_sup")


@dataclass(frozen=True, kw_only=True)
class World:
    """What replicates of one family see, before tau enters: R replicates, n originals, m moves, Q test points.

    original_Rnd, label_Rn (0 or 1), parent_Rm (which original each augmented point comes from), test_RQd, and V
    labelled points on which a student may choose its penalty.
    """

    original_Rnd: Tensor
    label_Rn: Tensor
    parent_Rm: Tensor
    moves: Moves
    test_RQd: Tensor
    held_out: HeldOut

    def augmented(self, taus: Sequence[float]) -> Tensor:
        """x' of every augmented example at every tau, shape (R, T, m, d); tau = 0 is the original itself."""
        return self.moves.apply(parents_of(self.original_Rnd, self.parent_Rm), taus)


def parents_of(original_Rnd: Tensor, parent_Rm: Tensor) -> Tensor:
    """The original of every augmented example, shape (R, m, d)."""
    return original_Rnd.gather(1, parent_Rm[..., None].expand(-1, -1, original_Rnd.shape[-1]))


def generate(config: ExperimentConfig, family: Family, replicates: Sequence[int]) -> World:
    """Draw the world of these replicates.

    Parents are `iid` as in section 4.2's mixture, or `dealt` (every original gets as many augmented examples as any
    other, give or take 1), which has less variance. The first k augmented examples do not depend on how many are
    drawn, so amounts are nested.
    """
    device, dimension, size = torch.device(config.device), family.dimension, family.data_size
    truth, augmented_size = build_truth(family.truth), family.examples(config.online_size)
    address = (config.seed, dimension, size, replicates)
    original, uniform = [], []
    for rng in streams(*address, "data"):
        original.append(rng.standard_normal((size, dimension), dtype=np.float32))
        uniform.append(rng.random(size, dtype=np.float32))
        original[-1] = correlated(original[-1], rng, config.correlation)
    original_Rnd = torch.from_numpy(np.stack(original)).to(device)
    parent_Rm = (torch.arange(augmented_size, device=device) % size).expand(len(replicates), -1)
    if config.parents == "iid":
        drawn = [rng.integers(0, size, augmented_size) for rng in streams(*address, "parents")]
        parent_Rm = torch.from_numpy(np.stack(drawn)).to(device)
    moves = draw_moves(
        family.kernel,
        streams(*address, "augmentation"),
        parents_of(original_Rnd, parent_Rm),
        config.correlation,
        config.kernel_shape,
    )
    return World(
        original_Rnd=original_Rnd,
        label_Rn=(torch.from_numpy(np.stack(uniform)).to(device) < truth(original_Rnd)).float(),
        parent_Rm=parent_Rm,
        moves=moves,
        test_RQd=torch.from_numpy(_test_points(config, address)).to(device),
        held_out=_held_out(config, family, address),
    )


def _held_out(config: ExperimentConfig, family: Family, address: tuple[int, int, int, Sequence[int]]) -> HeldOut:
    """Fresh labelled points of the population (R, V, d)."""
    points, uniform = [], []
    for rng in streams(*address, "held_out"):
        own = rng.standard_normal((config.held_out_size, family.dimension), dtype=np.float32)
        points.append(correlated(own, rng, config.correlation))
        uniform.append(rng.random(config.held_out_size, dtype=np.float32))
    x_RVd = torch.from_numpy(np.stack(points)).to(config.device)
    chance_RV = torch.from_numpy(np.stack(uniform)).to(config.device)
    return HeldOut(x_RVd=x_RVd, label_RV=(chance_RV < build_truth(family.truth)(x_RVd)).float())


def _test_points(config: ExperimentConfig, address: tuple[int, int, int, Sequence[int]]) -> npt.NDArray[np.float32]:
    """Fresh points of the population (R, Q, d)."""
    shape = (config.test_size, address[1])
    drawn = [(rng.standard_normal(shape, dtype=np.float32), rng) for rng in streams(*address, "test")]
    return np.stack([correlated(points, rng, config.correlation) for points, rng in drawn])


def simulate_block(
    config: ExperimentConfig, family: Family, start: int, stop: int
) -> dict[str, npt.NDArray[np.float64]]:
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
        correlation=config.correlation,
    )
    augmented_RTmd = world.augmented(config.tau)
    flat = augmented_RTmd.flatten(1, 2)
    teacher_RTm = teacher(flat).reshape(augmented_RTmd.shape[:-1])
    examples = supervise(
        loss_weights(family.supervision, config.alpha, config.beta, config.gamma),
        taus=config.tau,
        original_Rnd=world.original_Rnd,
        label_Rn=world.label_Rn,
        teacher_Rn=teacher(world.original_Rnd),
        augmented_RTmd=augmented_RTmd,
        parent_Rm=world.parent_Rm,
        teacher_RTm=teacher_RTm,
    )
    student = build_student(family.student, config.students, penalty=family.penalty, online=family.online)
    predicted_RTQ = student(examples, world.test_RQd, streams(*address, "student"), world.held_out)
    gap_RTm = (teacher_RTm - truth(flat).reshape(teacher_RTm.shape)).abs()
    original_gap_RQ = (teacher(world.test_RQd) - truth(world.test_RQd)).abs()
    inside_RTm = population_norm(augmented_RTmd, config.correlation) <= family.trust_radius
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
