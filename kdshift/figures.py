"""The side-by-side figures: the same curves from theory, simulation and text, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from theory.curve import Optimum, PowerLaw, ShiftErrorCurve, power_law
from theory.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Z = 1.96  # two-sided 95 % of a normal distribution
AXIS = {"tau": "tau (variance of the shift)", "degree": "semantic shift degree (share of tokens changed)"}


def colours(count: int) -> list[tuple[float, ...]]:
    """`count` ordered colours that stay apart for colour-blind readers and in grey (cividis, the pale end left out)."""
    return [tuple(matplotlib.colormaps["cividis"](x)) for x in np.linspace(0.0, 0.85, max(count, 1))]


def draw_curve(axes: Axes, curve: ShiftErrorCurve, colour: tuple[float, ...], label: str) -> None:
    """One curve with its 95 % band, its best shift as a triangle and the interval of that shift as a bar below."""
    axes.plot(curve.shift, curve.error, "o-", color=colour, ms=3, lw=1.4, label=label)
    axes.fill_between(
        curve.shift, curve.error - Z * curve.error_se, curve.error + Z * curve.error_se, color=colour, alpha=0.18, lw=0
    )
    best = curve.optimum()
    axes.errorbar(
        best.shift,
        np.interp(best.shift, curve.shift, curve.error),
        xerr=[[max(0.0, best.shift - best.low)], [max(0.0, best.high - best.shift)]],
        fmt="v",
        color=colour,
        ms=7,
        mec="black",
        capsize=3,
        elinewidth=0.9,
    )


def draw_panel(axes: Axes, title: str, curves: Sequence[ShiftErrorCurve], quantity: str) -> None:
    """Error against shift for every data size of one source."""
    ordered = sorted(curves, key=lambda curve: curve.data_size)
    for curve, colour in zip(ordered, colours(len(ordered)), strict=True):
        draw_curve(axes, curve, colour, f"n = {curve.data_size:,.0f}")
    if ordered and ordered[0].shift_name == "tau" and ordered[0].shift[0] > 0:
        axes.set_xscale("log")
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel(AXIS[ordered[0].shift_name] if ordered else "")
    axes.set_ylabel(quantity)
    axes.legend(fontsize=7, frameon=False)
    axes.grid(alpha=0.25, lw=0.5)


def error_against_shift(sources: Mapping[str, tuple[Sequence[ShiftErrorCurve], str]]) -> Figure:
    """Error against shift, a panel a source.

    Parameters
    ----------
    sources : title of the panel -> (curves, what its vertical axis measures)

    Returns
    -------
    A figure; triangles mark the best shift, horizontal bars its 95 % interval, bands the 95 % interval of the mean.
    """
    figure = Figure(figsize=(4.6 * len(sources), 3.9), layout="constrained")
    for axes, (title, (curves, quantity)) in zip(
        np.atleast_1d(np.asarray(figure.subplots(1, len(sources)))), sources.items(), strict=True
    ):
        draw_panel(axes, title, curves, quantity)
    return figure


def fitted(optima: Sequence[Optimum]) -> PowerLaw | None:
    """The power law of the optima, or None where there is none to fit (fewer than two sizes, a best shift of zero)."""
    try:
        return power_law(optima)
    except InputError:
        return None


def best_shift_against_size(sources: Mapping[str, Sequence[ShiftErrorCurve]]) -> Figure:
    """Best shift against data size, a panel a source, with intervals and the fitted power law where one can be fitted.

    Parameters
    ----------
    sources : title of the panel -> curves of that source, one a data size
    """
    figure = Figure(figsize=(4.6 * len(sources), 3.6), layout="constrained")
    colour = colours(2)[0]
    for axes, (title, curves) in zip(
        np.atleast_1d(np.asarray(figure.subplots(1, len(sources)))), sources.items(), strict=True
    ):
        optima = [curve.optimum() for curve in sorted(curves, key=lambda curve: curve.data_size)]
        sizes = np.array([best.data_size for best in optima])
        shifts = np.array([best.shift for best in optima])
        low = np.array([best.low for best in optima])
        high = np.array([best.high for best in optima])
        bars = np.clip([shifts - low, high - shifts], 0, None)
        axes.errorbar(sizes, shifts, yerr=bars, fmt="o", color=colour, capsize=4, ms=6)
        axes.set_xscale("log")
        law = fitted(optima)
        if law is not None:
            axes.plot(sizes, np.exp(law.log_constant + law.exponent * np.log(sizes)), "--", color=colour, lw=1)
            axes.set_yscale("log")
            title += f"\nexponent {law.exponent:.2f} [{law.exponent_low:.2f}, {law.exponent_high:.2f}]"
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xlabel("data size n (original examples)")
        axes.set_ylabel(f"best {curves[0].shift_name}" if curves else "best shift")
        axes.grid(alpha=0.25, lw=0.5)
    return figure


def by_variant(panels: Mapping[str, Mapping[str, ShiftErrorCurve]], title: str) -> Figure:
    """Curves of several augmenters at one data size, a panel an axis (degree, effective tau).

    Parameters
    ----------
    panels : title of the panel -> augmenter -> curve
    """
    figure = Figure(figsize=(4.8 * len(panels), 3.7), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    for axes, (name, curves) in zip(
        np.atleast_1d(np.asarray(figure.subplots(1, len(panels)))), panels.items(), strict=True
    ):
        for (variant, curve), colour in zip(curves.items(), colours(len(curves)), strict=True):
            draw_curve(axes, curve, colour, variant)
        axes.set_title(name, fontsize=10, loc="left")
        axes.set_xlabel(AXIS[next(iter(curves.values())).shift_name] if curves else "")
        axes.set_ylabel("test error")
        axes.legend(fontsize=7, frameon=False)
        axes.grid(alpha=0.25, lw=0.5)
    return figure
