"""The Wasserstein-2 distance of a smoothed sample in one dimension: does its rate change at tau = 1?

Block, Jia, Polyanskiy and Rakhlin (2022): over laws with sub-Gaussian constant 1, the distance goes as n^(-1/2) if
tau > 1 and, in one dimension, only as n^-e, e = (1 + tau)^2 / (4 (1 + tau^2)), below. The law that is that slow has a
far point of mass p = e^(-h^2/2) at h^2 = 4 tau ln n / (1 + tau^2), where the error sqrt(p/n) of the mass is as large as
the smoothed density between the points; it changes with n. N(0, 1) is not such a law: E chi^2 is finite for every tau
(PROOFS.md 8) and Talagrand's inequality gives E W2^2 <= 2 (1 + tau) E chi^2, hence n^(-1/2) at every tau.
`kdshift simulate run smoothed-w2`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from pydantic import Field
from scipy.special import log_ndtr, logsumexp

from simulate.predictions import Prediction, Reading, slope_interval
from simulate.seeds import stream
from simulate.studies.kinds import StudyConfig, grouped
from theory.inference.curve_figure import shades
from theory.progress_report import Progress

GRID = 1200
Floats = npt.NDArray[np.float64]


class Config(StudyConfig):
    """Variances of the smoothing, and data sizes for the two laws."""

    tau: tuple[float, ...] = Field((0.04, 0.1, 0.25, 0.5, 0.8, 1.5), min_length=1)
    gaussian_size: tuple[int, ...] = Field((100, 400, 1600, 6400), min_length=2)
    far_point_size: tuple[int, ...] = Field((1000, 10_000, 100_000, 1_000_000), min_length=2)


def worst_exponent(tau: float) -> float:
    """-e of Block et al. for W2 itself (sub-Gaussian constant 1, one dimension); -1/2 from tau = 1 on."""
    return -0.5 if tau >= 1 else -((1 + tau) ** 2) / (4 * (1 + tau**2))


def wasserstein2(
    centres: Floats, weight: Floats, other_centres: Floats, other_weight: Floats, tau: float, size: int = GRID
) -> float:
    """W2 of two mixtures of N(centre, tau) on the line, from their quantiles on a grid in both tails' logarithms.

    The mean over u of (Q - Q')^2 is a sum over the first mixture's grid: u = F(x), Q'(u) by interpolating x in
    ln F' below the median and ln(1 - F') above.
    """
    root = math.sqrt(tau)
    ends = np.concatenate([centres, other_centres])
    x = np.linspace(ends.min() - 9 * root, ends.max() + 9 * root, size)
    left, right = _tails(x, centres, weight, root)
    other_left, other_right = _tails(x, other_centres, other_weight, root)
    below = left < math.log(0.5)
    mapped = np.where(below, np.interp(left, other_left, x), np.interp(-right, -other_right, x))
    share = np.exp(np.where(below, left, right))
    mass = np.abs(np.diff(share))
    turn = int(np.argmin(below)) if not below.all() else size
    if 0 < turn < size:
        mass[turn - 1] = max(1 - share[turn - 1] - share[turn], 0.0)
    gap = (mapped - x) ** 2
    return math.sqrt(float(mass @ (gap[1:] + gap[:-1]) / 2))


def _tails(x: Floats, centres: Floats, weight: Floats, root: float) -> tuple[Floats, Floats]:
    z = (x[:, None] - centres[None, :]) / root
    log_weight = np.log(weight)[None, :]
    return logsumexp(log_ndtr(z) + log_weight, axis=1), logsumexp(log_ndtr(-z) + log_weight, axis=1)


def far_point(data_size: int, tau: float) -> tuple[float, float]:
    """(h, p) of the slow law at this n and tau."""
    square = 4 * tau * math.log(data_size) / (1 + tau**2)
    return math.sqrt(square), math.exp(-square / 2)


def measure(config: Config, progress: Progress) -> pd.DataFrame:
    """A row a cell and replicate: law, tau, data_size, replicate, value (W2)."""
    cells = [("gaussian", tau, n) for tau in config.tau for n in config.gaussian_size]
    cells += [("far point", tau, n) for tau in config.tau for n in config.far_point_size]
    rows = []
    for count, (law, tau, n) in enumerate(cells, start=1):
        for replicate in range(config.replicates):
            rng = stream(config.seed, 1, n, replicate, "data")
            value = _gaussian(rng, n, tau) if law == "gaussian" else _far(rng, n, tau)
            rows.append({"law": law, "tau": tau, "data_size": n, "replicate": replicate, "value": value})
        progress(config.title, count, len(cells))
    return pd.DataFrame(rows)


def _gaussian(rng: np.random.Generator, n: int, tau: float) -> float:
    """W2 of (sample of N(0, 1)) * N(0, tau) to N(0, 1 + tau), the sample's points gathered in cells of root(tau)/20."""
    x = rng.standard_normal(n)
    width = math.sqrt(tau) / 20
    cell, count = np.unique(np.round(x / width), return_counts=True)
    root = math.sqrt(1 + tau)
    grid = np.linspace(-9 * root, 9 * root, GRID)
    left, right = log_ndtr(grid / root), log_ndtr(-grid / root)
    own_left, own_right = _tails(grid, cell * width, count / n, math.sqrt(tau))
    below = left < math.log(0.5)
    mapped = np.where(below, np.interp(left, own_left, grid), np.interp(-right, -own_right, grid))
    density = np.exp(-(grid**2) / (2 * (1 + tau))) / math.sqrt(2 * math.pi * (1 + tau))
    return math.sqrt(float(((mapped - grid) ** 2 * density).sum() * (grid[1] - grid[0])))


