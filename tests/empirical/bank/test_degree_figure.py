"""The figure of a study: a panel a size, a line an augmenter, a band that is the noise of the differences."""

from __future__ import annotations

import numpy as np

from empirical.bank.degree_figure import draw
from tests.empirical.bank.test_summary import DEGREES, table


def test_the_figure_has_a_panel_a_size_and_a_line_an_augmenter() -> None:
    figure = draw(table())
    assert len(figure.axes) == 2
    top = figure.axes[0]
    assert [line.get_label() for line in top.get_lines()] == ["knn", "random"]
    assert np.allclose(top.get_lines()[0].get_xdata(), [0, *DEGREES])
    assert "8 replicates" in top.get_title()


def test_the_band_is_of_differences_to_none_and_one_replicate_has_none() -> None:
    top = draw(table()).axes[0]
    band = top.collections[0].get_paths()[0].vertices
    at_zero = band[np.isclose(band[:, 0], 0.0), 1]
    elsewhere = band[np.isclose(band[:, 0], DEGREES[1]), 1]
    assert np.ptp(at_zero) < 1e-12 < np.ptp(elsewhere)
    assert not draw(table(replicates=1)).axes[0].collections
