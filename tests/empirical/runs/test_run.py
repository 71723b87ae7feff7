"""Runs in their directories: finished ones are left alone, damaged ones told, teachers trained once and checked."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from empirical.config import AugmentConfig, ModelConfig, RunConfig, load_run
from empirical.models.classifier import load_classifier, weights_hash
from empirical.runs.record import read_config
from empirical.runs.run import TeacherFailed, ensure_teacher, is_finished, run_cohort, run_directory
from empirical.teachers.fine_tuned import Teacher
from empirical.training.cohort import Cohort
from kdshift.cli import main
from tests.empirical.tiny_kd import LABELS, bert, run, table
from theory.errors import InputError

SHIFT = AugmentConfig(augmenter="random", degree=0.4)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path_factory.mktemp("run")
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def finished(place):
    """A finished run: its configuration, its results folder, its result."""
    config = run(place, augment=SHIFT, train={"evaluate_every": 3})
    return config, place / "results", run_cohort([config], place / "results")[0]


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


def test_a_truncated_result_counts_as_unfinished_and_is_made_again(finished, caplog):
    config, root, result = finished
    path = run_directory(config, root) / "result.json"
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    assert not is_finished(path.parent)
    assert "is damaged" in caplog.text
    again = run_cohort([config], root)[0]
    for field in ("test", "validation", "examples_seen", "teacher_calls"):
        assert getattr(again, field) == getattr(result, field)


def test_a_changed_configuration_under_a_finished_run_is_refused(place):
    config = run(place, train={"steps": 2})
    root = place / "changed"
    run_cohort([config], root)
    folder = run_directory(config, root)
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(text.replace("steps = 2\n", "steps = 3\n"))
    with pytest.raises(InputError, match="that of"):
        is_finished(folder)
    (folder / "config.toml").write_text(text)
    other = run_directory(run(place, train={"steps": 4}), root)
    folder.rename(other)
    with pytest.raises(InputError, match="move this folder away"):
        run_cohort([run(place, train={"steps": 4})], root)


def test_names_cannot_leave_the_results_folder(place):
    for name in ("../../etc/passwd", "/etc/passwd", "a/b c:d", "..", "\u202e\0x"):
        config = run(place, student=ModelConfig(name=name))
        folder = run_directory(config, place / "results")
        assert folder.parent == place / "results"
        assert folder.name.isascii() and not folder.name.startswith(".") and len(folder.name) < 200


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


def test_damaged_teacher_weights_are_told(place):
    config, root = run(place), place / "damaged"
    file = ensure_teacher(config, root) / "model" / "model.safetensors"
    raw = bytearray(file.read_bytes())
    raw[-5] ^= 64
    file.write_bytes(raw)
    with pytest.raises(InputError, match="not those that were trained"):
        run_cohort([config], root)


def test_a_teacher_that_fails_fails_its_runs_with_the_reason(place):
    wild = run(place).teacher_train.model_copy(update={"learning_rate": 1e30, "clip": None, "warmup": 0.0})
    config = run(place, teacher_train=wild)
    result = run_cohort([config], place / "wild")[0]
    assert result.status == "failed" and "teacher failed: diverged" in result.reason
    assert is_finished(run_directory(config, place / "wild"))
    with pytest.raises(TeacherFailed):
        ensure_teacher(config, place / "wild")


class TestLabelOrder:
    """Trap: a teacher whose label order is another one than the task's (10 % accuracy on MNLI)."""

    def elsewhere(self, place, names):
        """The trained teacher with its outputs in the order bad, good, fair, under these names."""
        from safetensors.torch import load_file, save_file

        source = ensure_teacher(run(place), place / "results") / "model"
        folder = place / ("teacher-" + "-".join(names))
        folder.mkdir(exist_ok=True)
        for path in source.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        weights = load_file(source / "model.safetensors")
        for name in ("classifier.weight", "classifier.bias"):
            weights[name] = weights[name][[0, 2, 1]].contiguous()
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        settings = json.loads((folder / "config.json").read_text())
        settings["id2label"] = {str(index): name for index, name in enumerate(names)}
        settings["label2id"] = {name: index for index, name in enumerate(names)}
        (folder / "config.json").write_text(json.dumps(settings))
        return run(place, teacher=ModelConfig(name=str(folder)), teacher_train=None, train={"steps": 2})

    def logits(self, config, place):
        cohort = Cohort(config, place / "shared")
        folder = ensure_teacher(config, place / "results")
        cohort.teacher_model = folder / "model" if (folder / "model").is_dir() else folder
        teacher = cohort.teacher
        examination = cohort.examinations(teacher.key)["test"]
        index = np.arange(len(examination.corpus))
        return teacher.logits(examination.corpus.batch(index)), examination.label_N

    def test_named_labels_in_another_order_are_put_right_with_a_line_in_the_log(self, place, caplog):
        caplog.set_level(logging.WARNING)
        permuted, label = self.logits(self.elsewhere(place, ("bad", "good", "fair")), place)
        straight, _ = self.logits(run(place), place)
        torch.testing.assert_close(permuted, straight)
        assert (permuted.argmax(dim=1).numpy() == label).mean() > 0.9
        assert "are put into the task's order" in caplog.text

    def test_names_are_compared_without_case(self, place, caplog):
        permuted, _ = self.logits(self.elsewhere(place, ("BAD", "Good", "fair")), place)
        torch.testing.assert_close(permuted, self.logits(run(place), place)[0])

    def test_other_names_are_refused(self, place):
        with pytest.raises(InputError, match="in any order: bad, fair, good"):
            run_cohort([self.elsewhere(place, ("bad", "ugly", "good"))], place / "labels")

    def test_nameless_labels_in_another_order_are_found_by_their_accuracy(self, place):
        with pytest.raises(InputError, match=r"as \[0, 2, 1\]"):
            run_cohort([self.elsewhere(place, ("LABEL_0", "LABEL_1", "LABEL_2"))], place / "labels")

    def test_another_number_of_classes_is_refused(self, place):
        bert(place / "two", labels=("no", "yes"))
        config = run(place, teacher=ModelConfig(name=str(place / "two")), teacher_train=None)
        with pytest.raises(InputError, match="the task's 3 classes"):
            run_cohort([config], place / "labels")


