"""Augmenters at work in a run: filters ask the teacher once a text, copies are made once."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.config import AugmentConfig
from empirical.runs.run import run_cohort
from empirical.teachers.fine_tuned import Teacher
from tests.empirical.tiny_kd import (
    cohort_of,
    run,
    with_teacher,
)
from theory.errors import InputError

SHIFT = AugmentConfig(augmenter="random", degree=0.4)


@pytest.mark.parametrize("mode", ["distill", "finetune"])
@pytest.mark.parametrize("copies", [None, 2])
def test_a_filters_teacher_is_asked_once_a_text_and_its_calls_are_counted(place, tmp_path, monkeypatch, copies, mode):
    filtered = SHIFT.model_copy(update={"copies": copies, "entropy_quantile": 0.5})
    config = run(place, augment=filtered, mode=mode, data_size=16, train={"steps": 6})
    with_teacher(place, tmp_path)
    asked, logits = [], Teacher.logits

    def counted(teacher, batch):
        asked.append(len(batch))
        return logits(teacher, batch)

    monkeypatch.setattr(Teacher, "logits", counted)
    result = run_cohort([config], tmp_path)[0]
    scored = 6 * 8 if copies is None else 2 * 16
    assert result.status == "finished" and result.realised_degree > 0
    assert result.teacher_calls == sum(asked) == scored + (16 if mode == "distill" else 0)


def test_a_filtered_step_brings_the_teachers_logits_of_its_own_texts(place, tmp_path):
    for copies in (None, 2):
        filtered = SHIFT.model_copy(update={"copies": copies, "entropy_quantile": 0.5})
        config = run(place, augment=filtered, data_size=16, train={"precision": "fp32"})
        cohort = cohort_of([config], place, tmp_path / "shared")
        teacher, (student,) = cohort.teacher, cohort.students
        for step in cohort.stream.steps(0, 3):
            expected = teacher.numpy_logits(step.augmented[teacher.key])
            np.testing.assert_allclose(step.augmented_logits_AC, expected, atol=1e-5)
            assert (student.tokenizer == teacher.key and 0 < len(expected) < 8) or copies


def test_offline_copies_are_a_fixed_set(place):
    config = run(place, augment=SHIFT.model_copy(update={"copies": 2}), data_size=16, train={"steps": 40})
    cohort = cohort_of([config], place, place / "shared")
    key = cohort.base
    steps = list(cohort.stream.steps(0, 40))
    texts = {row[mask].tobytes() for s in steps for row, mask in zip(*[iter(both(s, key))] * 2, strict=True)}
    assert 28 <= len(texts) <= 32, "two copies of sixteen texts"
    for step in steps:
        assert (step.augmented_label_A == step.label_B).all()


def both(step, key):
    batch = step.augmented[key]
    for row, mask in zip(batch.ids_BL, batch.mask_BL, strict=True):
        yield row
        yield mask


def test_virtual_texts_are_answered_and_learnt_from(place, tmp_path):
    """MixKD trains on points between texts: the teacher answers each, and at a share of 0 nothing is different."""
    mixed = AugmentConfig(augmenter="mixkd", degree=0.4)
    config = run(place, augment=mixed, data_size=16, train={"steps": 6})
    with_teacher(place, tmp_path)
    result = run_cohort([config], tmp_path)[0]
    assert result.status == "finished" and result.teacher_calls == 16 + 6 * 8
    assert result.realised_degree == pytest.approx(0.4, abs=0.05)
    cohort = cohort_of([config], place, tmp_path / "shared")
    step = next(iter(cohort.stream.steps(0, 1)))
    batch = step.augmented[cohort.base]
    answers = cohort.teacher.numpy_logits(batch)
    alone = cohort.teacher.numpy_logits(step.original[cohort.base])
    assert batch.mixed is not None and not np.allclose(answers, alone, atol=1e-3)


def test_virtual_texts_cannot_be_kept(place, tmp_path):
    kept = AugmentConfig(augmenter="mixkd", degree=0.4, copies=2)
    with pytest.raises(InputError, match=r"augment.copies: found 2; allowed: none \(online\)"):
        cohort_of([run(place, augment=kept, data_size=16)], place, tmp_path / "shared")
