"""Runs in their directories: finished ones are left alone, teachers are trained once, every kind runs through."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from empirical.config import AugmentConfig, ModelConfig
from empirical.models.classifier import load_classifier, weights_hash
from empirical.runs.record import read_config
from empirical.runs.run import TeacherFailed, ensure_teacher, is_finished, run_cohort, run_directory
from tests.empirical.tiny_kd import (
    LABELS,
    WORDS,
    bert,
    run,
    table,
    tokenizer,
    with_teacher,
)
from theory.errors import InputError

SHIFT = AugmentConfig(augmenter="random", degree=0.4)


@pytest.fixture(scope="module")
def finished(place, tmp_path_factory):
    """A finished run: its configuration, its results folder, its result."""
    config, root = run(place, augment=SHIFT, train={"evaluate_every": 3}), tmp_path_factory.mktemp("finished")
    return config, root, run_cohort([config], with_teacher(place, root))[0]


def test_a_finished_run_leaves_its_record_and_no_checkpoint(finished):
    config, root, result = finished
    folder = run_directory(config, root)
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.toml",
        "curve.parquet",
        "predictions.parquet",
        "result.json",
    ]
    assert json.loads((folder / "result.json").read_text()) == result.record()
    assert read_config(folder) == config
    curve = pd.read_parquet(folder / "curve.parquet")
    assert list(curve.columns) == ["step", "split", "metric", "value"]
    assert sorted(curve["step"].unique()) == [3, 6]
    predictions = pd.read_parquet(folder / "predictions.parquet")
    for split in ("validation", "test"):
        part = predictions[predictions["split"] == split]
        assert len(part) == result.scores[split]["n"]
        assert (part["label"] == part["predicted"]).mean() == pytest.approx(result.scores[split]["accuracy"])
    needed = {"status", "reason", "wall_seconds", "steps", "examples_seen", "teacher_calls", "realised_degree"}
    needed |= {
        "nominal_degree",
        "teacher_hash",
        "versions",
        "device",
        "precision",
        "seed",
        "data_seed",
        "data_size",
        "subset",
    }
    assert needed <= set(result.record())
    assert result.data_size == 240 - len(predictions), "every text of the file is in one split"
    assert result.examples_seen == 6 * 16


def test_a_finished_run_is_not_trained_again(finished):
    config, root, result = finished
    stamp = (run_directory(config, root) / "result.json").stat().st_mtime_ns
    assert run_cohort([config], root)[0] == result
    assert (run_directory(config, root) / "result.json").stat().st_mtime_ns == stamp
    assert is_finished(run_directory(config, root))


def test_a_folder_that_cannot_be_written_is_told(place, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a folder that can be written"):
        run_cohort([run(place, mode="finetune")], tmp_path / "file")


def test_runs_of_different_streams_do_not_share_a_cohort(place):
    with pytest.raises(ValueError, match="cohort keys"):
        run_cohort([run(place), run(place, data_seed=1)], place / "results")


def test_a_teacher_is_trained_once_and_read_from_safetensors(finished, caplog):
    config, root, result = finished
    folder = ensure_teacher(config, root)
    stamp = (folder / "model" / "model.safetensors").stat().st_mtime_ns
    assert ensure_teacher(config, root) == folder
    assert (folder / "model" / "model.safetensors").stat().st_mtime_ns == stamp
    trained = json.loads((folder / "result.json").read_text())
    assert trained["mode"] == "finetune" and trained["alpha"] == 1 and trained["teacher_calls"] == 0
    assert result.teacher_hash


def test_damaged_teacher_weights_are_told(place, tmp_path):
    config, root = run(place), with_teacher(place, tmp_path)
    file = ensure_teacher(config, root) / "model" / "model.safetensors"
    raw = bytearray(file.read_bytes())
    raw[-5] ^= 64
    file.write_bytes(raw)
    with pytest.raises(InputError, match="not those that were trained"):
        run_cohort([config], root)


def test_a_teacher_that_fails_fails_its_runs_with_the_reason(place, tmp_path):
    wild = run(place).teacher_train.model_copy(update={"learning_rate": 1e30, "clip": None, "warmup": 0.0})
    config = run(place, teacher_train=wild)
    result = run_cohort([config], tmp_path)[0]
    assert result.status == "failed" and "teacher failed: diverged" in result.reason
    assert is_finished(run_directory(config, tmp_path))
    with pytest.raises(TeacherFailed):
        ensure_teacher(config, tmp_path)


def test_a_student_can_be_cut_from_the_trained_teacher(place):
    student = ModelConfig(name="teacher", layers=(0, 3), dropout=0.0)
    config = run(place, student=student, train={"steps": 1, "learning_rate": 1e-12})
    run_cohort([config], place / "results", save_weights=True)
    mine = load_file(run_directory(config, place / "results") / "model" / "model.safetensors")
    theirs = load_file(ensure_teacher(config, place / "results") / "model" / "model.safetensors")
    key = "bert.encoder.layer.{}.output.dense.weight"
    torch.testing.assert_close(mine[key.format(1)], theirs[key.format(3)])


@pytest.mark.parametrize("augment", [None, SHIFT, AugmentConfig(augmenter="knn", degree=0.5, neighbours=3)])
@pytest.mark.parametrize("mode", ["distill", "finetune"])
def test_pairs_run_through(place, augment, mode):
    config = run(place, pairs=True, augment=augment, mode=mode, train={"steps": 3})
    result = run_cohort([config], place / "results")[0]
    assert result.status == "finished" and result.steps == 3
    assert (result.teacher_calls > 0) == (mode == "distill")


def test_a_tokenizer_that_does_not_fit_the_weights_is_refused(place, tmp_path):
    folder = bert(tmp_path / "bert")
    tokenizer([*WORDS, *(f"more{n}" for n in range(9))]).save_pretrained(folder)
    with pytest.raises(InputError, match="tokenizer of"):
        run_cohort([run(place, mode="finetune", student=ModelConfig(name=str(folder)))], tmp_path / "results")
    assert not (tmp_path / "results").exists(), "something was written"


def test_label_names_are_in_the_saved_student(place, tmp_path):
    config = run(place, mode="finetune", train={"steps": 1})
    run_cohort([config], tmp_path, save_weights=True)
    settings = json.loads((run_directory(config, tmp_path) / "model" / "config.json").read_text())
    assert settings["id2label"] == {str(index): label for index, label in enumerate(LABELS)}


def test_tensorboard_logs_are_written_on_request(place, tmp_path):
    pytest.importorskip("tensorboard")
    config = run(place, mode="finetune", train={"steps": 4, "evaluate_every": 2})
    run_cohort([config], tmp_path, tensorboard=True)
    (file,) = set(path.parent for path in (run_directory(config, tmp_path) / "tensorboard").glob("events*"))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(file)).Reload().Scalars("validation/accuracy")
    curve = pd.read_parquet(run_directory(config, tmp_path) / "curve.parquet")
    values = curve[(curve["split"] == "validation") & (curve["metric"] == "accuracy")]
    assert [event.step for event in events] == list(values["step"])
    assert [event.value for event in events] == pytest.approx(list(values["value"]), abs=1e-6)


@pytest.mark.slow
def test_compiled_models_give_the_same_results_up_to_the_last_bits(place, tmp_path):
    source = ModelConfig(name=str(bert(place / "undropped")), layers=(0, 3), dropout=0.0)
    config = run(place, augment=SHIFT, train={"steps": 4}, student=source)
    plain = run_cohort([config], with_teacher(place, tmp_path / "plain"))[0]
    compiled = run_cohort([config], with_teacher(place, tmp_path / "compiled"), compiled=True, save_weights=True)[0]
    assert (plain.compiled, compiled.compiled) == (False, True)
    losses = []
    for name in ("plain", "compiled"):
        curve = pd.read_parquet(run_directory(config, tmp_path / name) / "curve.parquet")
        losses.append(float(curve.loc[curve["metric"] == "loss", "value"].iloc[0]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    model = load_classifier(str(run_directory(config, tmp_path / "compiled") / "model"))
    assert weights_hash(model) == compiled.weights_hash, "compiled weights are saved under their plain names"


def test_a_machine_that_cannot_compile_is_told(place, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("no C++ compiler found")

    monkeypatch.setattr(torch, "compile", refuse)
    with pytest.raises(InputError, match=re.escape("no C++ compiler found")):
        run_cohort([run(place, train={"steps": 3})], place / "results", compiled=True)


def test_the_gpu_benchmark_says_when_there_is_none(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "gpu.py"), run_name="__main__")
        raise SystemExit(0)
    assert not ended.value.code and "no GPU here" in capsys.readouterr().out


def test_the_table_maker_is_balanced_enough(tmp_path):
    labels = pd.read_csv(table(tmp_path / "t.csv", 300))["label"].value_counts()
    assert labels.min() > 60