def test_a_student_can_be_cut_from_the_trained_teacher(place):
    student = ModelConfig(name="teacher", layers=(0, 3), dropout=0.0)
    config = run(place, student=student, train={"steps": 1, "learning_rate": 1e-12})
    run_cohort([config], place / "results", save_weights=True)
    from safetensors.torch import load_file

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


@pytest.mark.parametrize("mode", ["distill", "finetune"])
@pytest.mark.parametrize("copies", [None, 2])
def test_a_filters_teacher_is_asked_once_a_text_and_its_calls_are_counted(place, tmp_path, monkeypatch, copies, mode):
    filtered = SHIFT.model_copy(update={"copies": copies, "entropy_quantile": 0.5})
    config = run(place, augment=filtered, mode=mode, data_size=16, train={"steps": 6})
    ensure_teacher(config, tmp_path)
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
        cohort = Cohort(run(place, augment=filtered, data_size=16, train={"precision": "fp32"}), tmp_path / "shared")
        cohort.teacher_model = ensure_teacher(cohort.config, tmp_path) / "model"
        teacher, student = cohort.teacher, cohort.student(cohort.config)
        for step in cohort.stream().steps(0, 3):
            expected = teacher.numpy_logits(step.augmented[teacher.key])
            np.testing.assert_allclose(step.augmented_logits_AC, expected, atol=1e-5)
            assert (student.tokenizer == teacher.key and 0 < len(expected) < 8) or copies


def test_offline_copies_are_a_fixed_set(place):
    config = run(place, augment=SHIFT.model_copy(update={"copies": 2}), data_size=16, train={"steps": 40})
    cohort = Cohort(config, place / "shared")
    cohort.teacher_model = ensure_teacher(config, place / "results") / "model"
    assert cohort.teacher
    key = cohort.base
    steps = list(cohort.stream().steps(0, 40))
    texts = {row[mask].tobytes() for s in steps for row, mask in zip(*[iter(both(s, key))] * 2, strict=True)}
    assert 28 <= len(texts) <= 32, "two copies of sixteen texts"
    for step in steps:
        assert (step.augmented_label_A == step.label_B).all()


def both(step, key):
    batch = step.augmented[key]
    for row, mask in zip(batch.ids_BL, batch.mask_BL, strict=True):
        yield row
        yield mask


