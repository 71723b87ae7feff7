"""Error against degree, drawn: a panel a data size, the distance to the teacher above, accuracy below, with bands.

Serves `kdshift empirical curves --figure`, the demo and the notebooks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.bank.study_table import NONE, TWICE, UNLABELLED
from empirical.bank.summary import curve_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito: told apart by the colour-blind
ROWS = {"distance": "distance to the teacher, E|h - g|", "accuracy": "accuracy"}


def draw(
    table: pd.DataFrame,
    noise: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    student: str = "static",
    mode: str = "distill",
    teacher_arm: str = "whole",
) -> Figure:
    """A figure of one student's curves: a column a size, bands of the paired differences to degree 0 (95 %).

    The level of a whole replicate moves with its texts; what the band shows is the noise of the differences, about the
    mean of all replicates. One replicate has no band.
    """
    from matplotlib.figure import Figure

    chosen = table[(table["student"] == student) & (table["mode"] == mode) & (table["teacher_arm"] == teacher_arm)]
    sizes = sorted(chosen["data_size"].unique())
    names = [name for name in chosen["augmenter"].unique() if name not in (NONE, TWICE, UNLABELLED)]
    figure = Figure(figsize=(3.2 * len(sizes) + 0.6, 5.6), layout="constrained")
    axes = figure.subplots(len(ROWS), len(sizes), squeeze=False, sharex=True)
    for column, size in enumerate(sizes):
        frame = chosen[chosen["data_size"] == size]
        for row, (outcome, label) in enumerate(ROWS.items()):
            axis = axes[row][column]
            for name, colour in zip(names, COLOURS, strict=False):
                if name in set(frame["augmenter"]):
                    _curve(axis, frame, name, outcome, colour)
            count = frame["replicate"].nunique()
            if row == 0:
                axis.set_title(f"n = {size:,} ({count} replicate{'s' * (count > 1)})", fontsize=10)
            if column == 0:
                axis.set_ylabel(label)
        axes[-1][column].set_xlabel("degree (share of tokens changed)")
    axes[0][0].legend(frameon=False, fontsize=9)
    return figure


def _curve(axis: Any, frame: pd.DataFrame, name: str, outcome: str, colour: str) -> None:
    from scipy.stats import t as student_t

    curve = curve_of(frame, name, outcome)
    axis.plot(curve.shift, curve.error, marker="o", markersize=3.5, color=colour, label=name)
    if curve.replicates is None:
        return
    difference_RK = curve.replicates - curve.replicates[:, :1]
    count = len(difference_RK)
    half_K = student_t.isf(0.025, count - 1) * difference_RK.std(axis=0, ddof=1) / np.sqrt(count)
    axis.fill_between(curve.shift, curve.error - half_K, curve.error + half_K, color=colour, alpha=0.18, linewidth=0)
