"""How fast the best tau falls with n, against three laws: `kdshift simulate run exponents` (section 4.2's takeaway).

L1: the repaired theorem's best tau goes as n^(-2/(d+4)) (PROOFS.md 7). covering: tau follows the squared distance
between neighbouring originals, n^(-2/d). smoothing: augmentation by noise is a kernel smoother (Ding et al., JMLR 2024,
*Random smoothing regularization*); with squared bias tau^m for a target of smoothness m (at most 2, the noise being
symmetric) and variance 1/(n tau^(e/2)), e the effective dimension, the best tau goes as n^(-2/(2m+e)). Here a teacher
right everywhere is smooth in the two projections that the truth looks at (m = 2, e = 2); one that jumps at the trust
radius has m = 1/2 and e = d.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from simulate.experiment_config import ExperimentConfig
from simulate.predictions import Prediction, Reading, curvature, over_best, slope_interval
from simulate.tau_curves import CurveKey, Curves, fit_power_law, groups, theory_exponent
from theory.errors import InputError
from theory.inference.curve import ShiftErrorCurve
from theory.inference.curve_figure import shades
from theory.inference.power_law import PowerLaw

TRUTH_PROJECTIONS = 2  # the smooth truth depends on two projections of x


@dataclass(frozen=True, kw_only=True)
class Exponent:
    """One dimension and trust radius: the power law of the best tau, gains and curvatures by data size.

    `gains` (N, 3): error at the least tau minus at the best (split, with interval). `bends` (N, 3): second derivative
    of the error in ln tau at the best. `at_edge`: data sizes whose best tau is censored by the grid.
    """

    dimension: int
    trust_radius: float
    law: PowerLaw
    gains: tuple[tuple[float, float, float], ...]
    bends: tuple[tuple[float, float, float], ...]
    gain_slope: tuple[float, float, float]

    @property
    def at_edge(self) -> list[int]:
        """Data sizes whose best tau lies on the edge of the grid."""
        return [int(n) for n, edge in zip(self.law.data_sizes, self.law.at_edge, strict=True) if edge]


def laws(dimension: int, trust_radius: float) -> dict[str, float]:
    """The three predicted exponents of the best tau in n."""
    jump = math.isfinite(trust_radius)
    smoothness, effective = (0.5, dimension) if jump else (2.0, min(dimension, TRUTH_PROJECTIONS))
    smoothing = -2.0 / (2 * smoothness + effective)
    return {"L1": theory_exponent(dimension), "covering": -2.0 / dimension, "smoothing": smoothing}


def exponents(found: Curves) -> list[Exponent]:
    """One exponent for each group of curves that differ in the data size alone."""
    rows = []
    for key, group in groups(found).items():
        _, law = fit_power_law(group)
        if law is None:
            raise InputError("data_size", [curve.data_size for curve in group], "at least two data sizes")
        rows.append(_exponent(key, group, law))
    return rows


def _exponent(key: CurveKey, group: list[ShiftErrorCurve], law: PowerLaw) -> Exponent:
    gains = [over_best(curve, 0) for curve in group]
    samples = [_least_minus_best(curve) for curve in group]
    usable = [(math.log(c.data_size), s) for c, s in zip(group, samples, strict=True) if s.mean() > 0]
    slope = (math.nan, math.nan, math.nan)
    if len(usable) > 1:
        slope = slope_interval([x for x, _ in usable], [s for _, s in usable])
    return Exponent(
        dimension=key.dimension,
        trust_radius=key.trust_radius,
        law=law,
        gains=tuple(gains),
        bends=tuple(curvature(curve) for curve in group),
        gain_slope=slope,
    )


def _least_minus_best(curve: ShiftErrorCurve) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    assert curve.replicates is not None
    return np.asarray(curve.replicates[:, 0] - curve.replicates[:, int(np.argmin(curve.error))])


def read(found: Curves, config: ExperimentConfig) -> Reading:
    """The exponents against the three laws, gains and curvatures beside them."""
    rows = exponents(found)
    predictions: list[Prediction] = []
    for row in rows:
        where = f"d = {row.dimension}, R = {row.trust_radius:g}"
        note = f"best tau at the edge of the grid for n = {row.at_edge}" if row.at_edge else ""
        for theory, value in laws(row.dimension, row.trust_radius).items():
            predictions.append(
                Prediction(
                    quantity=f"exponent of the best tau, {where}",
                    theory=theory,
                    predicted=value,
                    measured=row.law.exponent,
                    low=row.law.exponent_low,
                    high=row.law.exponent_high,
                    note=note,
                    censored=bool(row.at_edge),
                )
            )
        predictions += _shape(row, where)
    return Reading(predictions=tuple(predictions), sentence=_sentence(rows), draw=lambda: exponent_figure(rows))


def _shape(row: Exponent, where: str) -> list[Prediction]:
    """Gains and curvatures: measured only, no law predicts them."""
    measured = [("exponent of the gain in n", "all sizes", row.gain_slope)]
    for size, gain, bend in zip(row.law.data_sizes, row.gains, row.bends, strict=True):
        measured += [
            ("gain over the least tau", f"n = {size:.0f}", gain),
            ("curvature in ln tau", f"n = {size:.0f}", bend),
        ]
    return [
        Prediction(
            quantity=f"{name}, {where}, {size}",
            theory="none",
            predicted=math.nan,
            measured=value,
            low=low,
            high=high,
        )
        for name, size, (value, low, high) in measured
    ]


def _sentence(rows: list[Exponent]) -> str:
    parts = []
    whole = [row for row in rows if not row.at_edge]
    for theory in ("L1", "covering", "smoothing"):
        inside = [
            row.law.exponent_low <= laws(row.dimension, row.trust_radius)[theory] <= row.law.exponent_high
            for row in whole
        ]
        parts.append(f"{theory} is refuted in {len(inside) - sum(inside)} of {len(inside)}")
    censored = len(rows) - len(whole)
    tail = f"; left out: {censored} settings where some best tau lies on the edge of the grid" if censored else ""
    return "of the settings of dimension and trust radius, " + ", ".join(parts) + tail


def exponent_figure(rows: list[Exponent]) -> Figure:
    """A panel a trust radius: measured exponents with 95 % intervals against the dimension, the three laws as lines.

    Below, the gain over the least tau by data size: where it is near zero the exponent means little.
    """
    radii = sorted({row.trust_radius for row in rows}, reverse=True)
    figure = Figure(figsize=(3.6 * len(radii), 6.4), layout="constrained")
    axes = figure.subplots(2, len(radii), squeeze=False, sharey="row")
    colours = shades(3)
    for column, radius in enumerate(radii):
        mine = sorted((row for row in rows if row.trust_radius == radius), key=lambda row: row.dimension)
        upper, lower = axes[0, column], axes[1, column]
        d = np.array([row.dimension for row in mine])
        value = np.array([row.law.exponent for row in mine])
        bars = np.abs(np.array([[r.law.exponent_low, r.law.exponent_high] for r in mine]).T - value)
        upper.errorbar(d, value, yerr=bars, fmt="ko", capsize=3, ms=4, label="measured, 95 %")
        edge = np.array([bool(row.at_edge) for row in mine])
        upper.plot(d[edge], value[edge], "o", ms=4, mfc="white", mec="black", zorder=5, label="censored by the grid")
        for name, style, colour in zip(("L1", "covering", "smoothing"), ("-", "--", ":"), colours, strict=True):
            upper.plot(d, [laws(int(x), radius)[name] for x in d], style, color=colour, label=name)
        upper.set_title(f"R = {radius:g}", loc="left", fontsize=9)
        for row, colour in zip(mine, shades(len(mine)), strict=True):
            gain = np.array(row.gains)
            lower.errorbar(
                row.law.data_sizes,
                gain[:, 0],
                yerr=np.abs(gain[:, 1:].T - gain[:, 0]),
                fmt="o-",
                ms=3,
                capsize=2,
                color=colour,
                label=f"d = {row.dimension}",
            )
        lower.axhline(0, color="grey", lw=0.6)
        lower.set_xscale("log")
        lower.set_xlabel("data size n")
        upper.set_xlabel("dimension d")
        for one in (upper, lower):
            one.grid(alpha=0.25, lw=0.5)
    axes[0, 0].set_ylabel("exponent of the best tau in n")
    axes[1, 0].set_ylabel("error at the least tau - at the best")
    axes[0, 0].legend(fontsize=7, frameon=False)
    axes[1, 0].legend(fontsize=7, frameon=False)
    return figure