def test_a_student_with_another_tokenizer_reads_re_tokenised_texts(place, caplog):
    caplog.set_level(logging.INFO)
    from tests.empirical.tiny_kd import WORDS, tokenizer

    other = bert(place / "other", vocab_size=200)
    tokenizer([*reversed(WORDS)]).save_pretrained(other)
    config = run(place, student=ModelConfig(name=str(other)), augment=SHIFT, train={"steps": 3})
    cohort = Cohort(config, place / "shared")
    cohort.teacher_model = ensure_teacher(config, place / "results") / "model"
    teacher, student = cohort.teacher, cohort.student(config)
    step = next(cohort.stream().steps(0, 1))
    from empirical.tokens.codec import decode_batch

    assert student.tokenizer != teacher.key
    for batches in (step.original, step.augmented):
        assert not np.array_equal(batches[student.tokenizer].ids_BL, batches[teacher.key].ids_BL)
        mine = decode_batch(cohort.tokenizers[student.tokenizer], batches[student.tokenizer])
        assert mine == decode_batch(teacher.tokenizer, batches[teacher.key])
    assert "re-tokenised" in caplog.text
    assert run_cohort([config], place / "results")[0].status == "finished"


def test_a_tokenizer_that_does_not_fit_the_weights_is_refused(place, tmp_path):
    from tests.empirical.tiny_kd import WORDS, tokenizer

    folder = bert(tmp_path / "bert")
    tokenizer([*WORDS, *(f"more{n}" for n in range(9))]).save_pretrained(folder)
    with pytest.raises(InputError, match="tokenizer of"):
        run_cohort([run(place, mode="finetune", student=ModelConfig(name=str(folder)))], tmp_path / "results")
    assert not (tmp_path / "results").exists(), "something was written"


TEN_LINES = """
data_size = 0.5
task = {{ name = "{csv}" }}
teacher = {{ name = "{bert}" }}
teacher_train = {{ steps = 40, learning_rate = 0.01, batch_size = 16 }}
student = {{ name = "{bert}", layers = [0, 3] }}
train = {{ steps = 5, batch_size = 8 }}
[augment]
augmenter = "knn"
degree = 0.3
"""


@pytest.fixture
def file(place, tmp_path):
    run(place)
    path = tmp_path / "run.toml"
    path.write_text(TEN_LINES.format(csv=place / "texts.csv", bert=place / "bert"))
    return path


def called(arguments, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["empirical", *map(str, arguments)])
        sys.exit(0)
    output = capsys.readouterr()
    return exit.value.code or 0, output.out, output.err


def test_a_file_of_ten_lines_and_a_csv_are_enough_to_distil(file, tmp_path, capsys):
    results = tmp_path / "results"
    code, out, _ = called(["distill", file, "--results", results, "--json"], capsys)
    result = json.loads(out)
    assert code == 0 and result["status"] == "finished" and result["steps"] == 5
    assert (tmp_path / "results").is_dir() and "model.safetensors" in os.listdir(f"{result['directory']}/model")
    code, out, _ = called(["distill", file, "--results", results, "--json"], capsys)
    assert json.loads(out) == result
    code, out, _ = called(["distill", file, "--results", results, "--degree", 0], capsys)
    assert code == 0 and "Scores of the student" in out
    code, out, _ = called(["distill", f"{result['directory']}/config.toml", "--results", results, "--json"], capsys)
    assert json.loads(out) == result, "a run's own configuration repeats it"


def test_fine_tuning_from_the_command_line(place, tmp_path, capsys):
    arguments = ["finetune", "--task", place / "texts.csv", "--model", place / "bert", "--steps", 3, "--data-size", 40]
    arguments += ["--results", tmp_path, "--json"]
    run(place)
    code, out, _ = called(arguments, capsys)
    result = json.loads(out)
    assert code == 0 and result["mode"] == "finetune" and result["data_size"] == 40 and result["teacher_hash"] is None
    code, out, _ = called([*arguments, "--augmenter", "knn", "--degree", "0.5"], capsys)
    assert code == 0 and json.loads(out)["beta"] == 1 and json.loads(out)["teacher_calls"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--degree", "1.5"], "augment.degree: found 1.5"),
        (["--augmenter", "knnn"], "nearest: knn"),
        (["--task", "nofile.csv"], "an existing file"),
        (["--layers", "9"], "layers: found"),
        (["--data-size", "5000"], "data_size: found 5000"),
        (["--steps", "0"], "train.steps: found 0"),
        (["--learning-rate", "-1"], "train.learning_rate"),
        (["--precision", "fp16"], "fp16 needs a GPU"),
        (["--optimizer", "sgd"], "adamw"),
        (["--student", "no/such-model"], "no/such-model"),
        (["--augmenter", "ground-truth", "--copies", "1", "--data-size", "1.0"], "held-out"),
    ],
)
def test_bad_input_is_one_line_and_status_two(file, tmp_path, capsys, monkeypatch, options, message):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    results = tmp_path / "results"
    code, out, err = called(["distill", file, "--results", results, *options], capsys)
    assert code == 2 and out == ""
    last = err.strip().splitlines()[-1]
    assert last.startswith("kdshift: ") and message in last
    assert not [path for path in results.glob("*-distill-*")], "half a run was written"


