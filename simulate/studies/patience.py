"""Patience: does the best tau grow with the number of training steps? (Beyer et al. 2022: strong views, long runs.)

A small network on the teacher's answers, measured on the way: every number of steps is a snapshot of one training with
a constant rate, so snapshots share data, initial weights and batches. `kdshift simulate run patience`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from pydantic import Field

from simulate.cell import generate
from simulate.experiment_config import make_config
from simulate.imperfect_teacher import build_teacher
from simulate.parallel import one_torch_thread
from simulate.predictions import Prediction, Reading, over_best
from simulate.seeds import streams
from simulate.students.mlp import fit_at
from simulate.studies.kinds import StudyConfig, grouped
from simulate.supervision import Examples
from simulate.truth import build_truth
from theory.inference.curve import ShiftErrorCurve
from theory.inference.curve_figure import draw_curves
from theory.inference.power_law import power_law
from theory.progress_report import Progress


class Config(StudyConfig):
    """The experiment (one dimension, one teacher) and the steps at which it is looked at."""

    dimension: int = Field(5, ge=1)
    data_size: tuple[int, ...] = Field((100, 1000), min_length=1)
    tau: tuple[float, ...] = Field((0.001, 0.01, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0), min_length=3)
    steps: tuple[int, ...] = Field((100, 300, 1000, 3000, 10_000, 20_000), min_length=2)
    augmented_size: int = Field(16_384, ge=1)
    truth: str = "smooth"
    trust_radius: float = Field(3.5, gt=0)
    outside: str = "flipped"
    hidden: int = Field(64, ge=1)
    learning_rate: float = Field(3e-3, gt=0)
    batch_size: int = Field(64, ge=1)
    test_size: int = Field(2048, ge=2)


def measure(config: Config, progress: Progress) -> pd.DataFrame:
    """A row a cell and replicate: data_size, steps, tau, replicate, value (E|h - f|)."""
    frames = []
    for count, n in enumerate(config.data_size, start=1):
        with one_torch_thread():
            torch.set_num_threads(1)
            frames += _of_size(config, n)
        progress(config.title, count, len(config.data_size))
    return pd.concat(frames, ignore_index=True)


def _of_size(config: Config, n: int) -> list[pd.DataFrame]:
    values: dict[str, Any] = {
        name: getattr(config, name)
        for name in ("dimension", "tau", "truth", "trust_radius", "outside", "seed", "test_size")
    }
    grid = make_config(
        values | {"data_size": n, "supervision": "teacher", "augmented_size": config.augmented_size, "student": "mlp"}
    )
    family, replicates = grid.families()[0], range(config.replicates)
    address = (config.seed, config.dimension, n, replicates)
    world, truth = generate(grid, family, replicates), build_truth(config.truth)
    teacher = build_teacher(
        "trusted",
        truth,
        streams(*address, "teacher"),
        dimension=config.dimension,
        teacher_epsilon=0.0,
        trust_radius=config.trust_radius,
        outside=config.outside,
        teacher_size=1,
        device=torch.device("cpu"),
    )
    x_RTmd = world.augmented(config.tau)
    target_RTm = teacher(x_RTmd.flatten(1, 2)).reshape(x_RTmd.shape[:-1])
    examples = Examples(x_RTMd=x_RTmd, target_RTM=target_RTm, weight_M=torch.ones(config.augmented_size))
    predicted_SRTQ = fit_at(
        examples,
        world.test_RQd,
        streams(*address, "student"),
        hidden=config.hidden,
        learning_rate=config.learning_rate,
        batch_size=config.batch_size,
        at=config.steps,
    )
    error_SRT = (predicted_SRTQ - truth(world.test_RQd)[None, :, None]).abs().mean(-1).double().numpy()
    return [
        pd.DataFrame(
            {"data_size": n, "steps": steps, "tau": config.tau, "replicate": replicate, "value": error_RT[replicate]}
        )
        for steps, error_RT in zip(config.steps, error_SRT, strict=True)
        for replicate in replicates
    ]


def step_curves(table: pd.DataFrame, data_size: int) -> list[ShiftErrorCurve]:
    """Error against tau, one curve a number of steps, which stands in the place of the data size."""
    mine = table[table["data_size"] == data_size]
    return [
        ShiftErrorCurve.from_replicates(wide.columns.to_numpy(float), wide.to_numpy(), float(steps))
        for (steps,), part in grouped(mine, ["steps"])
        for wide in [part.pivot(index="replicate", columns="tau", values="value")]
    ]


def read(table: pd.DataFrame, config: Config) -> Reading:
    """The exponent of the best tau in the steps, best taus, and what the largest tau loses, by data size.

    A student that hardly began has no use for any shift, so the exponent is read without the fewest steps as well.
    """
    predictions: list[Prediction] = []
    signs: dict[str, list[int]] = {"all": [], "later": []}
    for n in config.data_size:
        curves = step_curves(table, n)
        optima = [curve.optimum() for curve in curves]
        for name, part in {"all": optima, "later": optima[1:]}.items():
            if len(part) < 2:
                continue
            law = power_law(part)
            signs[name].append((law.exponent_low > 0) - (law.exponent_high < 0))
            edges = [f"{best.data_size:.0f}" for best in part if best.at_edge]
            note = "sign only; edge of the grid at steps " + ", ".join(edges) if edges else "sign only"
            start = "" if name == "all" else f", from {part[0].data_size:.0f} steps on"
            found = (law.exponent, law.exponent_low, law.exponent_high)
            what = f"exponent of the best tau in the steps{start}, n = {n}"
            predictions.append(_row(what, "Beyer et al.: positive", found, note))
        for curve, best in zip(curves, optima, strict=True):
            where = f"n = {n}, {best.data_size:.0f} steps"
            predictions.append(_row(f"best tau, {where}", "none", (best.shift, best.low, best.high)))
            predictions.append(_row(f"error without shift - at the best, {where}", "none", over_best(curve, 0)))
    sentence = (
        f"the best tau grows with the steps, interval above zero, at {signs['all'].count(1)} of "
        f"{len(config.data_size)} data sizes"
    )
    if signs["later"]:
        sentence += (
            f"; without the fewest steps it grows at {signs['later'].count(1)} and falls at {signs['later'].count(-1)}"
        )
    return Reading(predictions=tuple(predictions), sentence=sentence, draw=lambda: figure(table, config))


def _row(quantity: str, theory: str, found: tuple[float, float, float], note: str = "") -> Prediction:
    measured, low, high = found
    return Prediction(
        quantity=quantity, theory=theory, predicted=math.nan, measured=measured, low=low, high=high, note=note
    )


def figure(table: pd.DataFrame, config: Config) -> Figure:
    """Error against tau, a panel a data size, a line a number of steps, best tau with its interval."""
    drawn = Figure(figsize=(4.6 * len(config.data_size), 3.8), layout="constrained")
    axes = drawn.subplots(1, len(config.data_size), squeeze=False, sharey=True)[0]
    for panel, n in zip(axes, config.data_size, strict=True):
        curves = step_curves(table, n)
        draw_curves(panel, curves, [f"{int(steps):,} steps".replace(",", " ") for steps in np.sort(config.steps)])
        panel.set_title(f"n = {n}", loc="left", fontsize=9)
    axes[0].set_ylabel("error  E|h - f|")
    return drawn
