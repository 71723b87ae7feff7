"""Who is compared on which texts: never on a scored one that a degree is then used for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kdshift.fit.degree_choice import DegreeCurve
from kdshift.fit.fitting import Fit
from kdshift.fit.folds import TEST
from kdshift.fit.options import FitOptions
from kdshift.fit.own_texts import read_texts
from kdshift.fit.shifting import BLOCKS, Shifting
from tests.empirical import tiny_kd


def stage(folder: Path, rows: int, test: int = 0) -> Shifting:
    """The stage of a fit whose teachers know the labels, before anything was asked."""
    source = tiny_kd.bert(folder / "bert", layers=1)
    data = tiny_kd.table(folder / "texts.csv", rows=rows)
    held = tiny_kd.table(folder / "test.csv", rows=test, seed=9) if test else None
    options = FitOptions(teacher=str(source), max_length=32, degrees=(0.3,), minutes=60)
    fit = Fit(own=read_texts(data, test=held), options=options, folder=folder / "out")
    logits_NC = (3 * np.eye(3)[np.maximum(fit.folds.label_N, 0)]).astype(np.float32)
    return Shifting(fit=fit, logits=[logits_NC for _ in fit.teachers.plan.left])


def test_under_cross_validation_each_part_leaves_its_own_replicate_out(tmp_path: Path) -> None:
    shifting = stage(tmp_path, 120)
    folds, plan = shifting.fit.folds, shifting.fit.teachers.plan
    comparisons = shifting._comparisons(plan)
    assert [fold for fold, _, _ in comparisons] == list(folds.scored)
    assert all(not set(training) & set(scored) for _, training, scored in comparisons)
    distance = np.array([[0.3, 0.1], [0.3, 0.35], [0.3, 0.35], [0.3, 0.29]])
    curve = DegreeCurve(
        augmenter="knn", degrees=(0.0, 0.3), realised=(0.0, 0.3), distance=distance, accuracy=1 - distance
    )
    assert shifting.degrees(curve) == [0.0, 0.3, 0.3, 0.3, 0.3], "only its own replicate was for it in the first part"


def test_with_a_test_file_the_curve_is_measured_within_the_training_texts(tmp_path: Path) -> None:
    shifting = stage(tmp_path, 120, test=60)
    folds = shifting.fit.folds
    test = set(folds.rows(TEST))
    assert test
    several = shifting._comparisons(shifting.fit.teachers.plan)
    alone = shifting.fit.teachers.plan.alone()
    shifting.fit.teachers.plan = alone
    blocks = shifting._comparisons(alone)
    validation = set(shifting.fit.teachers.rows(0)[1])
    assert len(blocks) == BLOCKS and set(np.concatenate([scored for _, _, scored in blocks])) == validation
    for fold, training, scored in (*several, *blocks):
        assert fold is None and len(scored)
        assert not test & {*training, *scored} and not set(training) & set(scored)


def test_time_bounds_copies_and_degrees(tmp_path: Path) -> None:
    shifting = stage(tmp_path, 120)
    rows = len(shifting._rows)
    for name, seconds, expected in (("fast", 1e-6, (1, 4, rows)), ("slow", 1e3, (1, 1, min(100, rows)))):
        shifting.fit.stages.folder = tmp_path / name
        shifting.fit.stages.keep_arrays("answers-0", seconds=np.array(seconds))
        shifting.__dict__.pop("affordable", None)
        found = shifting.affordable
        assert (len(found["degrees"]), found["copies"]) == expected[:2]
        assert found["pool"] >= min(100, rows) and (found["pool"] == rows) == (name == "fast" or rows <= 100)
        assert shifting.fit.stages.facts("copies") == found, "kept: the next call plans the same"


@pytest.mark.parametrize("degree", [0.3])
def test_copies_come_with_the_answers_that_are_allowed(tmp_path: Path, degree: float) -> None:
    shifting = stage(tmp_path, 60)
    shifting.__dict__["affordable"] = {"degrees": [degree], "copies": 1, "pool": 60}
    for number in range(len(shifting.fit.teachers.plan.left)):
        shifting.fit.teachers.train(number, 60.0)
    made, answered = shifting.copies(degree)
    fold_P = shifting.fit.folds.fold_N[made.origin_P]
    for number, logits_PC in enumerate(answered.logits):
        assert np.array_equal(np.isfinite(logits_PC[:, 0]), answered.plan.answers_for(number, fold_P))
    assert np.isfinite(answered.targets(None)).all()