def _far(rng: np.random.Generator, n: int, tau: float) -> float:
    h, p = far_point(n, tau)
    found = rng.binomial(n, p) / n
    points = np.array([0.0, h])
    if not 0 < found < 1:
        return wasserstein2(points, np.array([1 - p, p]), points[:1] if found == 0 else points[1:], np.ones(1), tau)
    return wasserstein2(points, np.array([1 - p, p]), points, np.array([1 - found, found]), tau)


def read(table: pd.DataFrame, config: Config) -> Reading:
    """The exponent of W2 in n, law by law and tau by tau, against Block et al. and against Talagrand's -1/2."""
    predictions = []
    for (law, tau), cell in grouped(table, ["law", "tau"], sort=False):
        # The mean of W2^2 is what theory bounds; its root has half the exponent.
        groups = [(float(n), part["value"].to_numpy(float) ** 2) for (n,), part in grouped(cell, ["data_size"])]
        found = slope_interval([math.log(n) for n, _ in groups], [values for _, values in groups])
        measured, low, high = (x / 2 for x in found)
        theories = [("Block et al., worst law", worst_exponent(float(tau)))]
        if law == "gaussian":
            theories.append(("PROOFS.md 8 and Talagrand, N(0, 1)", -0.5))
        predictions += [
            Prediction(
                quantity=f"exponent of W2 in n, {law}, tau = {tau:g}",
                theory=name,
                predicted=value,
                measured=measured,
                low=low,
                high=high,
            )
            for name, value in theories
        ]
    return Reading(predictions=tuple(predictions), sentence=_sentence(predictions), draw=lambda: figure(predictions))


def _sentence(predictions: list[Prediction]) -> str:
    def share(law: str, theory: str) -> str:
        mine = [one for one in predictions if law in one.quantity and one.theory.startswith(theory)]
        return f"{sum(one.outcome == 'refuted' for one in mine)} of {len(mine)}"

    return (
        f"the worst case's exponent is refuted for {share('gaussian', 'Block')} tau with N(0, 1) data and for "
        f"{share('far point', 'Block')} with a far point; -1/2 for {share('gaussian', 'PROOFS')} with N(0, 1)"
    )


def figure(predictions: list[Prediction]) -> Figure:
    """Measured exponents against tau for both laws, with Block et al.'s line and -1/2."""
    drawn = Figure(figsize=(5.4, 3.6), layout="constrained")
    axes = drawn.subplots()
    colours = shades(3)
    for law, colour in (("gaussian", colours[0]), ("far point", colours[1])):
        mine = [one for one in predictions if law in one.quantity and one.theory.startswith("Block")]
        tau = [float(one.quantity.rsplit("=", 1)[1]) for one in mine]
        value = np.array([one.measured for one in mine])
        bars = np.abs(np.array([[one.low, one.high] for one in mine]).T - value)
        axes.errorbar(tau, value, yerr=bars, fmt="o", ms=4, capsize=3, color=colour, label=f"measured, {law}")
    line = np.geomspace(0.03, 2, 100)
    axes.plot(line, [worst_exponent(t) for t in line], "-", color=colours[2], label="Block et al., worst law")
    axes.axhline(-0.5, color="grey", lw=0.8, ls="--", label="-1/2")
    axes.set_xscale("log")
    axes.set_xlabel("tau (variance of the smoothing)")
    axes.set_ylabel("exponent of W2 in n")
    axes.legend(fontsize=7, frameon=False)
    axes.grid(alpha=0.25, lw=0.5)
    return drawn
