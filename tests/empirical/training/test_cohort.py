"""Cohorts: tokenizers that differ, filters that ask the teacher, copies made once."""

from __future__ import annotations

import logging

import numpy as np

from empirical.config import AugmentConfig, ModelConfig
from empirical.runs.run import run_cohort
from empirical.tokens.codec import decode_batch
from tests.empirical.tiny_kd import (
    WORDS,
    bert,
    cohort_of,
    members_of,
    run,
    tokenizer,
)

SHIFT = AugmentConfig(augmenter="random", degree=0.4)


def test_a_student_with_another_tokenizer_reads_re_tokenised_texts(place, caplog):
    caplog.set_level(logging.INFO)
    other = bert(place / "other", vocab_size=200)
    tokenizer([*reversed(WORDS)]).save_pretrained(other)
    config = run(place, student=ModelConfig(name=str(other)), augment=SHIFT, train={"steps": 3})
    cohort = cohort_of([config], place, place / "shared")
    teacher, (student,) = cohort.teacher, cohort.students
    step = next(cohort.stream.steps(0, 1))
    assert student.tokenizer != teacher.key
    for batches in (step.original, step.augmented):
        assert not np.array_equal(batches[student.tokenizer].ids_BL, batches[teacher.key].ids_BL)
        mine = decode_batch(cohort.tokenizers[student.tokenizer], batches[student.tokenizer])
        assert mine == decode_batch(teacher.tokenizer, batches[teacher.key])
    assert "re-tokenised" in caplog.text
    assert run_cohort([config], place / "results")[0].status == "finished"


def test_online_augmentation_is_fresh_at_every_step_and_a_function_of_seed_and_step(place, tmp_path):
    """Trap: a loader that re-seeds gives the same 'random' augmentation every epoch."""
    _, stream, _ = members_of([run(place, augment=SHIFT, data_size=8)], place, tmp_path / "a")
    _, again, _ = members_of([run(place, augment=SHIFT, data_size=8)], place, tmp_path / "b")
    steps = list(stream.steps(0, 6))
    late = list(again.steps(3, 6))
    (key,) = stream.corpora
    for one, other in zip(steps[3:], late, strict=True):
        np.testing.assert_array_equal(one.augmented[key].ids_BL, other.augmented[key].ids_BL)
        np.testing.assert_array_equal(one.index_B, other.index_B)
        assert one.new_originals == other.new_originals == 0
    drawn = {np.sort(step.augmented[key].ids_BL, axis=0).tobytes() for step in steps}
    assert len(drawn) == 6, "the same augmentation came twice"
