"""`kdshift empirical bank | curves` as a user meets them: a file of one's own, made once, asked once."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path

import pytest

from empirical.bank.study import presets
from empirical.bank.study_table import CHECKS, NOISE, TABLE
from kdshift.cli import main
from kdshift.cli.bank import worth
from tests.empirical import tiny_kd


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    logging.getLogger().handlers.clear()
    with pytest.raises(SystemExit) as ended:
        main(["empirical", *arguments])
        raise SystemExit(0)
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    tiny = tiny_kd.run(folder)
    assert tiny.teacher is not None
    (folder / "mine.toml").write_text(f"""
        pool = 64
        reserve = 32
        copies = 1
        steps = 20
        unlabelled = [0.5, 1]
        task = {{ name = "{tiny.task.name}", max_length = 32 }}
        teacher = {{ name = "{tiny.teacher.name}" }}
        teacher_train = {{ steps = 3, batch_size = 8, alpha = 1.0, gamma = 1.0 }}
        [[shifts]]
        augmenter = "random"
        degrees = [0.3, 0.8]
        [[sizes]]
        data_size = 32
        [[checks]]
        student = "bilstm"
        data_size = 32
        replicates = 2
        augmenters = ["random"]
        degrees = [0.3, 0.8]
        steps = 10
        learning_rate = 0.01
        hidden_size = 4
    """)
    return folder / "mine.toml"


def test_bank_then_curves_then_nothing_left_to_ask(capsys, study):
    out = str(study.parent / "results")
    code, text, errors = run(capsys, "bank", str(study), "--results", out, "--json")
    made = json.loads(text)
    assert code == 0 and text.count("\n") == 1 and "answers at" in errors
    assert made["teacher_calls"] > 0 and made["bytes"] > 0 and Path(made["folder"]).is_dir()
    code, text, _ = run(capsys, "curves", str(study), "--results", out, "--json", "--figure", f"{out}/curves.png")
    found = json.loads(text)
    assert code == 0 and found["teacher_calls"] == 0 and found["kept_answers"] > 0
    assert (study.parent / "results" / "curves.png").stat().st_size > 1000
    curve = next(c for c in found["curves"] if c["student"] == "static" and c["mode"] == "distill")
    assert curve["degree"] == [0, 0.3, 0.8] and curve["replicates"] == 2 and len(curve["distance_se"]) == 3
    assert curve["gain"]["low"] <= curve["gain"]["distance"] and curve["exchange"]["replicates"] == 2
    (check,) = found["checks"]
    assert check["student"] == "bilstm" and check["regret"]["high"] >= check["regret"]["distance"] >= 0
    kept = Path(out) / "kept"
    code, text, _ = run(capsys, "curves", str(study), "--results", out, "--out", str(kept))
    assert {path.name for path in kept.iterdir()} == {TABLE, CHECKS, NOISE, "provenance.json"}
    assert code == 0 and "Distance to the teacher" in text and "carry over" in text and "asked 0 texts" in text


def test_a_dry_run_makes_nothing(capsys, study, tmp_path):
    code, text, _ = run(capsys, "bank", str(study), "--results", str(tmp_path), "--dry-run", "--json")
    assert code == 0 and json.loads(text)["answers"] == 64 * 2 and not list(tmp_path.iterdir())
    code, text, _ = run(capsys, "bank", str(study), "--dry-run")
    assert code == 0 and "would be made" in text


@pytest.mark.parametrize(
    "arguments", [("curves", "curves-dem"), ("bank", "nowhere.toml"), ("curves", "--workers", "0")]
)
def test_mistakes_are_one_line_and_exit_status_2(capsys, tmp_path, arguments):
    code, text, errors = run(capsys, *arguments, "--results", str(tmp_path))
    assert code == 2 and text == "" and errors.count("\n") == 1


def test_worth_says_which_end_it_is_known_from():
    rate = {"rate": 0.46, "low": 0.3, "high": 0.71, "replicates": 4, "most": 4.0}
    assert worth(rate) == "0.46 [0.3, 0.71] n" and worth({**rate, "high": math.inf}) == "at least 0.3 n"
    assert worth({**rate, "low": math.nan, "high": math.nan}) == "0.46 n"
    assert worth({**rate, "low": 0.0, "high": math.inf}) == "not known"


def test_the_help_names_every_preset(capsys: pytest.CaptureFixture[str]) -> None:
    _, text, _ = run(capsys, "curves", "--help")
    words = "".join(part for part in text.split() if part != "│")
    assert all(preset in words for preset in presets())


def test_a_figure_that_cannot_be_drawn_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, errors = run(capsys, "curves", "--results", str(tmp_path / "new"), "--figure", str(tmp_path / "x.xyz"))
    assert code == 2 and "--figure" in errors and not (tmp_path / "new").exists()
