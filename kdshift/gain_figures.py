"""Small multiples of paired gains: what each shift saves against the smallest, a panel a data size.

Serves the notebooks: replicates share texts and seeds, so the difference is what they can show, not the level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from theory.inference.contrast import gains_over_none
from theory.inference.curve import ShiftErrorCurve
from theory.inference.curve_figure import tau_scale

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito: told apart by the colour-blind
NAMES = {"tau": "tau (variance)", "degree": "degree (share of tokens)"}


def gain_panels(
    rows: Mapping[str, Mapping[str, Sequence[ShiftErrorCurve]]], quantity: str, *, scale: float = 1.0
) -> Figure:
    """Gain over the smallest shift, a row a group, a column a data size, a line a label.

    Parameters
    ----------
    rows : title of the row -> label of a line -> its curves, one a data size
    quantity : what a gain is measured in; it names the vertical axis
    scale : factor of the gains, 100 for points

    Returns
    -------
    A figure. Bands hold all gains of a line at once with probability 0.95; a line without one has one replicate.
    """
    sizes = sorted({curve.data_size for lines in rows.values() for curves in lines.values() for curve in curves})
    figure = Figure(figsize=(2.6 * len(sizes) + 0.8, 2.5 * len(rows) + 0.5), layout="constrained")
    axes = figure.subplots(len(rows), len(sizes), squeeze=False, sharey="row", sharex="row")
    for row, (title, lines) in enumerate(rows.items()):
        for column, size in enumerate(sizes):
            panel = axes[row, column]
            panel.axhline(0, color="0.4", lw=0.8)
            for (label, curves), colour in zip(lines.items(), COLOURS, strict=False):
                for curve in curves:
                    if curve.data_size == size:
                        _draw(panel, curve, label, colour, scale)
            panel.set_title(f"{title}, n = {size:,.0f}" if title else f"n = {size:,.0f}", fontsize=10, loc="left")
            panel.grid(alpha=0.25, lw=0.5)
        axes[row, 0].set_ylabel(quantity)
        axes[row, 0].legend(fontsize=8, frameon=False)
    for panel in axes[-1]:
        name = next(curve.shift_name for lines in rows.values() for curves in lines.values() for curve in curves)
        panel.set_xlabel(NAMES[name])
    return figure


def _draw(panel: Axes, curve: ShiftErrorCurve, label: str, colour: str, scale: float) -> None:
    found = gains_over_none(curve)
    gain, low, high = (scale * np.concatenate(([0.0], end)) for end in (found.effect, found.low, found.high))
    panel.plot(curve.shift, gain, "o-", ms=3, lw=1.3, color=colour, label=label)
    if found.units > 1:
        panel.fill_between(curve.shift, low, high, color=colour, alpha=0.18, lw=0)
    if curve.shift_name == "tau":
        tau_scale(panel, [curve])
