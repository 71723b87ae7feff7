"""`kdshift empirical finetune | distill` as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from kdshift.cli import main
from tests.empirical.tiny_kd import (
    run,
)

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


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the tiny task and its untrained models."""
    folder = tmp_path_factory.mktemp("tiny")
    run(folder)
    return folder


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


def test_help_needs_no_torch():
    code = "import sys; from kdshift.cli import main\ntry: main(['empirical', 'distill', '--help'])\n"
    code += "except SystemExit: pass\nassert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "--degree" in done.stdout
