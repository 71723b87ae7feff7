"""`kdshift empirical sweep | status | table | tasks` as a user meets them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from empirical.sweeps.execute import run_sweep
from kdshift.cli import main
from tests.empirical import tiny_kd
from tests.empirical.fake_cohort import broken_at_half, fake_run, sweep_of


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    logging.getLogger().handlers.clear()
    with pytest.raises(SystemExit) as ended:
        main(["empirical", *arguments])
        raise SystemExit(0)
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def one_object(text: str) -> dict:
    assert text.count("\n") == 1
    return json.loads(text)


@pytest.fixture
def toml(tmp_path):
    source = tiny_kd.bert(tmp_path / "bert")
    data = tiny_kd.table(tmp_path / "texts.csv", rows=60)
    path = tmp_path / "mine.toml"
    path.write_text(f"""
        title = "mine"
        [base]
        data_size = 0.5
        task = {{ name = "{data}" }}
        teacher = {{ name = "{source}" }}
        teacher_train = {{ steps = 3, batch_size = 8, alpha = 1.0, gamma = 1.0 }}
        student = {{ name = "{source}", layers = [0, 3] }}
        train = {{ steps = 2, batch_size = 8 }}
        augment = {{ augmenter = "random" }}
        [[block]]
        axes = {{ degree = [0.0, 0.3], learning_rate = [0.01, 0.001] }}
    """)
    return path


def test_a_file_of_ones_own_from_dry_run_to_table(capsys, tmp_path, toml):
    out = str(tmp_path / "results")
    code, text, _ = run(capsys, "sweep", str(toml), "--dry-run", "--json")
    dry = one_object(text)
    assert code == 0 and (dry["cells"], dry["runs"], len(dry["teachers"])) == (2, 4, 1)
    assert dry["seconds_estimated"] > 0 and dry["preset"] == "mine"
    code, text, _ = run(capsys, "sweep", str(toml), "--dry-run")
    assert code == 0 and "first, the teacher" in text and "4 runs in 2 cells, 1 teacher first" in text
    code, text, _ = run(capsys, "sweep", str(toml), "--results", out, "--json", "--accept-weak-teacher")
    made = one_object(text)
    assert code == 0 and made["counts"] == {"finished": 4} and len(made["runs"]) == 4
    code, text, _ = run(capsys, "status", "--results", out, "--json")
    (state,) = one_object(text)["sweeps"]
    assert code == 0 and (state["done"], state["running"], state["failed"], state["left"]) == (4, 0, 0, 0)
    code, text, _ = run(capsys, "table", "mine", "--results", out, "--json", "--export", str(tmp_path / "t.md"))
    cells = one_object(text)["cells"]
    assert code == 0 and [cell["degree"] for cell in cells] == [0.0, 0.3] and (tmp_path / "t.md").exists()
    code, text, _ = run(capsys, "table", "mine", "--results", out)
    assert code == 0 and "30 %" in text and "protocol: validation" in text


def test_a_dry_run_for_a_card_that_is_not_here(capsys):
    code, text, _ = run(capsys, "sweep", "table8", "--dry-run", "--device", "h100", "--json")
    made = one_object(text)
    assert code == 0 and made["device"] == "H100 80GB" and made["seconds_estimated"] > 60
    assert any("an estimate" in note for note in made["notes"])


def test_failures_are_told_with_their_reason(capsys, tmp_path):
    run_sweep(sweep_of(tmp_path), tmp_path / "out", run=broken_at_half)
    code, text, _ = run(capsys, "status", "small", "--results", str(tmp_path / "out"))
    assert code == 0 and "the loss is not a number" in " ".join(text.split())
    code, text, _ = run(capsys, "table", "small", "--results", str(tmp_path / "out"))
    assert code == 0 and "failed: 4" in text


def test_tasks_lists_sizes_and_licences(capsys):
    code, text, _ = run(capsys, "tasks", "--json")
    tasks = {task["task"]: task for task in one_object(text)["tasks"]}
    assert code == 0 and tasks["mnli"]["train"] == 392_700 and tasks["gad"]["test"] == 534
    assert all(task["licence"] and task["available"] for task in tasks.values()) and len(tasks) == 14


BAD = {
    "unknown preset": (("sweep", "table9"), "table8"),
    "no such file": (("sweep", "nowhere.toml"), "nowhere.toml"),
    "two engines": (("sweep", "demo", "--workers", "2", "--cluster", "auto"), "--workers"),
    "no workers": (("sweep", "demo", "--workers", "0"), "workers"),
    "slurm words": (("sweep", "demo", "--slurm", "partition"), "name=value"),
    "no sweep there": (("status", "--results", "/nowhere"), "/nowhere"),
    "no table": (("table", "table2-mnli", "--results", "/nowhere"), "finished runs"),
    "unknown table": (("table", "tabel3", "--results", "/nowhere"), "table3"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_status_2(capsys, case):
    arguments, message = BAD[case]
    code, text, errors = run(capsys, *arguments)
    assert code == 2 and text == "" and errors.count("\n") == 1 and message in errors


def test_status_reads_a_sweep_that_another_process_ran(tmp_path):
    run_sweep(sweep_of(tmp_path), tmp_path / "out", run=fake_run)
    command = [sys.executable, "-m", "kdshift", "empirical", "status", "--results", str(tmp_path / "out"), "--json"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    (state,) = one_object(made.stdout)["sweeps"]
    assert (state["name"], state["done"], state["left"]) == ("small", 12, 0)
