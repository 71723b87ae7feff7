"""The cards say what was found in one sentence, and what was not decided or tried."""

from __future__ import annotations

from typing import Any

import pytest

from kdshift.fit.card import headline, open_questions


def summary(**changes: Any) -> dict[str, Any]:
    plain = {
        "recommendation": {
            "verdict": "supported", "replicates": 4, "low": 0.01, "high": 0.03, "points": 1.0, "points_low": 0.5,
            "points_high": 1.5, "augmenter": "knn", "sentence": "knn 40 %: distance smaller",
        },
        "student_against_bag_of_words": {"points": 2.0, "low": 0.5, "high": 3.5},
        "measure": "accuracy",
        "student": {"kinds_tried": ["static", "encoder", "bilstm"]},
        "answer_choice": {"cross_fitted": True},
    }  # fmt: skip
    for name, change in changes.items():
        plain[name] = {**plain[name], **change} if isinstance(change, dict) else change
    return plain


def test_where_all_is_decided_only_the_neighbouring_degree_stays_open() -> None:
    assert len(open_questions(summary())) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recommendation": {"verdict": "undecided", "low": -0.01}}, "Whether augmentation helps"),
        ({"recommendation": {"points_low": -0.5}}, "Whether it changes accuracy"),
        ({"student_against_bag_of_words": {"low": -1.0}}, "bag of words is better"),
        ({"student": {"kinds_tried": ["static"]}}, "encoder or bilstm would be the better student: not tried"),
        ({"answer_choice": {"cross_fitted": False, "standard_error": 0.1}}, "did better than cross-fitting"),
        ({"measure": "agreement with the teacher"}, "How often the student is right"),
    ],
)
def test_what_is_open_is_said(changes: dict[str, Any], words: str) -> None:
    lines = open_questions(summary(**changes))
    assert len(lines) == 2 and any(words in line for line in lines)


def test_the_headline_is_a_sentence() -> None:
    assert headline(summary()) == "knn 40 %: distance smaller."
    other = summary(recommendation={"sentence": "no degree is distinguishable"})
    assert headline(other) == "No degree is distinguishable."
