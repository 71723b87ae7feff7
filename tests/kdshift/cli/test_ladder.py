"""`kdshift ladder` as a user calls it: one JSON object, a table for people, mistakes on one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from empirical.bank.study_run import StudyRun
from kdshift.cli import main
from kdshift.ladder.rungs import RUNGS
from tests.kdshift.ladder.tiny_ladder import tiny_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ladder")


@pytest.fixture(autouse=True)
def tiny_study(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def opened(preset: str, results: Path) -> Iterator[StudyRun]:
        assert preset == "curves-quick"
        yield tiny_run(folder)

    monkeypatch.setattr("kdshift.cli.bank.opened", opened)


def call(folder: Path, *options: str) -> int | str | None:
    try:
        main(["ladder", "--quick", "--augmenter", "knn", "--replicates", "2", "--results", str(folder), *options])
    except SystemExit as end:
        return end.code
    return 0


def test_json_is_one_object_and_the_folder_holds_the_ladder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not call(folder, "--json")
    found = json.loads(capsys.readouterr().out)
    assert [row["rung"] for row in found["moves"]] == [rung.name for rung in RUNGS]
    assert {row["data_size"] for row in found["rungs"]} == {16, 32}
    assert len(found["reading"]) == 1 and found["reading"][0].startswith("knn: the best shift")
    assert {path.name for path in Path(found["folder"]).iterdir()} >= {"ladder.parquet", "reading.txt", "knn.png"}


def test_people_get_a_row_a_rung(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not call(folder, "--out", str(tmp_path / "own"))
    told = capsys.readouterr().out
    assert "Best shift, and the share" in told and "n = 32" in told
    assert (tmp_path / "own" / "ladder.json").exists()


def test_a_mistake_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "--data-size", "17") == 2
    told = capsys.readouterr().err
    assert "data_size" in told and "16, 32" in told and told.count("\n") == 1
