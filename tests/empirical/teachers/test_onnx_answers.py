"""A teacher under ONNX Runtime: the same answers in float32, in int8 a teacher whose answer hangs on its text alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from empirical.bank.plan import Shift
from empirical.bank.study import Size, Study
from empirical.config import ModelConfig, TaskConfig, TrainConfig
from empirical.runs.study_teachers import open_study
from empirical.teachers.onnx_answers import OnnxAnswers
from tests.empirical import tiny_kd

pytest.importorskip("onnxruntime")


def test_a_study_runs_its_teacher_as_it_says(tmp_path: Path) -> None:
    run, network_of = tiny_kd.run(tmp_path), ModelConfig(name=str(tiny_kd.bert(tmp_path / "one", layers=1)))
    train = TrainConfig(steps=2, batch_size=8, learning_rate=1e-3, alpha=1.0, gamma=1.0)
    study = Study(task=TaskConfig(name=run.task.name, max_length=32), teacher=network_of, teacher_train=train, pool=16,
                  shifts=(Shift(augmenter="random", degrees=(0.5,)),), sizes=(Size(data_size=16),))  # fmt: skip
    opened = {
        runtime: open_study(study.model_copy(update={"runtime": runtime}), "mine", tmp_path / "results")
        for runtime in ("torch", "onnx", "onnx-int8")
    }
    network, exact, small = (found.teacher for found in opened.values())
    assert isinstance(exact, OnnxAnswers) and isinstance(small, OnnxAnswers)
    assert len({network.key, exact.key, small.key}) == 3 and len({found.folder for found in opened.values()}) == 3
    corpus = opened["torch"].bank.pool.pool.corpus
    batch = corpus.batch(np.arange(8))
    assert np.abs(exact.answer(batch) - network.answer(batch)).max() < 1e-4
    alone = np.concatenate([small.answer(corpus.batch(np.array([row]))) for row in range(8)])
    assert np.array_equal(small.answer(batch), alone)
    assert 0 < np.abs(alone - network.answer(batch)).max() < 0.5
    assert opened["torch"].runtime is None
    told, of_int8 = opened["onnx"].runtime, opened["onnx-int8"].runtime
    assert told is not None and told["agreement"] == 1.0 and told["accuracy"] == told["network_accuracy"]
    assert of_int8 is not None and of_int8["largest_difference"] > told["largest_difference"]
    stamp = small.file.stat().st_mtime_ns
    again = open_study(study.model_copy(update={"runtime": "onnx-int8"}), "mine", tmp_path / "results")
    assert again.runtime == of_int8 and small.file.stat().st_mtime_ns == stamp  # exported and compared once
