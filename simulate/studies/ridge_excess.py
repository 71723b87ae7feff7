"""The calculated squared distance to the teacher against students that are fitted: does it name the best shift?

Theory: `theory.excess_distance` on a pool of points with their shifted copies; measured: ridge students on random
subsets of the pool. The best tau is predicted before any student is fitted. `kdshift simulate run ridge-excess`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from matplotlib.figure import Figure
from pydantic import Field
from scipy.stats import spearmanr

from simulate.features import draw_features, fourier_features
from simulate.imperfect_teacher import build_teacher
from simulate.kernel import KernelShape, correlated, draw_moves
from simulate.predictions import Prediction, Reading
from simulate.seeds import Purpose, stream
from simulate.studies.kinds import StudyConfig, grouped
from simulate.truth import build_truth
from theory.excess_distance import Pool, excess_distance, fit_ridge_copies
from theory.inference.curve import ShiftErrorCurve, half_widths
from theory.inference.curve_figure import shades
from theory.progress_report import Progress

Floats = npt.NDArray[np.float64]
CELL = ["kernel", "penalty", "data_size"]


class Config(StudyConfig):
    """Population, teacher, features of the student, and the grid of kernels, penalties, data sizes and tau."""

    dimension: int = Field(5, ge=1)
    kernel: tuple[str, ...] = ("isotropic", "preserving", "replacement")
    data_size: tuple[int, ...] = Field((30, 100, 300), min_length=1)
    tau: tuple[float, ...] = Field((0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0), min_length=3)
    penalty: tuple[float, ...] = Field((1e-5, 1e-3), min_length=1)
    correlation: float = Field(0.6, ge=0, lt=1)
    trust_radius: float = Field(3.5, gt=0)
    pool: int = Field(2000, ge=2)
    copies: int = Field(8, ge=2)
    features: int = Field(96, ge=1)
    held_out: int = Field(2000, ge=2)


def measure(config: Config, progress: Progress) -> pd.DataFrame:
    """A row a cell and replicate: kernel, penalty, data_size, tau, replicate, value and predicted (E (h - g)^2)."""
    rows = []
    for count, kernel in enumerate(config.kernel, start=1):
        held, held_answer, copies_TNKD, answers_TNK = _pool(config, kernel)
        for tau, features, answers in zip(config.tau, copies_TNKD, answers_TNK, strict=True):
            pool = Pool.of(features, answers[..., None])
            for penalty in config.penalty:
                for n in config.data_size:
                    told = {"data_size": n, "penalty": penalty}
                    calculated = excess_distance(pool, held, held_answer[:, None], **told).total
                    for replicate in range(config.replicates):
                        rng = stream(config.seed, config.dimension, n, replicate, "data")
                        mine = rng.choice(config.pool, n, replace=False)
                        fitted = fit_ridge_copies(features[mine], answers[mine][..., None], penalty=penalty)
                        value = float(np.square(held @ fitted[:, 0] - held_answer).mean())
                        row = {"kernel": kernel, "tau": tau, "replicate": replicate, **told}
                        rows.append(row | {"value": value, "predicted": calculated})
        progress(config.title, count, len(config.kernel))
    return pd.DataFrame(rows)


def _pool(config: Config, kernel: str) -> tuple[Floats, Floats, Floats, Floats]:
    """Held-out features (Q, D) and answers (Q,), copies' features (T, N, K, D) and answers (T, N, K), all less 1/2."""

    def rng(purpose: Purpose) -> np.random.Generator:
        return stream(config.seed, config.dimension, config.pool, 0, purpose)

    cpu = torch.device("cpu")
    teacher = build_teacher(
        "trusted",
        build_truth("smooth"),
        [rng("teacher")],
        dimension=config.dimension,
        teacher_epsilon=0.0,
        trust_radius=config.trust_radius,
        outside="flipped",
        teacher_size=1,
        device=cpu,
        correlation=config.correlation,
    )
    frequency, phase = draw_features([rng("student")], config.dimension, config.features, 0.5, cpu)
    points = [_points(rng("data"), config.pool, config), _points(rng("test"), config.held_out, config)]
    parents = points[0].repeat_interleave(config.copies, 0)[None]
    moves = draw_moves(kernel, [rng("augmentation")], parents, config.correlation, KernelShape())
    shifted_TMd = moves.apply(parents, config.tau)[0]
    copies = fourier_features(shifted_TMd, frequency, phase)
    answers = torch.stack([teacher(one[None])[0] for one in shifted_TMd]) - 0.5
    held = fourier_features(points[1][None], frequency, phase)[0]
    shape = (len(config.tau), config.pool, config.copies)
    return (
        held.double().numpy(),
        (teacher(points[1][None])[0] - 0.5).double().numpy(),
        copies.double().numpy().reshape(*shape, -1),
        answers.double().numpy().reshape(shape),
    )


