"""The measured shift drawn: tau against the degree, A-distance and the teacher's entropy against tau.

Serves `kdshift empirical shift` and notebook 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def shift_figure(table: pd.DataFrame) -> Figure:
    """The table as a figure: tau against the realised degree, then A-distance and teacher entropy against tau.

    table: from `measure_shift`. The third panel is left out where no teacher was asked. Bars are 95 % intervals.
    """
    from matplotlib.figure import Figure

    panels = [("realised_degree", "tau"), ("tau", "a_distance")]
    if table["teacher_entropy"].notna().any():
        panels.append(("tau", "teacher_entropy"))
    figure = Figure(figsize=(4.6 * len(panels), 4.0), layout="constrained")
    for axes, (across, up) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for place, (name, rows) in enumerate(_curves(table)):
            style = {"color": COLOURS[place % 7], "marker": MARKERS[place % 7], "linestyle": "-", "capsize": 2}
            axes.errorbar(rows[across], rows[up], yerr=_bars(rows, up), label=name, markersize=5, **style)
        axes.set(xlabel=LABELS[across], ylabel=LABELS[up])
        if up == "teacher_entropy":
            axes.axhline(table[up].iloc[0], color="grey", linestyle=":", label="originals")
        axes.grid(alpha=0.3)
    figure.axes[0].legend(frameon=False)
    return figure


LABELS = {
    "realised_degree": "realised degree (share of eligible tokens)",
    "tau": "effective tau (variance, whitened)",
    "a_distance": "proxy A-distance",
    "teacher_entropy": "teacher's entropy (nats)",
}


def _curves(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for name, rows in table[table["augmenter"] != "original"].groupby("augmenter", sort=False):
        yield str(name), rows.sort_values("realised_degree")


def _bars(rows: pd.DataFrame, column: str) -> Any:
    if column == "tau":
        return np.stack([rows["tau"] - rows["tau_low"], rows["tau_high"] - rows["tau"]])
    return 1.96 * rows[f"{column}_se"]
