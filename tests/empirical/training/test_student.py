"""A student: sums are divided once, weights of the loss, selection on the right split."""

from __future__ import annotations

import pytest
import torch

from empirical.config import AugmentConfig, ModelConfig
from empirical.training.halves import Half
from tests.empirical.tiny_kd import (
    members_of,
    run,
    trained,
    with_teacher,
)

SHIFT = AugmentConfig(augmenter="random", degree=0.4)


def test_the_loss_does_not_depend_on_how_a_batch_is_split(place, tmp_path, monkeypatch):
    """Trap: means of micro-batch means; 10 + 10 texts in 1, 3, 10 or as many parts as memory wants: same gradients."""
    gradients = []
    for parts in (1, 3, 10, 2):
        monkeypatch.setattr("empirical.training.student.MICRO_TOKENS", {"cpu": 30 if parts == 2 else 2048})
        student = ModelConfig(name=str(place / "bert"), layers=(0, 3), dropout=0.0)
        settings = {"accumulate": parts, "batch_size": 10, "clip": None, "gamma": 0.3, "beta": 0.2, "precision": "fp32"}
        config = run(place, augment=SHIFT, student=student, train=settings)
        (member,), stream, cohort = members_of([config], place, tmp_path / str(parts))
        kept = cohort.kept_logits()
        caught = []
        member.student.optimizer.step = lambda s=member.student, c=caught: c.append(
            torch.cat([p.grad.flatten() for p in s.model.parameters() if p.grad is not None])
        )
        step = next(stream.steps(0, 1))
        teacher = cohort.teacher.logits(step.augmented[cohort.teacher.key])
        reader = member.student.tokenizer
        member.student.train_step(
            Half(batch=step.original[reader], label_B=step.label_B, teacher_BC=kept[torch.from_numpy(step.index_B)]),
            Half(batch=step.augmented[reader], label_B=step.augmented_label_A, teacher_BC=teacher),
        )
        gradients.append(caught[0])
    for other in gradients[1:]:
        torch.testing.assert_close(gradients[0], other, rtol=1e-4, atol=1e-6)


def test_without_augmented_data_gamma_has_no_effect_and_gamma_one_ignores_it(place, tmp_path):
    still = {"dropout": 0.0, "name": str(place / "bert"), "layers": (0, 3)}
    root = with_teacher(place, tmp_path)
    weights = {}
    for name, gamma, shift in (("half", 0.5, None), ("tenth", 0.1, None), ("shifted", 1.0, SHIFT)):
        config = run(place, augment=shift, student=ModelConfig(**still), train={"gamma": gamma})
        weights[name] = trained(config, root)[2]
    assert weights["half"] == weights["tenth"] == weights["shifted"]


def test_alpha_one_is_fine_tuning(place, tmp_path):
    root = with_teacher(place, tmp_path)
    distilled = run(place, train={"alpha": 1.0})
    tuned = run(place, mode="finetune", train={"alpha": 0.3})
    assert trained(distilled, root)[2] == trained(tuned, root)[2]


def test_selection_is_made_on_validation_unless_the_papers_protocol_is_named(place, tmp_path):
    """Trap: checkpoints chosen on the wrong split."""
    root = with_teacher(place, tmp_path)
    settings = {"steps": 24, "evaluate_every": 2, "learning_rate": 1e-2}
    for select, split in (("best-validation", "validation"), ("paper", "test")):
        result, curve, _ = trained(run(place, train={**settings, "select": select}), root)
        values = curve[(curve["split"] == split) & (curve["metric"] == "accuracy")].set_index("step")["value"]
        assert result.scores[split]["accuracy"] == values.max()
        assert result.selected_step == values.idxmax()
        assert result.select == select
    last, curve, _ = trained(run(place, train=settings), root)
    assert last.selected_step == 24


def test_a_student_learns_the_tiny_task_from_its_teacher(place, tmp_path):
    config = run(place, augment=SHIFT, train={"steps": 80, "batch_size": 16, "learning_rate": 5e-3})
    result, curve, _ = trained(config, with_teacher(place, tmp_path))
    assert result.test["accuracy"] > 0.6, "chance is a third"
    assert result.realised_degree == pytest.approx(0.4, abs=0.03)
    assert result.examples_seen == 80 * 32
    losses = curve[curve["metric"] == "loss"]
    assert len(losses) == 1 and losses["value"].iloc[0] > 0
