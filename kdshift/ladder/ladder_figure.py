"""The ladder drawn: the share of the distance that each shift saves, a panel a rung, a line a data size.

Serves `kdshift ladder` and notebook 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kdshift.ladder.ladder_reading import as_shares, ladder_curves, taus_of
from kdshift.ladder.rungs import RUNGS
from theory.inference.contrast import gains_over_none
from theory.inference.curve_figure import shades

if TYPE_CHECKING:
    import pandas as pd

MARKERS = ("o", "s", "^", "D", "v")


def draw_ladder(table: pd.DataFrame, noise: Mapping[str, Mapping[str, Any]], augmenter: str) -> Figure:
    """The figure of one augmenter's ladder, first rung first.

    table, noise: of `Climb.table` (or read from a ladder's folder). Bars: the gains of a line at once, 95 %. The
    horizontal axis is tau on every rung, measured for token shifts, so that panels compare; so is the vertical one from
    the second rung on. In few dimensions gains are several times as large, so the first rung has an axis of its own.
    """
    figure = Figure(figsize=(12.5, 6.0), layout="constrained")
    columns = -(-len(RUNGS) // 2)
    panels = figure.subplots(2, columns, sharex=True).ravel()
    for panel in panels[2:]:
        panel.sharey(panels[1])
    for number, (panel, rung) in enumerate(zip(panels, RUNGS, strict=False), start=1):
        _draw(panel, table, noise, rung.name, augmenter)
        panel.set_title(f"{number}. {rung.title}", fontsize=9, loc="left")
        panel.grid(alpha=0.25, lw=0.5)
    for panel in panels[len(RUNGS) :]:
        panel.set_axis_off()
    for panel in panels[len(RUNGS) - columns : len(RUNGS)]:
        panel.set_xlabel("tau = E|x' - x|$^2$ / d")
        panel.tick_params(labelbottom=True)
    for panel in (panels[0], panels[1], *panels[columns::columns]):
        panel.set_ylabel("share of the distance saved (%)")
    for panel in (*panels[2:columns], *panels[columns + 1 : len(RUNGS)]):
        panel.tick_params(labelleft=False)
    panels[0].legend(fontsize=8, frameon=False)
    return figure


def _draw(panel: Axes, table: pd.DataFrame, noise: Mapping[str, Mapping[str, Any]], rung: str, augmenter: str) -> None:
    curves = ladder_curves(table, noise, rung, augmenter)
    panel.axhline(0, color="0.4", lw=0.8)
    for curve, colour, marker in zip(curves, shades(len(curves)), MARKERS, strict=False):
        found = gains_over_none(as_shares(curve))
        effect, low, high = (100 * np.r_[0.0, end] for end in (found.effect, found.low, found.high))
        tau = taus_of(table, rung, augmenter, curve.shift)
        bars = np.stack([effect - low, high - effect])
        panel.errorbar(
            tau, effect, yerr=bars, fmt=f"{marker}-", ms=3.5, lw=1.2, capsize=2, elinewidth=0.7, color=colour,
            label=f"n = {curve.data_size:,.0f}",
        )  # fmt: skip