def _points(rng: np.random.Generator, size: int, config: Config) -> torch.Tensor:
    drawn = rng.standard_normal((size, config.dimension), dtype=np.float32)
    return torch.from_numpy(correlated(drawn, rng, config.correlation))


def read(table: pd.DataFrame, config: Config) -> Reading:
    """Best tau, calculated against measured, curve by curve; grid steps between them and rank correlation over tau."""
    predictions, near, ranks = [], [], []
    for (kernel, penalty, n), cell in grouped(table, CELL, sort=False):
        curve = _curve(cell, int(n))
        calculated = cell.groupby("tau")["predicted"].first().to_numpy(float)
        steps = abs(int(np.argmin(calculated)) - int(np.argmin(curve.error)))
        rank = float(spearmanr(calculated, curve.error).statistic)
        near.append(steps <= 1)
        ranks.append(rank)
        best = curve.optimum()
        predictions.append(
            Prediction(
                quantity=f"best tau, {kernel}, n = {n}, penalty {penalty:g}",
                theory="excess distance, calculated",
                predicted=float(curve.shift[np.argmin(calculated)]),
                measured=best.shift,
                low=best.low,
                high=best.high,
                note=f"{steps} grid steps, rank correlation {rank:.2f}",
            )
        )
    sentence = (
        f"the calculated best tau is within one grid step of the measured on {sum(near)} of {len(near)} curves;"
        f" rank correlation over tau: median {np.median(ranks):.2f}, least {min(ranks):.2f}"
    )
    return Reading(predictions=tuple(predictions), sentence=sentence, draw=lambda: figure(table, config))


def _curve(cell: pd.DataFrame, data_size: int) -> ShiftErrorCurve:
    wide = cell.pivot(index="replicate", columns="tau", values="value")
    return ShiftErrorCurve.from_replicates(wide.columns.to_numpy(float), wide.to_numpy(), float(data_size))


def figure(table: pd.DataFrame, config: Config) -> Figure:
    """Squared distance against tau: measured (points), calculated (lines), a panel a kernel, at the first penalty."""
    drawn = Figure(figsize=(3.8 * len(config.kernel), 3.6), layout="constrained")
    axes = drawn.subplots(1, len(config.kernel), squeeze=False, sharey=True)[0]
    for panel, kernel in zip(axes, config.kernel, strict=True):
        for n, colour in zip(config.data_size, shades(len(config.data_size)), strict=True):
            cell = table[(table["kernel"] == kernel) & (table["data_size"] == n)]
            by_tau = cell[cell["penalty"] == config.penalty[0]].groupby("tau")
            half = half_widths(by_tau["value"].sem(), config.replicates)
            panel.errorbar(config.tau, by_tau["value"].mean(), yerr=half, fmt="o", ms=3, color=colour, label=f"n = {n}")
            panel.plot(config.tau, by_tau["predicted"].first(), "-", lw=1, color=colour)
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xlabel("tau, E|x' - x|^2 / d")
        panel.set_title(kernel.replace("_", " "), loc="left", fontsize=9)
        panel.grid(alpha=0.25, lw=0.5)
    axes[0].set_ylabel("squared distance to the teacher")
    axes[0].legend(fontsize=7, frameon=False)
    return drawn
