"""The side-by-side figure (`kdshift compare --figure`): curves of theory, simulation and text, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from theory.inference.curve import ShiftErrorCurve
from theory.inference.curve_figure import draw_curves


def panels_of(count: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels side by side."""
    figure = Figure(figsize=(width * count, height), layout="constrained")
    return figure, list(np.ravel(figure.subplots(1, count, squeeze=False)))


def error_against_shift(sources: Mapping[str, tuple[Sequence[ShiftErrorCurve], str]]) -> Figure:
    """Error against shift, a panel a source, a line a data size.

    Parameters
    ----------
    sources : title of the panel -> (curves, what its vertical axis measures)

    Returns
    -------
    A figure; triangles mark the best shift, horizontal bars its 95 % interval, bands the 95 % interval of the mean.
    """
    figure, panels = panels_of(len(sources), 4.6, 3.9)
    for axes, (title, (curves, quantity)) in zip(panels, sources.items(), strict=True):
        draw_curves(axes, curves)
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_ylabel(quantity)
    return figure
