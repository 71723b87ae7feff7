"""`kdshift demo --quick`, end to end on real text and real weights; twice; and in a directory of another demo."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest


def demo(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the quick demo in `folder` as a user would."""
    command = [sys.executable, "-m", "kdshift", "demo", "--quick", "--json", "--out", str(folder), *more]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("demo")
    done = demo(folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, json.loads(done.stdout)


def test_the_demo_ends_with_a_page_of_three_sources(finished: tuple[Path, dict]) -> None:
    folder, summary = finished
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert summary["runs"] == {"finished": 3}
    for panel in ("Theory: the repaired risk bound", "Simulation: ridge students", "Text: distilled tweets"):
        assert panel in html
    assert html.count("data:image/png;base64,") == 2
    assert "kdshift empirical sweep demo-quick" in html and "nan" not in html.split("base64,")[0]
    assert summary["verdicts"]["theorem-1"]["theory"] == "contradicted"


def test_students_learned_something_from_real_tweets(finished: tuple[Path, dict]) -> None:
    folder, _ = finished
    frame = pd.read_parquet(folder / "text" / "sweeps" / "demo-quick" / "results.parquet")
    assert set(frame["n_test"]) == {4000}
    assert frame["accuracy"].max() > 0.45  # three classes, a few steps
    assert frame.loc[frame["degree"] == 0.5, "realised_degree"].iloc[0] == pytest.approx(0.5, abs=0.02)


def test_a_second_demo_finds_everything_finished(finished: tuple[Path, dict]) -> None:
    folder, summary = finished
    written = {path: path.stat().st_mtime_ns for path in folder.rglob("result.json")}
    done = demo(folder)
    assert done.returncode == 0
    again = json.loads(done.stdout)
    assert again["verdicts"] == summary["verdicts"] and again["runs"] == summary["runs"]
    assert again["seconds"] < summary["seconds"] / 2
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("result.json")} == written


def test_a_directory_of_another_demo_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo.toml").write_text('sweep = "demo"\n', encoding="utf-8")
    done = demo(tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert "--out" in done.stderr and len(done.stderr.strip().splitlines()) == 1
