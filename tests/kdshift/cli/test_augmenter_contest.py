"""`kdshift empirical equal-seconds` on the tiny task: the table, what is kept, the same again without work."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from empirical.bank.equal_seconds import Contest
from empirical.runs.run import ensure_teacher
from kdshift.cli.augmenter_contest import equal_seconds
from tests.empirical.tiny_kd import run
from theory.errors import InputError

STUDY = """
pool = 48
copies = 1
steps = 20
students = ["static"]
finetune = []
teacher_train = "none"
[task]
name = "{task}"
max_length = 32
[teacher]
name = "{teacher}"
[[shifts]]
augmenter = "knn"
neighbours = 3
degrees = [0.3, 0.6]
[[shifts]]
augmenter = "flip"
neighbours = 3
degrees = [0.5]
[[sizes]]
data_size = 12
[[sizes]]
data_size = 24
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The tiny task with its trained teacher."""
    folder = tmp_path_factory.mktemp("contest")
    ensure_teacher(run(folder), folder / "results")
    return folder


def test_rows_for_every_entrant_and_size_and_nothing_is_fitted_twice(place, tmp_path, capsys, monkeypatch):
    teacher = next((place / "results" / "teachers").glob("*/model"))
    source = tmp_path / "tiny.toml"
    source.write_text(STUDY.format(task=place / "texts.csv", teacher=teacher))
    equal_seconds(str(source), results=tmp_path / "results", out=tmp_path / "out", json=True)
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert output.out.count("\n") == 1
    rows = {(row["data_size"], row["augmenter"]): row for row in found["rows"]}
    labels = {"knn", "knn, low-entropy", "knn, high-entropy", "flip"}
    assert set(rows) == {(size, label) for size in (12, 24) for label in labels}
    assert all(rows[24, label]["degree"] == rows[12, label]["degree"] for label in labels)
    table = pd.read_parquet(tmp_path / "out" / "table.parquet")
    assert set(table["augmenter"]) == {"none", *labels}
    assert table[(table["data_size"] == 24) & (table["augmenter"] == "knn")]["degree"].nunique() == 1
    kept = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert kept["rows"] == found["rows"] and (tmp_path / "out" / "prices.json").is_file()

    monkeypatch.setattr(Contest, "fit", lambda *given: pytest.fail("fitted again"))
    equal_seconds(str(source), results=tmp_path / "results")
    assert "Augmenters at equal seconds" in capsys.readouterr().out


def test_some_sizes_only(place, tmp_path, capsys):
    teacher = next((place / "results" / "teachers").glob("*/model"))
    source = tmp_path / "tiny.toml"
    source.write_text(STUDY.format(task=place / "texts.csv", teacher=teacher))
    with pytest.raises(InputError, match=r"--sizes: found '13'; allowed: some of 12, 24"):
        equal_seconds(str(source), sizes=(13,), results=tmp_path / "results")
    equal_seconds(str(source), sizes=(12,), results=tmp_path / "results", json=True)
    assert {row["data_size"] for row in json.loads(capsys.readouterr().out)["rows"]} == {12}


def test_an_unknown_preset_is_told(tmp_path):
    with pytest.raises(InputError, match=r"preset: found 'augmenters-tweet'.*augmenters-tweets"):
        equal_seconds("augmenters-tweet", results=tmp_path)
