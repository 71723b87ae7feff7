"""Figures of both theorems; every function returns a matplotlib figure.

`--figure FILE` on `kdshift theory bounds | audit | recommend`. Colours are Okabe and Ito's, readable by the
colour-blind; axes carry names and units; matplotlib is imported when a figure is drawn. Curves are
one-dimensional arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theory import printed, repaired, risk
from theory.setting import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from theory.audit import Finding

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
TAU = "tau, variance of the local Gaussian (no unit)"
VERDICT_COLOURS = {"holds": "#009E73", "holds with a fix": "#E69F00", "false": "#D55E00"}


def bound_against_tau(
    data_sizes: Sequence[float],
    dimension: int,
    *,
    delta: float = 0.1,
    measured: Mapping[str, Floats] | None = None,
) -> Figure:
    """Theorem R's mean bound and the mean's lower bound against tau, a band for each n, best tau marked.

    `measured` adds points with two standard errors: columns `data_size`, `tau`, `l1_distance`, `l1_distance_se`, as a
    simulation writes them.
    """
    figure, axes = _figure(1)
    _draw_bounds(axes[0], data_sizes, dimension, delta, measured)
    return figure


def inverted_u(
    data_size: float, dimension: int, trust_radius: float, teacher_epsilon: float, *, delta: float = 0.1
) -> Figure:
    """The student's risk bound against tau, its terms distance, teacher and sample stacked: which one dominates."""
    figure, axes = _figure(1)
    _draw_terms(axes[0], data_size, dimension, trust_radius, teacher_epsilon, delta)
    return figure


def required_data_size(dimension: int, *, epsilon: float = 0.5, delta: float = 0.1) -> Figure:
    """Data size against tau: what the printed theorem asks for, what is necessary, what is enough."""
    figure, axes = _figure(1)
    _draw_required(axes[0], dimension, epsilon, delta)
    return figure


def windows(dimension: int, *, epsilon: float = 0.5, delta: float = 0.1) -> Figure:
    """Tau with L1 bound <= epsilon against the data size, best tau inside, beside the printed interval's upper end."""
    figure, axes = _figure(1)
    _draw_windows(axes[0], dimension, epsilon, delta)
    return figure


def page(
    data_sizes: Sequence[float],
    dimension: int,
    *,
    epsilon: float = 0.5,
    delta: float = 0.1,
    trust_radius: float | None = None,
    teacher_epsilon: float = 0.0,
) -> Figure:
    """The three figures of the bounds at one dimension on one page, and the inverted U where a radius is given."""
    figure, axes = _figure(3 if trust_radius is None else 4)
    _draw_bounds(axes[0], data_sizes, dimension, delta, None)
    _draw_required(axes[1], dimension, epsilon, delta)
    _draw_windows(axes[2], dimension, epsilon, delta)
    if trust_radius is not None:
        _draw_terms(axes[3], data_sizes[0], dimension, trust_radius, teacher_epsilon, delta)
    return figure


