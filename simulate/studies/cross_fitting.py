"""Cross-fitted against plain teachers: what a teacher costs that has seen the very labels it now speaks about.

Dao et al. (2021) see distillation as semiparametric inference: a teacher that overfits the student's texts hands its
noise on; answers from folds that left the text out do not. Teacher and student are kernel ridge regressions here, so
the student is linear in the labels, and the expected squared error given the points is exact: bias^2 of the mean
prediction plus the sum of squared weights times f(1 - f). With tau > 0 the student sees shifted copies, answered by the
same teachers.
`kdshift simulate run cross-fitting`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from matplotlib.figure import Figure
from pydantic import Field
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist

from simulate.predictions import Prediction, Reading, mean_interval
from simulate.seeds import stream
from simulate.studies.study import Progress, StudyConfig
from simulate.truth import build_truth
from theory.inference.curve_figure import shades

Floats = npt.NDArray[np.float64]
TEACHERS = ("plain", "cross-fitted")


class Config(StudyConfig):
    """Data sizes, shifts of the student's copies, folds, and the penalties (against a mean squared error)."""

    dimension: int = Field(5, ge=1)
    data_size: tuple[int, ...] = Field((55, 220, 440), min_length=1)
    tau: tuple[float, ...] = Field((0.0, 0.1), min_length=1)
    copies: int = Field(4, ge=1, description="shifted copies of a point where tau > 0")
    folds: int = Field(5, ge=2)
    truth: str = "smooth"
    bandwidth: float = Field(1.6, gt=0, description="of the Gaussian kernel of teacher and student")
    teacher_penalty: tuple[float, ...] = Field((1e-4, 1e-2), min_length=1)
    student_penalty: float = Field(1e-3, gt=0)
    test_size: int = Field(1000, ge=2)


@dataclass(frozen=True, kw_only=True)
class Points:
    """One replicate: originals x_nd with f_n and labels y_n, test points x_Qd with f_Q, standard normal moves."""

    x_nd: Floats
    f_n: Floats
    y_n: Floats
    test_Qd: Floats
    f_Q: Floats
    moves_cnd: Floats


