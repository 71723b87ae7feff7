"""Figures of an experiment: a column a group, at most twelve, best tau with theory beside."""

from __future__ import annotations

import numpy as np

from simulate.error_figures import MOST_PANELS, experiment_figure
from simulate.tau_curves import select
from tests.simulate.made_up import found, made_up, power


def test_the_figure_has_two_rows_a_group() -> None:
    long = made_up(power(-0.3), supervisions=("teacher", "copied_label"))
    figure = experiment_figure(found(long), "title")
    assert len(figure.axes) == 4
    assert "tau" in figure.axes[0].get_xlabel() and "95" not in figure.axes[0].get_ylabel()
    assert len(select(found(long), supervision="teacher")) == 3


def test_the_best_taus_of_the_sizes_are_drawn_with_their_law() -> None:
    figure = experiment_figure(found(made_up(power(-0.3), noise=1e-4)), "title")
    below = figure.axes[1]
    measured = next(line for line in below.get_lines() if len(line.get_xdata()) == 3)
    assert list(measured.get_xdata()) == [50, 200, 800]
    np.testing.assert_allclose(measured.get_ydata(), [0.1 * (n / 200) ** -0.3 for n in (50, 200, 800)], rtol=0.05)
    assert any("n^-0.30" in text.get_text() for text in below.get_legend().get_texts())


def test_more_groups_than_panels_are_cut() -> None:
    many = found(made_up(power(-0.3), truth=tuple(f"truth {at}" for at in range(MOST_PANELS + 2)), noise=0.01))
    assert len(experiment_figure(many, "title").axes) == 2 * MOST_PANELS
