"""A finished study is kept with how it was made; one that is not finished is not kept."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from empirical.bank.plan import Shift
from empirical.bank.study import Size, Study
from empirical.bank.study_table import TABLE
from empirical.config import TaskConfig, TrainConfig
from empirical.runs.study_record import PROVENANCE, keep_study
from empirical.runs.study_teachers import open_study
from kdshift.page.results_page import baselines
from tests.empirical import tiny_kd
from theory.errors import InputError


def test_tables_and_what_made_them(tmp_path: Path) -> None:
    tiny = tiny_kd.run(tmp_path)
    assert tiny.teacher is not None
    train = TrainConfig(steps=2, batch_size=8, learning_rate=1e-3, alpha=1.0, gamma=1.0)
    study = Study(title="small", task=TaskConfig(name=tiny.task.name, max_length=32), teacher=tiny.teacher,
                  teacher_train=train, pool=32, copies=1, students=("linear",), finetune=(),
                  shifts=(Shift(augmenter="random", degrees=(0.5,)),), sizes=(Size(data_size=16),))  # fmt: skip
    run = open_study(study, "mine", tmp_path / "results")
    with pytest.raises(InputError, match="a finished one"):
        keep_study(run, "mine", tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
    table = run.run()
    keep_study(run, "mine", tmp_path / "kept")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "kept" / TABLE), table)
    made = json.loads((tmp_path / "kept" / PROVENANCE).read_text("utf-8"))
    assert made["command"] == "kdshift empirical curves mine" and made["students"] == len(table) == 4
    assert made["parts"] == {"linear-distill-16-whole": made["parts"]["linear-distill-16-whole"]}
    assert made["networks"] == 0 and made["copies"] == 1 and made["answers_kept"] > 32
    assert made["teacher"]["steps"] == 2 and 0 < made["teacher"]["accuracy_test"] < 1 and "torch" in made["versions"]
    assert baselines(tmp_path / "kept") == [
        ("the teacher's accuracy", f"{100 * made['teacher']['accuracy_test']:.1f} %")
    ]
