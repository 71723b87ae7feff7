"""The rule of thumb of section 5.1, degree <-> tau, and the recommendation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory import degree, repaired, risk
from theory.errors import InputError


def test_rule_of_thumb() -> None:
    sizes = [1, 9_999, 10_000, 50_000, 100_000, 100_001, 392_700]
    assert degree.rule_of_thumb(sizes).tolist() == [0.5, 0.5, 0.3, 0.3, 0.3, 0.1, 0.1]
    assert degree.rule_of_thumb(2_500) == 0.5


@given(share=st.floats(1e-6, 1), length=st.floats(1, 512), displacement=st.floats(1e-6, 10))
def test_degree_round_trip(share: float, length: float, displacement: float) -> None:
    tau = degree.tau_from_degree(share, task_length=length, displacement=displacement)
    assert degree.degree_from_tau(tau, task_length=length, displacement=displacement) == pytest.approx(share, rel=1e-12)
    assert degree.degree_from_tau(1e9, task_length=length, displacement=displacement) == 1


def test_tau_of_a_degree_is_the_variance_that_moved_tokens_add() -> None:
    """A text is the sum of its tokens' vectors; changed ones are drawn afresh."""
    rng = np.random.default_rng(2)
    length, texts, d = 20, 4000, 3
    tokens = rng.standard_normal((texts, length, d)) * np.array([1.0, 2.0, 0.5])
    fresh = rng.standard_normal((texts, length, d)) * np.array([1.0, 2.0, 0.5])
    total = tokens.sum(axis=1).var(axis=0).sum()
    one = np.mean(np.sum((fresh[:, 0] - tokens[:, 0]) ** 2, axis=1)) / total
    changed = np.sum((fresh - tokens)[:, :6], axis=1)
    tau = np.mean(np.sum(changed**2, axis=1)) / total
    assert degree.tau_from_degree(0.3, task_length=length, displacement=one) == pytest.approx(tau, rel=0.08)


def test_recommendation() -> None:
    found = degree.recommend(
        2440, dimension=8, task_length=20, displacement=0.05, trust_radius=4.0, teacher_epsilon=0.1
    )
    assert found.rule_degree == 0.5
    assert found.tau_star == pytest.approx(float(risk.best_tau(2440, 8, 4.0, 0.1)))
    assert found.degree == pytest.approx(found.tau_star)  # 20 * 0.05 = 1
    assert found.text_l1_at_least > 1.9999 and found.text_log_data_size == pytest.approx(987.74, abs=0.01)
    assert repaired.floor_over_tau_log(found.text_log_data_size, 768) == pytest.approx(1, rel=1e-9)
    many = degree.recommend(244_000, dimension=8)
    assert many.tau_star < found.tau_star and many.degree is None and many.rule_degree == 0.1
    assert degree.recommend(2440, dimension=10, task_length=5, displacement=0.01).degree_at_limit
    assert degree.recommend(2440, dimension=768).tau_star is None
    assert degree.recommend(50).dimension is None


@pytest.mark.parametrize("options", [
    {"task_length": 10.0}, {"displacement": 1.0}, {"dimension": 4, "task_length": 10.0, "displacement": 0.0},
    {"dimension": 4, "task_length": math.inf, "displacement": 1.0}, {"dimension": 0}, {"data_size": 0},
])  # fmt: skip
def test_mistakes_are_input_errors(options: dict) -> None:
    with pytest.raises(InputError):
        degree.recommend(**({"data_size": 100} | options))
    with pytest.raises(InputError):
        degree.tau_from_degree(1.5, task_length=10, displacement=1)
