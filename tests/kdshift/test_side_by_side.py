"""The side-by-side figure shows the curves it is given."""

from __future__ import annotations

import numpy as np
import pytest

from kdshift.side_by_side import error_against_shift
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