def measure(config: Config, progress: Progress) -> pd.DataFrame:
    """A row a cell and replicate: data_size, tau, teacher_penalty, teacher, value and expected (squared errors)."""
    total = len(config.data_size) * config.replicates
    rows = []
    for count in range(total):
        n, replicate = config.data_size[count // config.replicates], count % config.replicates
        points = _draw(config, n, replicate)
        for tau in config.tau:
            x = points.x_nd[None] + np.sqrt(tau) * points.moves_cnd if tau else points.x_nd[None]
            student = _ridge(x.reshape(-1, config.dimension), config.student_penalty, config.bandwidth)(points.test_Qd)
            for penalty in config.teacher_penalty:
                for teacher in TEACHERS:
                    answers = _answers(config, points.x_nd, x, penalty, folds=1 if teacher == "plain" else config.folds)
                    expected, value = _errors(student @ answers, points)
                    rows.append(
                        {"data_size": n, "tau": tau, "teacher_penalty": penalty, "teacher": teacher}
                        | {"replicate": replicate, "value": value, "expected": expected}
                    )
        progress(count + 1, total)
    return pd.DataFrame(rows)


def _draw(config: Config, n: int, replicate: int) -> Points:
    truth = build_truth(config.truth)

    def f(x: Floats) -> Floats:
        return truth(torch.from_numpy(x)).numpy()

    data = stream(config.seed, config.dimension, n, replicate, "data")
    x = data.standard_normal((n, config.dimension))
    test = stream(config.seed, config.dimension, n, replicate, "test")
    test_Qd = test.standard_normal((config.test_size, config.dimension))
    moves = stream(config.seed, config.dimension, n, replicate, "augmentation")
    return Points(
        x_nd=x,
        f_n=f(x),
        y_n=(data.random(n) < f(x)).astype(float),
        test_Qd=test_Qd,
        f_Q=f(test_Qd),
        moves_cnd=moves.standard_normal((config.copies, n, config.dimension)),
    )


def _ridge(x: Floats, penalty: float, bandwidth: float) -> Callable[[Floats], Floats]:
    """The smoother of kernel ridge regression at `x` (n, d): test points (Q, d) -> weights of the targets (Q, n)."""
    gram = _kernel(x, x, bandwidth)
    gram[np.diag_indices(len(x))] += penalty * len(x)
    factor = cho_factor(gram, lower=True)
    return lambda test: np.asarray(cho_solve(factor, _kernel(x, test, bandwidth)).T)


def _kernel(a: Floats, b: Floats, bandwidth: float) -> Floats:
    return np.asarray(np.exp(cdist(a, b, "sqeuclidean") / (-2 * bandwidth**2)))


def _answers(config: Config, x_nd: Floats, shown_cnd: Floats, penalty: float, *, folds: int) -> Floats:
    """Weights (c n, n) of the labels in the teacher's answers on what the student is shown.

    With several folds the answer on any copy of a text comes from the teacher that left this text's fold out.
    """
    n = len(x_nd)
    weight = np.zeros((len(shown_cnd), n, n))
    fold = np.arange(n) % folds
    for one in range(folds):
        mine = fold == one
        seen = np.flatnonzero(~mine) if folds > 1 else np.arange(n)
        smoother = _ridge(x_nd[seen], penalty, config.bandwidth)
        for copy in range(len(shown_cnd)):
            weight[copy][np.ix_(np.flatnonzero(mine), seen)] = smoother(shown_cnd[copy, mine])
    return weight.reshape(-1, n)


def _errors(weight_Qn: Floats, points: Points) -> tuple[float, float]:
    """(expected over labels given the points, found with the labels drawn) mean squared error of 1/2 + W (y - 1/2)."""
    bias_Q = weight_Qn @ (points.f_n - 0.5) + 0.5 - points.f_Q
    spread_n = points.f_n * (1 - points.f_n)
    expected = float((bias_Q**2).mean() + ((weight_Qn**2) @ spread_n).mean())
    found = weight_Qn @ (points.y_n - 0.5) + 0.5 - points.f_Q
    return expected, float((found**2).mean())


def read(table: pd.DataFrame, config: Config) -> Reading:
    """What cross-fitting saves, against its exact expectation; positive where Dao et al. are right."""
    predictions = []
    for (n, tau, penalty), cell in table.groupby(["data_size", "tau", "teacher_penalty"]):
        wide = cell.pivot(index="replicate", columns="teacher", values=["value", "expected"])
        saved = wide["value"]["plain"] - wide["value"]["cross-fitted"]
        predicted = float((wide["expected"]["plain"] - wide["expected"]["cross-fitted"]).mean())
        measured, low, high = mean_interval(saved.to_numpy(float))
        level = float(wide["value"]["plain"].mean())
        predictions.append(
            Prediction(
                quantity=f"squared error saved, n = {n}, tau = {tau:g}, teacher's penalty {penalty:g}",
                theory="exact given the points",
                predicted=predicted,
                measured=measured,
                low=low,
                high=high,
                note=f"plain: {level:.4f}",
            )
        )
    helps = [one for one in predictions if one.low > 0]
    hurts = [one for one in predictions if one.high < 0]
    sentence = f"cross-fitting helps in {len(helps)} of {len(predictions)} settings and hurts in {len(hurts)}"
    return Reading(predictions=tuple(predictions), sentence=sentence, draw=lambda: figure(predictions))


def figure(predictions: list[Prediction]) -> Figure:
    """Saved squared error with intervals, the exact expectation as a bar, a row a setting."""
    drawn = Figure(figsize=(7.0, 0.34 * len(predictions) + 1.2), layout="constrained")
    axes = drawn.subplots()
    place = np.arange(len(predictions))[::-1]
    value = np.array([one.measured for one in predictions])
    bars = np.abs(np.array([[one.low, one.high] for one in predictions]).T - value)
    colours = shades(2)
    axes.errorbar(value, place, xerr=bars, fmt="o", ms=4, capsize=3, color=colours[0], label="measured, 95 %")
    axes.plot([one.predicted for one in predictions], place, "|", ms=12, color=colours[1], label="exact expectation")
    axes.axvline(0, color="grey", lw=0.8)
    axes.set_yticks(place, [one.quantity.removeprefix("squared error saved, ") for one in predictions], fontsize=7)
    axes.set_xlabel("squared error of the plain teacher's student - of the cross-fitted one's")
    axes.legend(fontsize=7, frameon=False)
    return drawn
