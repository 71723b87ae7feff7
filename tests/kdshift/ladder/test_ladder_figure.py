"""The ladder drawn: panels in the order of the rungs, a line a size, token shifts at the tau they were measured at."""

from __future__ import annotations

import numpy as np

from kdshift.ladder.ladder_figure import draw_ladder
from kdshift.ladder.rungs import RUNGS
from tests.kdshift.ladder.built_ladder import DEGREE, SIZES, built


def test_the_figure_has_a_panel_a_rung_and_a_line_a_size() -> None:
    figure = draw_ladder(*built(7), "knn")
    assert [panel.get_title(loc="left") for panel in figure.axes[:7]] == [
        f"{number}. {rung.title}" for number, rung in enumerate(RUNGS, 1)
    ]
    for panel in figure.axes[:7]:
        assert len(panel.containers) == len(SIZES)
    line = figure.axes[3].containers[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), [0.0, *(1.5 * degree for degree in DEGREE)])
