"""The side-by-side figures: the same curves from theory, simulation and text, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter, NullLocator

from theory.errors import InputError
from theory.inference.curve import Optimum, ShiftErrorCurve
from theory.inference.curve_figure import draw_curves, shades
from theory.inference.power_law import PowerLaw, power_law


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


def by_variant(panels: Mapping[str, Mapping[str, ShiftErrorCurve]], title: str) -> Figure:
    """Curves of several augmenters at one data size, a panel an axis (degree, effective tau).

    Parameters
    ----------
    panels : title of the panel -> augmenter -> curve
    """
    figure, drawn = panels_of(len(panels), 4.8, 3.7)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    for axes, (name, curves) in zip(drawn, panels.items(), strict=True):
        draw_curves(axes, list(curves.values()), list(curves))
        axes.set_title(name, fontsize=10, loc="left")
        axes.set_ylabel("test error")
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
    figure, panels = panels_of(len(sources), 4.6, 3.6)
    colour = shades(1)[0]
    for axes, (title, curves) in zip(panels, sources.items(), strict=True):
        optima = [curve.optimum() for curve in sorted(curves, key=lambda curve: curve.data_size)]
        sizes, shifts, low, high = (
            np.array([getattr(best, name) for best in optima]) for name in ("data_size", "shift", "low", "high")
        )
        axes.errorbar(
            sizes, shifts, yerr=np.clip([shifts - low, high - shifts], 0, None), fmt="o", color=colour, capsize=4
        )
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:,.0f}" for size in sizes], rotation=30, fontsize=8)
        axes.xaxis.set_minor_locator(NullLocator())
        law = fitted(optima)
        if law is not None:
            axes.plot(sizes, law(sizes), "--", color=colour, lw=1)
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
            axes.yaxis.set_minor_formatter(NullFormatter())
            title += f"\nexponent {law.exponent:.2f} [{law.exponent_low:.2f}, {law.exponent_high:.2f}]"
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xlabel("data size n (original examples)")
        axes.set_ylabel(f"best {curves[0].shift_name}" if curves else "best shift")
        axes.grid(alpha=0.25, lw=0.5)
    return figure