def test_a_file_that_is_no_run_is_refused(tmp_path, capsys):
    for text, message in (
        ("steps = [", "a TOML file"),
        ("stepz = 3", "stepz"),
        ("seed = -1", "seed"),
        (None, "readable"),
    ):
        path = tmp_path / "run.toml"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        code, _, err = called(["distill", path], capsys)
        assert code == 2 and message in err


def test_a_run_that_fails_is_printed_with_status_one(file, tmp_path, capsys):
    arguments = ["distill", file, "--results", tmp_path / "results", "--learning-rate", "1e30", "--json"]
    code, out, err = called(arguments, capsys)
    assert code == 1 and json.loads(out)["status"] == "failed" and "diverged" in err


def test_a_run_file_round_trips(tmp_path):
    from empirical.runs.record import write_config

    config = RunConfig(augment=AugmentConfig(copies=4), student=ModelConfig(layers=None))
    write_config(config, tmp_path)
    assert load_run(tmp_path / "config.toml") == config == read_config(tmp_path)
    assert load_run(tmp_path / "config.toml", over={"augment": {"degree": 0}}).augment is None


def test_help_needs_no_torch():
    code = "import sys; from kdshift.cli import main\ntry: main(['empirical', 'distill', '--help'])\n"
    code += "except SystemExit: pass\nassert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "--degree" in done.stdout


def test_label_names_are_in_the_saved_student(place):
    config = run(place, mode="finetune", train={"steps": 1})
    run_cohort([config], place / "labels", save_weights=True)
    settings = json.loads((run_directory(config, place / "labels") / "model" / "config.json").read_text())
    assert settings["id2label"] == {str(index): label for index, label in enumerate(LABELS)}


def test_tensorboard_logs_are_written_on_request(place):
    pytest.importorskip("tensorboard")
    config = run(place, mode="finetune", train={"steps": 4, "evaluate_every": 2})
    run_cohort([config], place / "logs", tensorboard=True)
    (file,) = set(path.parent for path in (run_directory(config, place / "logs") / "tensorboard").glob("events*"))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(file)).Reload().Scalars("validation/accuracy")
    curve = pd.read_parquet(run_directory(config, place / "logs") / "curve.parquet")
    values = curve[(curve["split"] == "validation") & (curve["metric"] == "accuracy")]
    assert [event.step for event in events] == list(values["step"])
    assert [event.value for event in events] == pytest.approx(list(values["value"]), abs=1e-6)


@pytest.mark.slow
def test_compiled_models_give_the_same_results_up_to_the_last_bits(place):
    source = ModelConfig(name=str(bert(place / "undropped")), layers=(0, 3), dropout=0.0)
    config = run(place, augment=SHIFT, train={"steps": 4}, student=source)
    plain = run_cohort([config], place / "plain")[0]
    compiled = run_cohort([config], place / "compiled", compiled=True, save_weights=True)[0]
    assert (plain.compiled, compiled.compiled) == (False, True)
    losses = []
    for name in ("plain", "compiled"):
        curve = pd.read_parquet(run_directory(config, place / name) / "curve.parquet")
        losses.append(float(curve.loc[curve["metric"] == "loss", "value"].iloc[0]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    model = load_classifier(str(run_directory(config, place / "compiled") / "model"))
    assert weights_hash(model) == compiled.weights_hash, "compiled weights are saved under their plain names"


def test_a_machine_that_cannot_compile_is_told(place, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("no C++ compiler found")

    monkeypatch.setattr(torch, "compile", refuse)
    with pytest.raises(InputError, match=re.escape("no C++ compiler found")):
        run_cohort([run(place, train={"steps": 3})], place / "uncompiled", compiled=True)


def test_the_gpu_benchmark_says_when_there_is_none():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    script = Path(__file__).parents[2] / "benchmarks" / "gpu.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode == 0 and "no GPU here" in done.stdout


def test_the_table_maker_is_balanced_enough(tmp_path):
    labels = pd.read_csv(table(tmp_path / "t.csv", 300))["label"].value_counts()
    assert labels.min() > 60
