"""How a shift-error curve is drawn, the same for theory, simulation and text: band, best shift, its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.inference.curve import ShiftErrorCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AXIS = {"tau": "tau (variance of the shift)", "degree": "semantic shift degree (share of tokens changed)"}
Colour = Any


def shades(count: int) -> list[Colour]:
    """`count` ordered colours that stay apart for colour-blind readers and in grey (cividis, the pale end left out)."""
    import matplotlib

    return [tuple(matplotlib.colormaps["cividis"](x)) for x in np.linspace(0.0, 0.85, max(count, 1))]


def draw_curve(axes: Axes, curve: ShiftErrorCurve, colour: Colour, label: str) -> None:
    """One curve with its 95 % band (Student's over replicates), its best shift as a triangle with its interval."""
    axes.plot(curve.shift, curve.error, "o-", color=colour, ms=3, lw=1.3, label=label)
    half = curve.half_width()
    axes.fill_between(curve.shift, curve.error - half, curve.error + half, color=colour, alpha=0.18, lw=0)
    best = curve.optimum()
    axes.errorbar(
        best.shift,
        float(np.interp(best.shift, curve.shift, curve.error)),
        xerr=[[max(best.shift - best.low, 0.0)], [max(best.high - best.shift, 0.0)]],
        fmt="v",
        ms=7,
        mec="black",
        color=colour,
        capsize=3,
        elinewidth=0.9,
    )


def draw_curves(axes: Axes, curves: Sequence[ShiftErrorCurve], labels: Sequence[str] | None = None) -> None:
    """Several curves on one pair of axes, by data size unless labels are given, with the axes named and a legend."""
    if labels is None:
        curves = sorted(curves, key=lambda curve: curve.data_size)
        labels = [f"n = {curve.data_size:,.0f}" for curve in curves]
    for curve, colour, label in zip(curves, shades(len(curves)), labels, strict=True):
        draw_curve(axes, curve, colour, label)
    if curves:
        axes.set_xlabel(AXIS[curves[0].shift_name])
        if curves[0].shift_name == "tau":
            tau_scale(axes, curves)
        axes.legend(fontsize=7, framealpha=0.8, edgecolor="none", ncols=1 + (len(curves) > 4))
    axes.grid(alpha=0.25, lw=0.5)


def tau_scale(axes: Axes, curves: Sequence[ShiftErrorCurve]) -> None:
    """Logarithmic in tau; where curves begin at tau = 0 (no augmented data), linear below their least positive tau."""
    if all(curve.shift[0] > 0 for curve in curves):
        axes.set_xscale("log")
        return
    axes.set_xscale("symlog", linthresh=min(float(curve.shift[curve.shift > 0][0]) for curve in curves), linscale=0.3)
    axes.set_xlim(left=0)