def audit_table(findings: Sequence[Finding]) -> Figure:
    """The audit as a table: number, step, verdict in each dimension."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch
    from matplotlib.transforms import Bbox

    dimensions = list(findings[0].by_dimension)
    figure, axis = plt.subplots(figsize=(5.5 + 0.7 * len(dimensions), 0.5 + 0.27 * len(findings)), layout="constrained")
    axis.axis("off")
    table = axis.table(
        cellText=[[str(found.number), found.title, *[""] * len(dimensions)] for found in findings],
        colLabels=["step", "claim", *(f"d = {dimension}" for dimension in dimensions)],
        cellLoc="left",
        bbox=Bbox.from_bounds(0, 0, 1, 1),
        colWidths=[0.06, 0.5, *[0.44 / len(dimensions)] * len(dimensions)],
    )
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    for row, found in enumerate(findings, start=1):
        for column, verdict in enumerate(found.by_dimension.values(), start=2):
            table[row, column].set_facecolor(VERDICT_COLOURS[verdict])
    handles = [Patch(color=colour, label=verdict) for verdict, colour in VERDICT_COLOURS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def best_tau_against_data_size(
    data_size: float, dimension: int, *, trust_radius: float = np.inf, teacher_epsilon: float = 0.0
) -> Figure:
    """Best tau of the risk bound against n, this data size marked; gaps where the bound is vacuous."""
    figure, (axis,) = _figure(1)
    sizes = np.geomspace(max(10.0, data_size / 1e3), data_size * 1e3, 41)
    best = np.asarray(risk.best_tau(sizes, dimension, trust_radius, teacher_epsilon))
    axis.loglog(sizes, best, color=COLOURS[0], label=f"risk bound, R = {trust_radius:g}")
    free = np.asarray(repaired.tau_star(sizes, dimension))
    axis.loglog(sizes, free, color=COLOURS[1], linestyle="--", label="L1 bound alone (teacher right everywhere)")
    axis.axvline(data_size, color=COLOURS[6], linewidth=0.8, label=f"n = {data_size:g}")
    _finish(axis, "n, original examples", f"best {TAU}", f"Best tau, d = {dimension}")
    return figure


def _figure(panels: int) -> tuple[Figure, list[Any]]:
    import matplotlib.pyplot as plt

    columns = min(panels, 2)
    rows = -(-panels // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(6.2 * columns, 4.4 * rows), squeeze=False, layout="constrained")
    drawn = list(axes.ravel())
    for axis in drawn[panels:]:
        axis.axis("off")
    return figure, drawn[:panels]


def _finish(axis: Any, x: str, y: str, title: str) -> None:
    axis.set_xlabel(x)
    axis.set_ylabel(y)
    axis.set_title(title)
    axis.legend(frameon=False, fontsize=8)


def _draw_bounds(
    axis: Any, data_sizes: Sequence[float], dimension: int, delta: float, measured: Mapping[str, Floats] | None
) -> None:
    tau = np.geomspace(1e-3, 10, 120)
    for colour, n in zip(COLOURS * len(data_sizes), data_sizes, strict=False):
        mean = np.asarray(repaired.mean_bound(n, tau, dimension))
        lower = np.asarray(repaired.mean_lower_bound(n, tau, dimension))
        axis.fill_between(tau, lower, mean, color=colour, alpha=0.2, linewidth=0)
        axis.plot(tau, mean, color=colour, label=f"n = {n:g}: between bounds on the mean")
        axis.plot(tau, np.minimum(mean + repaired.concentration(n, delta), 2), color=colour, linewidth=0.8, ls=":")
        best = float(repaired.tau_star(n, dimension))
        if np.isfinite(best):
            axis.plot(best, repaired.mean_bound(n, best, dimension), "o", color=colour, markersize=5)
        if measured is not None:
            at = measured["data_size"] == n
            x, y, error = (measured[name][at] for name in ("tau", "l1_distance", "l1_distance_se"))
            axis.errorbar(x, y, yerr=2 * error, fmt="x", color=colour, capsize=2, markersize=5)
    axis.set_xscale("log")
    axis.set_ylim(0, 2.05)
    title = f"L1 distance against tau, d = {dimension} (dotted: with probability {1 - delta:g})"
    _finish(axis, TAU, "L1 distance, in [0, 2]", title)


def _draw_terms(
    axis: Any, data_size: float, dimension: int, trust_radius: float, teacher_epsilon: float, delta: float
) -> None:
    tau = np.geomspace(1e-3, 10, 160)
    terms = risk.risk_terms(tau, data_size, dimension, trust_radius, teacher_epsilon, delta)
    axis.stackplot(
        tau,
        terms.distance,
        terms.teacher,
        terms.sample,
        labels=["distance of the mixture", "teacher", "sample"],
        colors=COLOURS[:3],
        alpha=0.75,
    )
    axis.plot(tau, terms.bound, color=COLOURS[6], label="bound")
    best = float(risk.best_tau(data_size, dimension, trust_radius, teacher_epsilon, delta))
    if np.isfinite(best):
        axis.axvline(best, color=COLOURS[6], linestyle="--", linewidth=0.8, label=f"best tau = {best:.3g}")
    axis.axhline(1, color="0.5", linewidth=0.6)
    axis.set_xscale("log")
    title = f"Risk bound, n = {data_size:g}, d = {dimension}, R = {trust_radius:g}, teacher error {teacher_epsilon:g}"
    _finish(axis, TAU, "bound on the risk (1: vacuous)", title)


def _draw_required(axis: Any, dimension: int, epsilon: float, delta: float) -> None:
    largest = float(np.expm1(repaired.log_bias_inverse(epsilon, dimension)))
    limit = float(printed.tau_limit(epsilon, dimension))
    tau = np.geomspace(min(1e-8, limit / 3) if limit > 1e-14 else 1e-8, largest * 0.999, 120)
    curves = (
        ("enough, simple bound", repaired.log_data_size_required_simple(epsilon, delta, tau, dimension), "-"),
        ("enough, Scarf's bound", repaired.log_data_size_required(epsilon, delta, tau, dimension), "-"),
        ("necessary (every training set)", repaired.log_data_size_necessary(epsilon, tau, dimension), "--"),
    )
    for colour, (label, log_n, style) in zip(COLOURS, curves, strict=False):
        axis.plot(tau, np.asarray(log_n) / np.log(10), color=colour, linestyle=style, label=label)
    asked = np.asarray(printed.data_size_required(epsilon, delta, np.log(tau), dimension))
    axis.plot(tau, np.log10(np.where(asked > 0, asked, np.nan)), color=COLOURS[4], ls=":", label="printed condition")
    if limit > 0:
        axis.axvline(limit, color=COLOURS[4], linewidth=0.8, label="printed limit of tau")
    axis.set_xscale("log")
    title = f"Data size for L1 <= {epsilon:g} with probability {1 - delta:g}, d = {dimension}"
    _finish(axis, TAU, "log10 of n, original examples", title)


def _draw_windows(axis: Any, dimension: int, epsilon: float, delta: float) -> None:
    start = float(repaired.data_size_smallest(epsilon, delta, dimension)[1])
    sizes = np.exp(np.linspace(min(start, 600.0), min(start + 9, 650.0), 40))
    low, high = repaired.tau_window(sizes, epsilon, delta, dimension)
    axis.fill_between(sizes, low, high, color=COLOURS[0], alpha=0.3, label="L1 bound <= epsilon")
    axis.plot(sizes, repaired.tau_star(sizes, dimension), color=COLOURS[0], label="best tau")
    printed_low, printed_high = printed.log_tau_interval(sizes, epsilon, delta, dimension)
    axis.fill_between(
        sizes, np.exp(printed_low), np.exp(printed_high), color=COLOURS[4], alpha=0.3, label="printed conditions hold"
    )
    limit = float(printed.tau_limit(epsilon, dimension))
    if limit > 0:
        axis.axhline(limit, color=COLOURS[4], ls=":", label="printed limit of tau")
    axis.set_xscale("log")
    axis.set_yscale("log")
    title = f"Windows of tau, epsilon = {epsilon:g}, delta = {delta:g}, d = {dimension}"
    _finish(axis, "n, original examples", TAU, title)
