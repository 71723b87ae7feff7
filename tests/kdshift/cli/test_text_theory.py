"""`kdshift empirical excess | terms` as a user calls them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from empirical.bank.study_run import StudyRun
from kdshift.cli import main
from tests.kdshift.ladder.tiny_ladder import tiny_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("theory")


@pytest.fixture(autouse=True)
def tiny_study(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def opened(preset: str, results: Path) -> Iterator[StudyRun]:
        yield tiny_run(folder)

    monkeypatch.setattr("kdshift.cli.bank.opened", opened)


def call(folder: Path, verb: str, *options: str) -> int | str | None:
    try:
        main(["empirical", verb, "--results", str(folder), "--augmenter", "knn", "--replicates", "2", *options])
    except SystemExit as end:
        return end.code
    return 0


def test_excess_prints_curves_and_keeps_its_tables(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not call(folder, "excess", "--json")
    found = json.loads(capsys.readouterr().out)
    assert len(found["curves"]) == 2 * 5 and found["students"] == []  # two sizes, four penalties and the chosen one
    assert "of 10 curves" in found["reading"][0]
    assert {path.name for path in Path(found["folder"]).glob("*.*")} == {
        "excess.parquet", "agreement.parquet", "reading.txt",
    }  # fmt: skip


def test_terms_print_a_row_a_degree(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert not call(folder, "terms", "--data-size", "16")
    told = capsys.readouterr().out
    assert "mean rank correlation" in told and told.count("knn, n = 16") == 3
    assert not call(folder, "terms", "--data-size", "16", "--json")
    found = json.loads(capsys.readouterr().out)
    assert {row["term"] for row in found["ranks"]} >= {"sum", "population_l1"}


@pytest.mark.parametrize("verb", ["excess", "terms"])
def test_a_mistake_is_one_line(folder: Path, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, verb, "--data-size", "17") == 2
    told = capsys.readouterr().err
    assert "data_size" in told and told.count("\n") == 1
