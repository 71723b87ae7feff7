"""Mistakes in what `kdshift fit` is given are one line, exit status 2, and nothing half-written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.empirical import tiny_kd
from tests.kdshift.fit.commands import status_of

WRONG = {
    "no such column": (("--text", "review"), "columns text, label"),
    "a degree in percent": (("--degree", "30"), "did you mean 0.3"),
    "no such student": (("--student", "huge"), "auto, static"),
    "no time": (("--minutes", "0"), "above 0"),
    "a dead endpoint": (("--teacher", "http://127.0.0.1:9/v1#m"), "6 attempts"),
}


@pytest.mark.parametrize("case", WRONG)
def test_mistakes_are_one_line_and_nothing_is_written(
    tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("empirical.endpoint.FIRST_WAIT", 0.0)
    options, message = WRONG[case]
    data = tiny_kd.table(tmp_path / "texts.csv", rows=60)
    assert status_of("fit", str(data), *options, "--out", str(tmp_path / "out")) == 2
    said = capsys.readouterr()
    assert said.out == "" and message in said.err.splitlines()[-1] and "Traceback" not in said.err
    assert not (tmp_path / "out").exists()


def table_of(rows: list[tuple[str, str]]) -> bytes:
    return "\n".join(["text,label", *(",".join(row) for row in rows)]).encode()


FILES = {
    "empty": (b"", "no rows"),
    "a header alone": (b"text,label\n", "no rows"),
    "binary": (bytes(range(256)) * 8, "UTF-8|binary"),
    "two rows": (table_of([("one text", "a"), ("another", "b")]), "2 labelled texts"),
    "one class": (table_of([(f"text {at}", "a") for at in range(40)]), r"one class \(a\)"),
    "ten thousand labels": (
        table_of([(f"text {at}", f"label {at}") for at in range(10_000)]),
        "10000 different labels",
    ),
    "a rare class": (table_of([(f"text {at}", "ab"[at > 37]) for at in range(40)]), "'b' on 2 of 40"),
}


@pytest.mark.parametrize("case", FILES)
def test_files_that_are_no_texts_are_one_line_and_leave_nothing(
    tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, message = FILES[case]
    (tmp_path / "texts.csv").write_bytes(content)
    assert status_of("fit", str(tmp_path / "texts.csv"), "--out", str(tmp_path / "out"), "--json") == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and re.search(message, said.err)
    assert not (tmp_path / "out").exists()


def test_what_a_column_may_have_meant_is_guessed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{'word ' * 9}{at};{at % 3}" for at in range(40)]
    (tmp_path / "texts.csv").write_text("\n".join(["review;stars", *rows]), encoding="utf-8")
    assert status_of("fit", str(tmp_path / "texts.csv")) == 2
    assert "did you mean --text review --label stars?" in capsys.readouterr().err
