"""Outcomes against their definitions, on cases that can be worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.bank.outcomes import OUTCOMES, calibration_error, outcomes, text_distances


def test_a_student_that_is_its_teacher_has_no_distance() -> None:
    logits = np.random.default_rng(0).normal(size=(50, 3))
    found = outcomes(logits + 7.0, logits, logits.argmax(axis=1))
    assert set(found) == set(OUTCOMES)
    assert found["distance"] == pytest.approx(0, abs=1e-12)
    assert found["logit_distance"] == pytest.approx(49)  # the shift of all logits changes no probability
    assert found["agreement"] == found["accuracy"] == 1


def test_distance_nll_and_agreement_by_hand() -> None:
    student, teacher = np.log([[0.5, 0.5], [0.9, 0.1]]), np.log([[0.2, 0.8], [0.8, 0.2]])
    found = outcomes(student, teacher, np.array([0, 1]))
    assert found["distance"] == pytest.approx((0.3 + 0.3 + 0.1 + 0.1) / 4)
    assert text_distances(student, teacher) == pytest.approx([0.3, 0.1])
    assert found["nll"] == pytest.approx(-(np.log(0.5) + np.log(0.1)) / 2)
    assert found["agreement"] == 0.5  # of the first text, the student's tie goes to the first class
    assert found["accuracy"] == 0.5


def test_calibration_error_is_zero_where_confidence_is_earned_and_its_gap_where_not() -> None:
    probability = np.tile([0.75, 0.25], (100, 1))
    assert calibration_error(probability, np.repeat([0, 1], [75, 25])) == pytest.approx(0)
    assert calibration_error(probability, np.repeat([0, 1], [50, 50])) == pytest.approx(0.25)
    assert calibration_error(np.array([[1.0, 0.0]]), np.array([1])) == 1
