"""The gains that are drawn are the paired differences to the smallest shift."""

from __future__ import annotations

import numpy as np

from kdshift.gain_figures import gain_panels
from theory.inference.curve import ShiftErrorCurve

TABLE = np.array([[0.5, 0.4, 0.45], [0.7, 0.55, 0.65], [0.6, 0.5, 0.55]])


def curve(size: int) -> ShiftErrorCurve:
    return ShiftErrorCurve.from_replicates(np.array([0.0, 0.3, 0.9]), TABLE, size)


def test_a_panel_a_size_and_lines_of_paired_gains() -> None:
    figure = gain_panels({"": {"knn": [curve(50), curve(200)], "random": [curve(50)]}}, "points", scale=100)
    first, second = figure.axes
    assert [len(panel.get_lines()) - 1 for panel in (first, second)] == [2, 1]  # the zero line stands in each
    expected = 100 * (TABLE[:, :1] - TABLE).mean(axis=0)
    np.testing.assert_allclose(first.get_lines()[1].get_ydata(), expected)
    assert first.get_title(loc="left") == "n = 50" and first.get_ylabel() == "points"


def test_one_replicate_has_a_line_and_no_band() -> None:
    single = ShiftErrorCurve(
        shift=np.array([0.0, 0.5]), error=np.array([0.4, 0.3]), error_se=np.zeros(2), data_size=50, shift_name="degree"
    )
    panel = gain_panels({"": {"knn": [single]}}, "gain").axes[0]
    assert not panel.collections and len(panel.get_lines()) == 2
