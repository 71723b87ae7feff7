"""A study opened: its teacher trained once, teachers of a replicate's own texts, other held-out texts on request."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from empirical.bank.plan import Shift
from empirical.bank.pool import pool_order
from empirical.bank.study import Size, Study
from empirical.config import TaskConfig, TrainConfig
from empirical.runs.study_teachers import open_study
from empirical.tasks.load import load_task
from tests.empirical import tiny_kd

TRAIN = TrainConfig(steps=2, batch_size=8, learning_rate=1e-3, alpha=1.0, gamma=1.0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studies")


def study_of(place: Path) -> Study:
    run = tiny_kd.run(place)
    assert run.teacher is not None
    return Study(task=TaskConfig(name=run.task.name, max_length=32), teacher=run.teacher, teacher_train=TRAIN, pool=32,
                 copies=1, shifts=(Shift(augmenter="random", degrees=(0.5,)),), sizes=(Size(data_size=16),),
                 same_teacher=(16,), same_teacher_train=TRAIN)  # fmt: skip


def test_the_teacher_is_trained_once_and_everything_lies_under_the_results(place: Path) -> None:
    study, results = study_of(place), place / "results"
    run = open_study(study, "mine", results)
    (teacher,) = [path for path in (results / "teachers").iterdir() if (path / "result.json").exists()]
    stamp = (teacher / "result.json").stat().st_mtime_ns
    again = open_study(study, "mine", results)
    assert again.teacher.key == run.teacher.key and (teacher / "result.json").stat().st_mtime_ns == stamp
    assert (
        run.folder == again.folder and run.folder.parent == results / "curves" and run.folder.name.startswith("mine-")
    )
    assert run.bank.store(run.teacher).file.parent == results / "shared" / "answers"
    assert open_study(study.model_copy(update={"copies": 2}), "mine", results).folder != run.folder


def test_a_replicates_teacher_sees_its_texts_alone(place: Path) -> None:
    study, results = study_of(place), place / "results"
    run = open_study(study, "mine", results)
    assert run.subset_teacher is not None
    own = np.arange(16, 32)
    one, other = run.subset_teacher(own, 1), run.subset_teacher(np.arange(16), 0)
    assert len({one.key, other.key, run.teacher.key}) == 3 and one.name == f"{study.teacher.name} of n"
    assert run.subset_teacher(own, 1).key == one.key
    texts = run.bank.task.train.take(pool_order(study.seed, len(run.bank.task.train))[own])
    folder = results / "bank" / "subsets" / texts.digest()
    lines = [json.loads(line) for line in (folder / "train.jsonl").read_text("utf-8").splitlines()]
    assert [line["text"] for line in lines] == list(texts.text_a)
    assert {line["label"] for line in lines} <= set(run.bank.task.labels)


def test_held_out_texts_may_be_others(place: Path) -> None:
    study, results = study_of(place), place / "results"
    task = load_task(study.task)
    own = replace(task, test=task.validation, validation=task.test)
    run = open_study(study, "mine", results, task=own)
    assert run.bank.pool.test.split.text_a == task.validation.text_a
    assert run.folder != open_study(study, "mine", results).folder
