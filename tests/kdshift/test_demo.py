"""`kdshift demo --quick`, end to end on real text and real weights; twice; and in a directory of another demo."""

from __future__ import annotations

import contextlib
import io
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from empirical.tasks.spec import RawTask
from empirical.tasks.tweets import read_tweets
from kdshift.cli import main


def demo(folder: Path) -> tuple[int, str, str]:
    """Exit status, output and messages of the quick demo in `folder`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["demo", "--quick", "--json", "--out", str(folder)])
        except SystemExit as ended:
            return int(ended.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module", autouse=True)
def few_test_texts() -> Iterator[None]:
    """Real tweets, but 600 of the 4,000 that every network is scored on."""

    def few() -> RawTask:
        raw = read_tweets()
        return replace(raw, test=raw.test.take(range(600)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("empirical.tasks.load.read_tweets", few)
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("demo")
    status, out, err = demo(folder)
    assert status == 0, err[-2000:]
    return folder, json.loads(out)


def test_the_demo_ends_with_a_page_that_opens_with_what_was_found(finished: tuple[Path, dict]) -> None:
    folder, summary = finished
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert summary["runs"] == {"finished": 2} and len(html.encode()) < 2_000_000
    head = html[html.index("<body>") : html.index("One question, seen")]
    for sentence in summary["found"]:
        assert sentence in head.replace("&#39;", "'")
    assert "kdshift fit reviews.csv" in head and "bag of words, 55 gold labels" in head and "run time" in head
    assert "http://" not in head and "https://" not in head and "nan" not in head.casefold()
    assert summary["verdicts"]["theorem-1"]["theory"] == "contradicted"


def test_the_charts_hold_the_tables_numbers(finished: tuple[Path, dict]) -> None:
    folder, _ = finished
    html = (folder / "report.html").read_text(encoding="utf-8")
    charts = dict(re.findall(r'<script type="application/json" id="spec-([\w-]+)">(.*?)</script>', html, re.DOTALL))
    (table,) = (pd.read_parquet(path) for path in folder.rglob("curves.parquet"))
    chosen = table[(table["student"] == "static") & (table["data_size"] == 55)]
    wide = chosen.pivot_table(index="replicate", columns=["augmenter", "degree"], values="distance")
    rows = [row for values in json.loads(charts["gain-55"])["datasets"].values() for row in values if "gain" in row]
    shown = {(row["augmenter"], row["degree"]): row["gain"] for row in rows if row["measure"] == "distance"}
    assert shown["knn", 0.8] == pytest.approx((wide["none", 0.0] - wide["knn", 0.8]).mean(), abs=1e-9)
    assert {name for name, _ in shown} == {"knn", "random"} and all(
        value == 0 for (_, d), value in shown.items() if not d
    )


def test_students_learned_something_from_real_tweets(finished: tuple[Path, dict]) -> None:
    folder, _ = finished
    frame = pd.read_parquet(folder / "sweeps" / "demo-quick" / "results.parquet")
    assert frame["accuracy"].max() > 0.4  # three classes, a few steps
    assert frame.loc[frame["degree"] == 0.5, "realised_degree"].iloc[0] == pytest.approx(0.5, abs=0.02)


def test_a_second_demo_finds_everything_finished(finished: tuple[Path, dict]) -> None:
    folder, summary = finished
    written = {path: path.stat().st_mtime_ns for path in folder.rglob("result.json")}
    began = time.perf_counter()
    status, out, _ = demo(folder)
    assert status == 0
    again = json.loads(out)
    assert again["verdicts"] == summary["verdicts"] and again["runs"] == summary["runs"]
    assert again["seconds"] == summary["seconds"] and time.perf_counter() - began < summary["seconds"]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("result.json")} == written


def test_a_directory_of_another_demo_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo.toml").write_text('sweep = "demo"\n', encoding="utf-8")
    status, out, err = demo(tmp_path)
    assert status == 2 and out == ""
    assert "--out" in err and len(err.strip().splitlines()) == 1
