"""`kdshift empirical signals`: tables that are missing are named; the ranking is printed and kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace

import pandas as pd
import pytest

from empirical.bank.making import make_bank
from empirical.bank.study import Size, Study
from kdshift.cli.signals import signals
from tests.empirical.bank import tiny_bank
from theory.errors import InputError


@dataclass
class Opened:
    """A study opened on the tiny bank."""

    bank: object
    teacher: object
    study: Study
    count: int = field(default=0)


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Opened:
    bank, oracle = tiny_bank.bank(tmp_path_factory.mktemp("signals")), tiny_bank.Oracle()
    make_bank(bank, oracle)
    plan = bank.plan
    study = Study(
        task=plan.task, pool=plan.pool, reserve=plan.reserve, copies=plan.copies, shifts=plan.shifts,
        sizes=(Size(data_size=16),),
    )  # fmt: skip
    return Opened(bank, oracle, study)


def test_the_ranking_is_kept_and_printed(opened, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("empirical.bank.study.load_study", lambda source: opened.study)
    run = SimpleNamespace(bank=opened.bank, teacher=opened.teacher)
    monkeypatch.setattr("empirical.runs.study_teachers.open_study", lambda *given: run)
    lead = {"teacher_arm": "whole", "mode": "distill", "student": "static", "data_size": 16, "amount": 0}
    cells = [("knn", 0.3), ("knn", 0.8), ("random", 0.5)]
    rows = [{**lead, "augmenter": name, "degree": degree, "distance": degree} for name, degree in cells]
    pd.DataFrame(rows).to_parquet(tmp_path / "curves.parquet")
    shift = {"augmenter": ["knn", "random"], "degree": [0.5, 0.5], "tau": [0.1, 0.4]}
    pd.DataFrame(shift).to_parquet(tmp_path / "shift.parquet")
    given = {"curves": tmp_path / "curves.parquet", "shift": tmp_path / "shift.parquet", "results": tmp_path}
    signals("tiny", **given, out=tmp_path / "out", json=True)
    found = json.loads(capsys.readouterr().out)
    assert (
        found["cells"] == 3 and found["ranking"] == json.loads((tmp_path / "out/ranking.json").read_text())["ranking"]
    )
    assert {row["signal"] for row in found["ranking"]} >= {"t_stddev", "entropy", "tau"}
    assert len(pd.read_parquet(tmp_path / "out" / "table.parquet")) == 3
    signals("tiny", **given)
    assert "Degree without training" in capsys.readouterr().out


def test_a_table_that_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match=r"--curves: found .*nowhere"):
        signals("curves-tweets", curves=tmp_path / "nowhere", results=tmp_path)
