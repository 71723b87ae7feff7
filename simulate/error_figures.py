"""Figures of an experiment: error against tau with bands, best tau against n with intervals and theory beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from simulate.tau_curves import CurveKey, Curves, fit_power_law, groups, theory_best_tau, varying
from theory.inference.curve import ShiftErrorCurve
from theory.inference.curve_figure import draw_curves, shades

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 12


def experiment_figure(found: Curves, title: str) -> Figure:
    """A column a group of curves: error against tau above, best tau against data size below (the first 12 groups).

    Bands are 95 % intervals of the mean; triangles the best tau, their bars its 95 % interval; the dashed line is the
    best tau of the repaired risk bound in the same setting.
    """
    members = list(groups(found).items())[:MOST_PANELS]
    figure = Figure(figsize=(max(4.2 * len(members), 6.0), 7.2), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left")
    axes = figure.subplots(2, len(members), squeeze=False, sharey="row")
    differing = varying(found)
    for column, (key, group) in enumerate(members):
        draw_curves(axes[0, column], group)
        axes[0, column].set_title(key.label(differing), fontsize=9, loc="left")
        _optima(axes[1, column], key, group)
    axes[0, 0].set_ylabel("error  E|h - f|")
    axes[1, 0].set_ylabel("best tau (variance)")
    return figure


def _optima(axes: Axes, key: CurveKey, group: list[ShiftErrorCurve]) -> None:
    optima, law = fit_power_law(group)
    sizes = np.array([best.data_size for best in optima])
    shifts = np.array([best.shift for best in optima])
    bars = np.array([[best.shift - best.low for best in optima], [best.high - best.shift for best in optima]])
    axes.errorbar(sizes, shifts, yerr=np.maximum(bars, 0.0), fmt="o", color=shades(2)[0], capsize=4, label="measured")
    if law is not None:
        text = f"n^{law.exponent:.2f} [{law.exponent_low:.2f}, {law.exponent_high:.2f}]"
        axes.plot(sizes, law(sizes), "-", lw=1, color=shades(2)[0], label=text)
    theory = np.array([theory_best_tau(key, size) for size in sizes])
    axes.plot(sizes, theory, "--", lw=1.2, color=shades(3)[1], label="repaired risk bound")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("data size n (original examples)")
    axes.grid(alpha=0.25, lw=0.5)
    axes.legend(fontsize=7, frameon=False)
