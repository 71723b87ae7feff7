"""Mistakes in what `kdshift fit` is given are one line, exit status 2, and nothing half-written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kdshift.cli.fit import _show as show_fit
from tests.empirical import tiny_kd
from tests.kdshift.fit.commands import status_of

WRONG = {
    "no such column": (("--text", "review"), "columns text, label"),
    "a degree in percent": (("--degree", "30"), "did you mean 0.3"),
    "no such student": (("--student", "huge"), "auto, static"),
    "no time": (("--minutes", "0"), "above 0"),
    "no length": (("--max-length", "2"), "--max-length: found 2; allowed: a whole number of tokens >= 4"),
    "a seed below zero": (("--seed", "-1"), "--seed: found -1"),
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


def test_a_folder_that_is_a_file_is_named_before_any_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tiny_kd.table(tmp_path / "texts.csv", rows=60)
    for out in (data, data / "below"):
        assert status_of("fit", str(data), "--out", str(out)) == 2
        assert "kdshift: --out: found" in capsys.readouterr().err.splitlines()[-1]


def test_texts_longer_than_the_teacher_reads_are_told_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(f"good{at} " * 80 if at % 2 else f"bad{at}", "good" if at % 2 else "bad") for at in range(60)]
    (tmp_path / "texts.csv").write_bytes(table_of(rows))
    teacher = str(tiny_kd.bert(tmp_path / "bert", layers=1))
    given = ("--teacher", teacher, "--max-length", "100", "--out", str(tmp_path / "out"))
    assert status_of("fit", str(tmp_path / "texts.csv"), *given) == 2
    assert "--max-length: found 100; allowed: up to 64" in capsys.readouterr().err.splitlines()[-1]


def test_what_the_next_command_is_follows_what_ships(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"scores": {}, "measure": "accuracy", "protocol": "test", "recommendation": {"sentence": "so."}}
    show_fit({**facts, "ship": "bag_of_words"}, Path("out"))
    assert capsys.readouterr().out.endswith("next: kdshift predict out new.csv --model bag-of-words\n")
    show_fit({**facts, "ship": "student"}, Path("out"))
    assert "kdshift export out" in capsys.readouterr().out


def test_a_wish_that_no_student_meets_is_told_before_any_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("trained")

    monkeypatch.setattr("kdshift.fit.own_teachers.learn", never)
    data = tiny_kd.table(tmp_path / "texts.csv", rows=60)
    given = ("--teacher", str(tiny_kd.bert(tmp_path / "bert", layers=1)), "--max-length", "12")
    assert status_of("fit", str(data), *given, "--max-megabytes", "0.001", "--out", str(tmp_path / "out")) == 2
    assert "--max-megabytes: found '0.001'; allowed: more: no student (auto)" in capsys.readouterr().err
