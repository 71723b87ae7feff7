"""Figures: axes with names, one line a data size, measured points drawn where a simulation's table is given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

from theory import audit
from theory import bound_figures as figures


@pytest.fixture(autouse=True)
def closed():
    yield
    matplotlib.pyplot.close("all")


def test_bounds_carry_measured_points_and_best_tau() -> None:
    measured = {
        "data_size": np.array([100, 100, 1000]),
        "tau": np.array([0.1, 0.3, 0.1]),
        "l1_distance": np.array([0.5, 0.45, 0.2]),
        "l1_distance_se": np.array([0.01, 0.01, 0.005]),
    }
    (axis,) = figures.bound_against_tau([100, 1000], 3, measured=measured).axes
    assert axis.get_xscale() == "log" and "tau" in axis.get_xlabel() and "L1" in axis.get_ylabel()
    assert [len(bars[0].get_xdata()) for bars in axis.containers] == [2, 1]
    assert sum(line.get_marker() == "o" for line in axis.lines) == 2
    assert len(axis.get_legend().get_texts()) == 2


def test_terms_are_stacked_up_to_the_bound() -> None:
    (axis,) = figures.inverted_u(1000, 5, 3.5, 0.05).axes
    names = [text.get_text() for text in axis.get_legend().get_texts()]
    assert names[:4] == ["distance of the mixture", "teacher", "sample", "bound"] and names[4].startswith("best tau")
    bound = axis.lines[0].get_ydata()
    top = axis.collections[2].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(bound.max())


def test_required_windows_and_audit_table() -> None:
    (axis,) = figures.required_data_size(3).axes
    assert len(axis.lines) == 5 and axis.get_ylabel().startswith("log10 of n")
    (axis,) = figures.windows(2).axes
    assert axis.get_xscale() == axis.get_yscale() == "log"
    figure = figures.audit_table(audit.audit((2, 4), steps=[3, 10]))
    cells = figure.axes[0].tables[0].get_celld()
    colours = {matplotlib.colors.to_hex(cells[2, column].get_facecolor()) for column in (2, 3)}
    assert colours == {figures.VERDICT_COLOURS["holds"].lower(), figures.VERDICT_COLOURS["false"].lower()}
