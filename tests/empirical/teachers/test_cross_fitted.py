"""Who may answer for whom: never a teacher for its own training fold, unless everybody does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from empirical.teachers.cross_fitted import CrossFitting

FOLD_N = np.array([0, 0, 1, 1, 2, 2, 3, 3, -1, -2])  # the last two in no fold that anybody was trained without


@pytest.mark.parametrize("plan", [CrossFitting.pairs(range(4)), CrossFitting.singles(range(4), cross_fitted=True)])
def test_a_text_is_answered_by_those_who_were_trained_without_it(plan: CrossFitting) -> None:
    for number, left in enumerate(plan.left):
        asked_N = plan.answers_for(number, FOLD_N)
        assert set(FOLD_N[asked_N]) == {*left, -1, -2}
    everyone = replace(plan, cross_fitted=False)
    assert all(everyone.answers_for(number, FOLD_N).all() for number in range(len(plan.left)))


def test_a_scored_student_learns_from_teachers_without_its_texts() -> None:
    plan = CrossFitting.pairs(range(4))
    assert len(plan.left) == 6
    for fold in range(4):
        assert [plan.left[number] for number in plan.teachers_of(fold)] == [left for left in plan.left if fold in left]
    assert plan.teachers_of(None) == list(range(6)) == plan.teachers_of(9)


def test_targets_are_means_over_those_who_answered() -> None:
    plan = CrossFitting.singles(range(2), cross_fitted=True)
    logits = [np.array([[1.0], [np.nan], [4.0]], np.float32), np.array([[np.nan], [2.0], [8.0]], np.float32)]
    assert plan.targets(logits, None)[:, 0].tolist() == [1.0, 2.0, 6.0]
    only = plan.targets(logits, 1)[:, 0]
    assert np.isnan(only[0]) and only[1:].tolist() == [2.0, 8.0]
    assert CrossFitting.alone().answers_for(0, FOLD_N).all()
