"""Mistakes in what `kdshift fit` is given are one line, exit status 2, and nothing half-written."""

from __future__ import annotations

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
    assert not (tmp_path / "out" / "fit.json").exists() and not (tmp_path / "out" / "model").exists()
