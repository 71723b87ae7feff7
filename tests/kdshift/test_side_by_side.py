"""The side-by-side figures show the curves they are given, with their best shifts."""

from __future__ import annotations

import numpy as np
import pytest

from kdshift.side_by_side import best_shift_against_size, by_variant, error_against_shift, fitted
from theory.inference.curve import ShiftErrorCurve

TAU = np.geomspace(0.01, 1.0, 7)


def curve(size: float, best: float = 0.1, name: str = "tau") -> ShiftErrorCurve:
    error = 0.2 + 0.05 * np.log(TAU / best) ** 2
    return ShiftErrorCurve(shift=TAU, error=error, error_se=np.zeros(7), data_size=size, shift_name=name)


def test_a_panel_a_source_and_a_line_a_size() -> None:
    figure = error_against_shift({"Theory": ([curve(100), curve(30)], "bound"), "Text": ([curve(9)], "error")})
    left, right = figure.axes
    assert left.get_title(loc="left") == "Theory" and left.get_ylabel() == "bound" and right.get_ylabel() == "error"
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["n = 30", "n = 100"]
    assert left.get_lines()[0].get_ydata() == pytest.approx(curve(30).error)


def test_augmenters_side_by_side_are_named() -> None:
    figure = by_variant(
        {"degree": {"knn": curve(50, name="degree"), "random": curve(50, 0.2, name="degree")}}, "n = 50"
    )
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["knn", "random"]


def test_best_shifts_have_a_law_only_where_there_is_one() -> None:
    law = fitted([curve(size, 2 / size**0.5).optimum() for size in (50, 200, 800)])
    assert law is not None and law.exponent == pytest.approx(-0.5, abs=1e-6)
    assert fitted([curve(50).optimum()]) is None
    degree = ShiftErrorCurve(shift=[0.0, 0.5], error=[0.1, 0.2], error_se=[0.0, 0.0], data_size=9, shift_name="degree")
    assert fitted([degree.optimum(), curve(50).optimum()]) is None
    figure = best_shift_against_size({"Theory": [curve(size, 2 / size**0.5) for size in (50, 200, 800)]})
    assert "exponent -0.50" in figure.axes[0].get_title(loc="left")
