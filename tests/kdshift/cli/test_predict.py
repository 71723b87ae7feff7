"""`kdshift predict` and `export` on a finished fit: a line for every text, one-line mistakes, no PyTorch for static."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.kdshift.fit.commands import run_verb, status_of


def test_every_row_of_a_table_has_its_line(done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = pd.DataFrame({"id": [1, 2, 3, 4], "text": ["good1 good2", "", "bad1 bad2 bad3", "good1 good2"]})
    given.to_csv(tmp_path / "new.csv", index=False)
    run_verb("predict", str(done / "out"), str(tmp_path / "new.csv"))
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 4 and lines[0] == lines[3] and 0 < float(lines[1][1]) <= 1
    run_verb("predict", str(done / "out"), str(tmp_path / "new.csv"), "--json")
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["label"] for answer in answers] == [label for label, _ in lines]
    assert all(answer["probability"] == max(answer["probabilities"].values()) for answer in answers)


def test_a_static_student_predicts_without_pytorch(done: Path) -> None:
    code = (
        "import sys\nfrom kdshift.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as ended:\n    assert not ended.code\n"
        "assert not {'torch', 'transformers'} & set(sys.modules), 'loaded'\n"
    )
    command = [sys.executable, "-c", code, "predict", str(done / "out")]
    ended = subprocess.run(command, input="good1 good2\nbad1\n", text=True, capture_output=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) == 2


def test_mistakes_are_one_line(done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new.csv").write_text("review,stars\na,1\nb,2\n", encoding="utf-8")
    for arguments, message in (
        (("predict", str(tmp_path)), "a folder that kdshift fit has written"),
        (("predict", str(done / "out"), str(tmp_path / "none.txt")), "readable file"),
        (("predict", str(done / "out"), str(tmp_path / "new.csv")), "review, stars"),
        (("export", str(done / "out")), "--onnx"),
        (("export", str(tmp_path), "--onnx"), "a folder that kdshift fit has written"),
    ):
        assert status_of(*arguments) == 2
        said = capsys.readouterr()
        assert said.out == "" and len(said.err.splitlines()) == 1 and message in said.err


def test_a_second_text_needs_a_folder_of_pairs_and_a_column_must_be_there(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(done / "texts.csv")
    for given, message in (
        (("--text-b", "label"), "--text-b: found 'label'"),
        (("--text", "nowhere"), "found 'nowhere'"),
    ):
        assert status_of("predict", str(done / "out"), data, *given) == 2
        assert message in capsys.readouterr().err
