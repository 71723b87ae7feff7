"""Where the theory says nothing: marked bounds, one sentence, nothing said where it speaks."""

from __future__ import annotations

import numpy as np
import pytest

from theory.degree import recommend
from theory.evaluate import evaluate


def bounds(**setting: float) -> dict:
    values = {"epsilon": 0.5, "delta": 0.1, **setting}
    return evaluate(**{name: np.asarray(float(value)) for name, value in values.items()}).one()["repaired"]


def test_no_bound_of_two_or_more_is_printed_without_a_mark() -> None:
    for setting in ({"tau": 1e-4}, {"tau": 0.3}, {}, {"tau": 1e-9}):
        found = bounds(dimension=5, data_size=100, **setting)
        above = {
            name
            for name in ("deviation", "mean_bound_simple", "mean_bound", "l1_bound", "l1_bound_at_tau_star")
            if found[name] is not None and found[name] >= 2
        }
        assert above <= set(found["vacuous"])
        assert ("l1_bound" in found["vacuous"]) == (found["l1_bound"] >= 2) == (found["silence"] is not None)


def test_the_sentence_names_the_reason() -> None:
    assert "2 or more" in bounds(dimension=5, data_size=1000, tau=1e-6)["silence"]
    assert "speaks at its best tau" in bounds(dimension=2, data_size=1000, tau=1e-9)["silence"]
    assert "no tau brings the mean bound below 2" in bounds(dimension=768, data_size=1000)["silence"]
    assert bounds(dimension=2, data_size=1000, tau=0.1)["silence"] is None
    assert bounds(dimension=2, tau=0.1)["silence"] is None  # no data size was given, nothing was asked


def test_deviations_beyond_double_precision_are_marked() -> None:
    found = bounds(dimension=1000, data_size=1, tau=1e-12)
    assert found["deviation"] is None and "deviation" in found["vacuous"]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"dimension": 22, "trust_radius": 5.8}, "no best tau"),
        ({"dimension": 22, "task_length": 20.0, "displacement": 0.03}, "beyond this augmenter's reach"),
        ({"dimension": 2, "task_length": 20.0, "displacement": 0.03}, None),
        ({"dimension": 2}, None),
        ({}, None),
    ],
)
def test_a_recommendation_says_when_it_names_no_degree(setting: dict[str, float], words: str | None) -> None:
    found = recommend(1000, **setting)
    assert found.silence is None if words is None else words in str(found.silence)
    assert found.degree_at_limit == (words is not None and "reach" in words)
