"""Teachers answer for texts they have seen only where validation says that this is better."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from empirical.teachers.cross_fitted import CrossFitting
from kdshift.fit.answer_choice import HeldLosses, chosen_answers, masked

FOLD_N = np.repeat(np.arange(4), 3)
PLAN = CrossFitting.singles(range(4), cross_fitted=True)


def logits() -> list[NDArray[np.float32]]:
    """Teacher t answers t for every text."""
    return [np.full((len(FOLD_N), 2), float(teacher), dtype=np.float32) for teacher in range(4)]


def losses(apart: list[float], everyone: list[float]) -> HeldLosses:
    def held(plan: CrossFitting, given: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        return np.array(apart if plan.cross_fitted else everyone)

    return held


def test_a_masked_answer_is_of_a_teacher_that_has_not_seen_the_text() -> None:
    for number, kept in enumerate(masked(PLAN, logits(), FOLD_N)):
        assert np.array_equal(np.isfinite(kept[:, 0]), FOLD_N == number)


@pytest.mark.parametrize(
    ("apart", "everyone", "cross_fitted"),
    [
        ([0.9, 0.8, 0.9, 0.8], [0.5, 0.5, 0.6, 0.4], False),  # far better
        ([0.9, 0.8, 0.9, 0.8], [1.9, 1.8, 0.9, 0.8], True),  # worse
        ([0.9, 0.8, 0.9, 0.8], [0.1, 1.7, 0.1, 1.45], True),  # better by less than its error
        ([0.9], [0.1], True),  # one replicate has no error to be beyond
    ],
)
def test_seen_texts_are_answered_only_where_it_is_better(
    apart: list[float], everyone: list[float], cross_fitted: bool
) -> None:
    answered, facts = chosen_answers(PLAN, logits(), FOLD_N, losses(apart, everyone))
    assert facts["cross_fitted"] == cross_fitted == answered.plan.cross_fitted
    assert facts["loss_saved_without"] == pytest.approx(np.mean(apart) - np.mean(everyone))
    expected_N = FOLD_N if cross_fitted else np.full(len(FOLD_N), 1.5)
    assert np.allclose(answered.targets(None)[:, 0], expected_N)


def test_a_lone_teacher_answers_for_all_and_nothing_is_compared() -> None:
    def never(*_: object) -> NDArray[np.float64]:
        raise AssertionError

    answered, facts = chosen_answers(CrossFitting.alone(), logits()[:1], FOLD_N, never)
    assert facts == {"cross_fitted": False} and np.isfinite(answered.targets(None)).all()
