"""The answer says what the intervals say: a gain where there is one, and that none is distinguishable where not."""

from __future__ import annotations

import math
import re

import numpy as np

from empirical.bank.exchange import ExchangeRate
from kdshift.page.answer import findings, sentences, worth
from kdshift.page.frames import TextCurve
from kdshift.page.results_page import worth_table
from theory.inference.curve import ShiftErrorCurve


def text(size: int, gain: float, noise: float, augmenter: str = "knn") -> TextCurve:
    rng = np.random.default_rng(size)
    table = 0.2 - np.array([0.0, gain, gain / 2]) + rng.normal(0, noise, (8, 3))
    curve = ShiftErrorCurve.from_replicates([0.0, 0.5, 0.9], table, size, shift_name="degree")
    return TextCurve(augmenter=augmenter, data_size=size, curve=curve)


def test_a_gain_is_told_with_its_interval_and_noise_is_not_a_gain():
    curves = [text(55, 0.02, 0.001), text(880, 0.0, 0.004), text(55, 0.015, 0.001, "random")]
    small, large, peaks = sentences(findings(curves, []))
    assert small.startswith("With 55 texts, changing 50% of the words by kNN replacement brings a student 10% [")
    assert "no degree of kNN replacement is distinguishable from none" in large
    assert large.endswith(": a shift is worth more with 55 texts.")
    assert "random replacement at 50%" in peaks


def test_accuracy_is_a_gain_only_where_its_interval_says_so():
    near, clear, not_clear = text(55, 0.02, 0.001), text(55, 0.02, 0.001), text(55, 0.001, 0.02)
    (line,) = sentences(findings([near], [clear]))
    assert re.search(r" closer to its teacher and \+[12]\.\d points of accuracy \[", line)
    (line,) = sentences(findings([near], [not_clear]))
    assert " closer to its teacher; accuracy does not tell it from none (" in line


def test_accuracy_is_that_of_the_degree_that_is_named():
    """Best in distance at 90 %, where accuracy falls; it rises at 50 %, of which nothing is said."""
    rng, noise = np.random.default_rng(0), 0.001
    tables = (0.2 - np.array([0.0, 0.01, 0.03]), 0.3 - np.array([0.0, 0.03, -0.03]))
    near, right = (
        TextCurve(augmenter="knn", data_size=55, curve=ShiftErrorCurve.from_replicates(
            [0.0, 0.5, 0.9], table + rng.normal(0, noise, (8, 3)), 55, shift_name="degree"))
        for table in tables
    )  # fmt: skip
    (line,) = sentences(findings([near], [right]))
    assert "changing 90% of the words" in line and re.search(r"costs accuracy \(-[23]\.\d points \[-", line)


def test_what_it_is_worth_is_told_of_the_smallest_size_in_texts():
    rates = {
        ("static", "knn", size): ExchangeRate(rate=0.3, low=0.2, high=high, replicates=8, most=4.0)
        for size, high in ((220, 0.4), (50, 0.4))
    }
    (line,) = worth(rates, "static")
    assert "augmented copies of 50 texts, by kNN replacement" in line and "worth 15 [10, 20] further real texts" in line
    assert worth(rates, "linear") == [] and worth({}, "static") == []
    unknown = ExchangeRate(rate=0.3, low=0.0, high=math.inf, replicates=2, most=4.0)
    assert "of 220 texts" in worth({**rates, ("static", "knn", 50): unknown}, "static")[0]
    (table,) = worth_table(rates, "kdshift empirical curves")
    assert [cell.text for row in table.rows for cell in row] == ["kNN replacement", "15 [10, 20]", "66 [44, 88]"]
    assert worth_table({}, "") == []


def test_harm_is_called_harm_and_one_replicate_tells_nothing():
    (harm,) = sentences(findings([text(55, -0.02, 0.001)], []))
    assert "every degree of kNN replacement takes a student further from its teacher" in harm
    single = ShiftErrorCurve(
        shift=[0.0, 0.5], error=[0.3, 0.2], error_se=[0.01, 0.01], data_size=55, shift_name="degree"
    )
    (line,) = sentences(findings([TextCurve(augmenter="knn", data_size=55, curve=single)], []))
    assert "one replicate of kNN replacement tells of no degree" in line and "nan" not in line


def test_no_trend_is_claimed_where_intervals_meet():
    lines = sentences(findings([text(55, 0.01, 0.004), text(880, 0.01, 0.004)], []))
    assert not any("worth more" in line for line in lines)


def test_without_curves_the_command_is_told():
    (line,) = sentences([])
    assert "kdshift empirical curves" in line
