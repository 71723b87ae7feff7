"""How far the augmented mixture is from P = N(0, I): L1 by importance sampling, squared error in closed form.

`kdshift simulate distance`; the quantity that Theorem 1 bounds (section 4.2, appendix A) and its repaired bounds.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from simulate.experiment_config import ExperimentConfig, Family
from simulate.mixture import log_density, log_standard_normal, sample
from simulate.parallel import check_device, one_torch_thread, run_units
from simulate.seeds import stream
from theory.errors import InputError
from theory.progress_report import Progress
from theory.repaired import mean_bound, mean_lower_bound

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class L1Distance:
    """The distance of one training set's mixture from P, in [0, 2], and its Monte Carlo standard error."""

    value: float
    se: float


def l1_distance(
    centres: Floats,
    tau: float,
    points: int,
    rng: np.random.Generator,
    *,
    printed: bool = False,
    population_variance: float = 1.0,
    device: str = "cpu",
) -> L1Distance:
    """The integral of |p_hat - p| for one training set (n, d), from `points` draws of (P + p_hat) / 2.

    P is N(0, population_variance I): 1 is the data's law, 1 + tau the mixture's mean.

    Half of the draws come from each part. The integrand |p_hat - p| / ((p_hat + p) / 2) is 2 tanh(|log ratio| / 2) for
    a normalised mixture: at most 2, and exact where both densities underflow. With `printed`, p_hat is the printed
    expression, whose mass is tau^((d-1)/2), while draws still come from the normalised one.
    """
    half = max(2, points // 2)
    root = math.sqrt(population_variance)
    own = root * rng.standard_normal((half, centres.shape[1]))
    draws = np.concatenate([own, sample(centres, tau, half, rng)])
    log_p = log_standard_normal(draws / root) - centres.shape[1] * math.log(root)
    log_q = log_density(draws, centres, tau, device=device)
    if printed:
        shift = 0.5 * (centres.shape[1] - 1) * math.log(tau)
        top = np.maximum(log_p, log_q)
        density = 0.5 * (np.exp(log_p - top) + np.exp(log_q - top))
        value = np.abs(np.exp(log_q + shift - top) - np.exp(log_p - top)) / density
    else:
        value = 2 * np.tanh(np.abs(log_q - log_p) / 2)
    parts = value.reshape(2, half)
    return L1Distance(value=float(parts.mean()), se=float(np.sqrt((parts.var(axis=1, ddof=1) / half).sum()) / 2))


def integrated_squared_error(centres: Floats, tau: float) -> float:
    """The integral of (p_hat - p)^2 for one training set (n, d), exactly: sums of normal densities at the centres."""
    dimension = centres.shape[1]
    pairs = np.exp(log_density(centres, centres, 2 * tau)).mean()
    wide = -0.5 * np.square(centres).sum(1) / (1 + tau) - 0.5 * dimension * math.log(2 * math.pi * (1 + tau))
    return float(pairs - 2 * np.exp(wide).mean() + (4 * math.pi) ** (-dimension / 2))


def draw_centres(seed: int, dimension: int, data_size: int, replicate: int) -> Floats:
    """The originals of one replicate, the same that students of the experiment see (n, d)."""
    rng = stream(seed, dimension, data_size, replicate, "data")
    return rng.standard_normal((data_size, dimension), dtype=np.float32).astype(float)


def measure_distances(config: ExperimentConfig, family: Family, start: int, stop: int) -> dict[str, Floats]:
    """L1 distance and integrated squared error of each replicate's mixture at every tau, each (R, T)."""
    shape = (stop - start, len(config.tau))
    values = {"l1_distance": np.empty(shape), "ise": np.empty(shape)}
    for row, replicate in enumerate(range(start, stop)):
        centres = draw_centres(config.seed, family.dimension, family.data_size, replicate)
        for column, tau in enumerate(config.tau):
            rng = stream(config.seed, family.dimension, family.data_size, replicate, "distance")
            values["l1_distance"][row, column] = l1_distance(centres, tau, config.distance_points, rng).value
            values["ise"][row, column] = integrated_squared_error(centres, tau)
    return values


@dataclass(frozen=True, kw_only=True)
class DistanceResult:
    """Mean L1 distance over training sets with its standard error, beside the repaired bounds of the same setting.

    `l1_distance_se` is over training sets and holds the Monte Carlo error too. `mean_bound` bounds the mean from above
    (Scarf), `lower_bound` from below.
    """

    l1_distance: float
    l1_distance_se: float
    mean_bound: float
    lower_bound: float
    seconds: float


def distances_of_sets(
    *,
    dimension: int,
    data_size: int,
    tau: float,
    replicates: int,
    seed: int = 0,
    points: int = 20_000,
    printed: bool = False,
    device: str = "cpu",
    workers: int = 2,
    progress: Progress | None = None,
) -> Floats:
    """L1 distances (R,) of the mixtures of `replicates` independent training sets, `workers` at a time.

    Raises InputError for what no setting allows (tau <= 0, n = 0, fewer than two replicates ...).
    """
    for name, value, least in (
        ("dimension", dimension, 1),
        ("data_size", data_size, 1),
        ("replicates", replicates, 2),
        ("points", points, 4),
    ):
        if value < least:
            raise InputError(name, value, f"a whole number >= {least}")
    if not (math.isfinite(tau) and tau > 0):
        raise InputError("tau", tau, "a finite variance > 0")
    check_device(device)

    def one(replicate: int) -> tuple[int, float]:
        torch.set_num_threads(1)
        centres = draw_centres(seed, dimension, data_size, replicate)
        rng = stream(seed, dimension, data_size, replicate, "distance")
        return replicate, l1_distance(centres, tau, points, rng, printed=printed, device=device).value

    values = np.empty(replicates)
    with one_torch_thread():
        finished = run_units(one, [(replicate,) for replicate in range(replicates)], workers, "threads")
        for count, (replicate, value) in enumerate(finished, start=1):
            values[replicate] = value
            if progress is not None:
                progress("training sets", count, replicates)
    return values


def measure_distance(*, dimension: int, data_size: int, tau: float, **how: Any) -> DistanceResult:
    """The mean L1 distance over training sets beside the repaired bounds; `how` as in `distances_of_sets`."""
    begin = time.perf_counter()
    values = distances_of_sets(dimension=dimension, data_size=data_size, tau=tau, **how)
    return DistanceResult(
        l1_distance=float(values.mean()),
        l1_distance_se=float(values.std(ddof=1) / math.sqrt(len(values))),
        mean_bound=float(mean_bound(data_size, tau, dimension)),
        lower_bound=float(mean_lower_bound(data_size, tau, dimension)),
        seconds=time.perf_counter() - begin,
    )
