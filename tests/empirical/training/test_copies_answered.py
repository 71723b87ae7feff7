"""Offline copies read the teacher's answers from the one store: asked once, whoever trains on them (semantics 3)."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.bank.making import Bank
from empirical.bank.plan import BankPlan
from empirical.config import AugmentConfig
from empirical.runs.run import run_cohort
from empirical.tasks.load import load_task
from empirical.teachers.answering import NetworkAnswers
from empirical.teachers.answers import ANSWERS, Answers, Asked, answered
from empirical.training.loop import train
from tests.empirical import tiny_kd

OFFLINE = AugmentConfig(augmenter="random", degree=0.5, copies=2)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("copies")


def test_a_second_student_asks_nothing_and_the_two_are_counted_apart(place, tmp_path):
    out = tmp_path / "out"
    first, second = (tiny_kd.run(place, augment=OFFLINE, data_size=40, seed=seed) for seed in (0, 1))
    (one,), (two,) = run_cohort([first], out), run_cohort([second], out)
    assert one.answers_asked > 0 and two.answers_asked == 0
    assert one.answers_asked + one.answers_kept == two.answers_kept
    assert one.teacher_calls == two.teacher_calls > 0
    # Another loss, learning rate or number of copies does not make a text new.
    more = OFFLINE.model_copy(update={"copies": 3})
    (three,) = run_cohort([tiny_kd.run(place, augment=more, data_size=40, train={"steps": 8})], out)
    assert 0 < three.answers_asked < three.answers_asked + three.answers_kept


@pytest.mark.parametrize("mixing", ["halves", "mixed"])
def test_no_step_asks_the_teacher_and_its_answers_are_those_it_would_give(place, tmp_path, mixing):
    config = tiny_kd.run(place, augment=OFFLINE.model_copy(update={"mixing": mixing}), data_size=40)
    members, stream, cohort = tiny_kd.members_of([config], place, tmp_path / mixing)
    kept = cohort.kept_logits()
    cohort.answer_copies()
    assert cohort.teacher is not None
    before = cohort.teacher.calls
    steps = list(stream.steps(0, 6))
    used = set(stream.used_copies(6).tolist())
    for step in steps:
        assert step.augmented_logits_AC is not None and step.augmented is not None
        if len(step.augmented_logits_AC):
            fresh = cohort.teacher.numpy_logits(step.augmented[cohort.teacher.key])
            assert np.allclose(fresh, step.augmented_logits_AC, atol=1e-5)
    assert sum(step.new_copies for step in steps) == len(used)
    assert cohort.count.asked <= len(used) + len(stream.used(6))
    before = cohort.teacher.calls
    train(members, stream, cohort.teacher, kept, steps=6)
    assert cohort.teacher.calls == before
    assert members[0].student.teacher_calls == len(used) + len(stream.used(6))
    late = [step.new_copies for step in stream.steps(4, 6)]
    assert late == [step.new_copies for step in steps[4:]]  # after a resume too


def test_online_texts_are_asked_at_every_step_and_never_kept(place, tmp_path):
    online = OFFLINE.model_copy(update={"copies": None})
    members, stream, cohort = tiny_kd.members_of([tiny_kd.run(place, augment=online, data_size=40)], place, tmp_path)
    kept = cohort.kept_logits()
    cohort.answer_copies()
    assert cohort.teacher is not None and not (cohort.shared / ANSWERS).exists()
    before = cohort.teacher.calls
    train(members, stream, cohort.teacher, kept, steps=3)
    assert cohort.teacher.calls == before + 3 * 8 and len(stream.used_copies(3)) == 0


def test_a_filter_of_offline_copies_asks_once_too(place, tmp_path):
    chosen = OFFLINE.model_copy(update={"entropy_quantile": 0.5})
    calls = []
    for _ in range(2):
        config = tiny_kd.run(place, augment=chosen, data_size=40)
        _, stream, cohort = tiny_kd.members_of([config], place, tmp_path)
        assert cohort.teacher is not None and stream.augmentation is not None
        calls.append((cohort.teacher.calls, stream.augmentation.scored()))
    (first, scored), (second, again) = calls
    assert first == scored == again > 0 and second == 0


def test_a_bank_and_a_run_share_one_store(place, tmp_path):
    config = tiny_kd.run(place, augment=OFFLINE, data_size=40)
    _, stream, cohort = tiny_kd.members_of([config], place, tmp_path / "run")
    cohort.answer_copies()
    assert cohort.teacher is not None and stream.augmentation is not None and stream.augmentation.pool is not None
    teacher = NetworkAnswers(cohort.teacher, "teacher", cohort.task.labels)
    plan = BankPlan(task=config.task, pool=10, copies=1)
    bank = Bank(plan=plan, task=load_task(config.task), tokenizer=tiny_kd.tokenizer(), embeddings=None,
                root=tmp_path / "bank", answers=cohort.shared / ANSWERS)  # fmt: skip
    store, count = bank.store(teacher), Asked()
    assert isinstance(store, Answers)
    used = stream.used_copies(6)
    answered(teacher, stream.augmentation.pool.corpus, used, store, count)
    assert (count.asked, count.kept) == (0, len(used))
