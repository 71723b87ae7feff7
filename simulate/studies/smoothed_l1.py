"""The L1 distance of a smoothed sample from its mean at fixed tau: rate and constant against Scarf's bound.

Goldfeld, Greenewald, Polyanskiy and Weed (2020): the rate is n^(-1/2) in any dimension. Goldfeld and Kato (2020): the
scaled distance tends to a Gaussian integral, whose mean is sqrt(2/pi) times the integral of the standard deviation. The
repaired theorem's bound tends to that integral itself (PROOFS.md 8), so bound / truth -> sqrt(pi/2) = 1.2533.
`kdshift simulate run smoothed-l1`.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pydantic import Field

from simulate.distance import draw_centres, l1_distance
from simulate.predictions import Prediction, Reading, mean_interval, slope_interval
from simulate.seeds import stream
from simulate.studies.kinds import StudyConfig, grouped
from theory.bounds import deviation_exact_variance
from theory.inference.curve import half_widths
from theory.inference.curve_figure import shades
from theory.progress_report import Progress
from theory.stationary import deviation_sharp

RATIO = math.sqrt(math.pi / 2)


class Config(StudyConfig):
    """Dimensions, variances, data sizes (the largest reads the constant), and points of one distance."""

    dimension: tuple[int, ...] = (1, 2, 5)
    tau: tuple[float, ...] = Field((0.3, 1.0), min_length=1)
    data_size: tuple[int, ...] = Field((100, 1000, 10_000), min_length=2)
    points: int = Field(4000, ge=4)


def measure(config: Config, progress: Progress) -> pd.DataFrame:
    """A row a cell and replicate: dimension, tau, data_size, replicate, value (the L1 distance to the mean)."""
    cells = [(d, tau, n) for d in config.dimension for tau in config.tau for n in config.data_size]
    rows = []
    for count, (d, tau, n) in enumerate(cells, start=1):
        for replicate in range(config.replicates):
            centres = draw_centres(config.seed, d, n, replicate)
            rng = stream(config.seed, d, n, replicate, "distance")
            value = l1_distance(centres, tau, config.points, rng, population_variance=1 + tau).value
            rows.append({"dimension": d, "tau": tau, "data_size": n, "replicate": replicate, "value": value})
        progress(config.title, count, len(cells))
    return pd.DataFrame(rows)


def read(table: pd.DataFrame, config: Config) -> Reading:
    """The exponent in n against -1/2, and bound / measured at the largest n against 1.2533."""
    predictions = []
    for (d, tau), cell in grouped(table, ["dimension", "tau"]):
        groups = [(float(n), part["value"].to_numpy(float)) for (n,), part in grouped(cell, ["data_size"])]
        where = f"d = {d}, tau = {tau:g}"
        slope = slope_interval([math.log(n) for n, _ in groups], [v for _, v in groups])
        predictions.append(_row(f"exponent in n, {where}", "Goldfeld et al.: -1/2", -0.5, slope))
        largest, values = groups[-1]
        mean, low, high = mean_interval(values)
        for theory, bound, limit in (
            ("Goldfeld and Kato: limit of bound / distance", float(deviation_exact_variance(largest, tau, d)), RATIO),
            ("Scarf's bound / distance, same limit", float(deviation_sharp(largest, tau, d)), RATIO),
        ):
            ratio = (bound / mean, bound / high, bound / low)
            predictions.append(_row(f"bound over distance, {where}, n = {largest:.0f}", theory, limit, ratio))
    refuted = sum(one.outcome == "refuted" for one in predictions)
    sentence = (
        f"{refuted} of {len(predictions)} predictions refuted; the limit is asymptotic in n, Monte Carlo adds noise"
    )
    return Reading(predictions=tuple(predictions), sentence=sentence, draw=lambda: figure(table, config))


def _row(quantity: str, theory: str, predicted: float, found: tuple[float, float, float]) -> Prediction:
    measured, low, high = found
    return Prediction(quantity=quantity, theory=theory, predicted=predicted, measured=measured, low=low, high=high)


def figure(table: pd.DataFrame, config: Config) -> Figure:
    """Measured distance against n, with the limit (dashed) and Scarf's bound (solid), a panel a dimension."""
    drawn = Figure(figsize=(3.6 * len(config.dimension), 3.4), layout="constrained")
    axes = drawn.subplots(1, len(config.dimension), squeeze=False, sharey=True)[0]
    for panel, d in zip(axes, config.dimension, strict=True):
        for tau, colour in zip(config.tau, shades(len(config.tau)), strict=True):
            cell = table[(table["dimension"] == d) & (table["tau"] == tau)].groupby("data_size")["value"]
            n = np.array(list(cell.groups), dtype=float)
            half = half_widths(cell.sem(), config.replicates)
            panel.errorbar(n, cell.mean(), yerr=half, fmt="o", color=colour, ms=4, label=f"measured, tau = {tau:g}")
            panel.plot(n, deviation_sharp(n, tau, d), "-", color=colour, lw=1, label="Scarf's bound")
            panel.plot(n, deviation_exact_variance(n, tau, d) / RATIO, "--", color=colour, lw=1, label="limit law")
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xlabel("data size n")
        panel.set_title(f"d = {d}", loc="left", fontsize=9)
        panel.grid(alpha=0.25, lw=0.5)
    axes[0].set_ylabel("L1 distance of the mixture to its mean")
    axes[0].legend(fontsize=7, frameon=False)
    return drawn
