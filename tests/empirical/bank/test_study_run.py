"""Curves on a bank: the arms are what they say, the table is the same bytes after a kill, the teacher is asked once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from empirical.bank.study import Size, Study
from empirical.bank.study_run import MADE, NOISE, TABLE, StudyRun
from tests.empirical.bank.tiny_bank import SHIFTS, Oracle, bank, embeddings

STUDY = {
    "pool": 64,
    "reserve": 32,
    "copies": 2,
    "shifts": SHIFTS,
    "sizes": (Size(data_size=32), Size(data_size=64, copies=1)),
    "unlabelled": (0.5, 1, 2, 4),
    "equal_compute": True,
    "finetune": ("static",),
    "steps": 20,
    "same_teacher": (32,),
    "same_replicates": 2,
}


def study_run(folder: Path, teacher: Oracle, **changes: object) -> StudyRun:
    """A study on the tiny bank; the teachers of subsets answer as the whole one does."""
    study = Study.model_validate({**STUDY, **changes})
    made = bank(folder, pool=64, reserve=32, copies=2)
    out = folder / "study"
    return StudyRun(
        study=study,
        bank=made,
        teacher=teacher,
        embeddings=embeddings(),
        folder=out,
        subset_teacher=lambda own_N, number: teacher,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyRun, Oracle]:
    teacher = Oracle()
    found = study_run(tmp_path_factory.mktemp("finished"), teacher)
    assert found.run() is not None
    return found, teacher


def test_every_arm_has_its_replicates(finished: tuple[StudyRun, Oracle]) -> None:
    table = finished[0].table
    assert table is not None
    small = table[(table["data_size"] == 32) & (table["teacher_arm"] == "whole")]
    cells = small.groupby(["student", "mode", "augmenter", "degree", "amount"])["replicate"].agg(["nunique", "size"])
    assert (cells == 2).all().all()  # 64 texts are two disjoint halves
    names = {"none", "knn", "random"}
    for student, mode in (("linear", "distill"), ("static", "distill"), ("static", "finetune")):
        found = set(small[(small["student"] == student) & (small["mode"] == mode)]["augmenter"])
        extra = {"unlabelled"} if mode == "distill" else set()
        assert found == names | extra | ({"none-twice"} if student == "static" else set())
    amounts = small[small["augmenter"] == "unlabelled"]["amount"]
    assert sorted(amounts.unique()) == [0.5, 1, 2]  # four times 32 texts are not there
    assert (table[table["teacher_arm"] == "same"].groupby(["student", "mode", "augmenter", "degree"]).size() == 2).all()
    large = table[table["data_size"] == 64]
    assert set(large["replicate"]) == {0} and set(large["augmenter"]) >= names
    for name in ("distance", "accuracy", "agreement", "ece"):
        assert table[name].between(0, 1).all()
    assert np.isfinite(table[["logit_distance", "nll"]]).all().all()


def test_more_real_texts_bring_a_linear_student_nearer(finished: tuple[StudyRun, Oracle]) -> None:
    table = finished[0].table
    assert table is not None
    chosen = table[(table["student"] == "linear") & (table["mode"] == "distill") & (table["teacher_arm"] == "whole")]
    means = chosen.groupby(["data_size", "augmenter", "amount"])["logit_distance"].mean()
    assert means[32, "unlabelled", 2] < means[32, "unlabelled", 0.5] < means[32, "none", 0]
    assert means[64, "none", 0] < means[32, "none", 0]


def test_a_second_run_asks_nothing_and_returns_the_table(finished: tuple[StudyRun, Oracle]) -> None:
    first, teacher = finished
    asked = teacher.asked
    again = study_run(first.bank.root.parent, teacher)
    table = again.run()
    assert table is not None and table.equals(first.table)
    (first.folder / TABLE).unlink()
    for path in (first.folder.parent / "parts").glob("linear-distill-32-*"):
        path.unlink()
    anew = study_run(first.bank.root.parent, teacher).run()
    assert anew is not None and anew.equals(table)
    assert teacher.asked == asked


def test_killed_and_resumed_the_table_is_byte_identical(tmp_path: Path, finished: tuple[StudyRun, Oracle]) -> None:
    for most in (150, 100):
        with pytest.raises(KeyboardInterrupt):
            study_run(tmp_path, Oracle(most=most)).run()
    stopped = study_run(tmp_path, Oracle())
    looks = iter(range(1000))
    stopped.stop = lambda: next(looks) > 12
    assert stopped.run() is None
    resumed = study_run(tmp_path, Oracle())
    assert resumed.run() is not None
    for name in (TABLE, NOISE):
        assert (resumed.folder / name).read_bytes() == (finished[0].folder / name).read_bytes(), name
    assert (resumed.folder / MADE).exists()
