"""The capacity gap: can a better teacher make a worse student? (Busbridge et al. 2025, there in kernel regression.)

Features are independent N(0, 1), the truth is linear in them with coefficients k^-decay. A teacher of capacity t knows
the first t coefficients exactly, a student of capacity s < n is least squares on the first s features of n unlabelled
points, told by the teacher. What the teacher knows beyond the student is noise to it, and independent of its features:
E(h - f)^2 = sum_{k > max} c_k^2 + [t > s] sum_{s < k <= t} c_k^2 (1 + s / (n - s - 1)), exact (inverse Wishart mean),
the first sum over k above max(s, t), or above t where t < s. It falls until t = s and rises after.
`kdshift simulate run capacity-gap`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from pydantic import Field, model_validator

from simulate.predictions import Prediction, Reading, mean_interval
from simulate.seeds import stream
from simulate.studies.kinds import StudyConfig, grouped
from theory.errors import InputError
from theory.inference.curve import half_widths
from theory.inference.curve_figure import shades
from theory.progress_report import Progress

Floats = npt.NDArray[np.float64]


class Config(StudyConfig):
    """The student's capacity s, teachers' t, data sizes n > s + 1, all features and the decay of the truth."""

    student: int = Field(20, ge=1)
    teacher: tuple[int, ...] = Field((5, 10, 15, 20, 25, 30, 40, 60, 100, 200), min_length=1)
    data_size: tuple[int, ...] = Field((30, 60, 200), min_length=1)
    features: int = Field(200, ge=1)
    decay: float = Field(1.0, gt=0)

    @model_validator(mode="after")
    def _check(self) -> Config:
        if min(self.data_size) < self.student + 2:
            raise InputError("data_size", min(self.data_size), f"at least student + 2 = {self.student + 2}")
        if max(self.teacher) > self.features or self.student > self.features:
            raise InputError("features", self.features, "at least the capacities of teacher and student")
        return self


def predicted_error(config: Config, teacher: int, data_size: int) -> float:
    """E(h - f)^2 of the student, exact."""
    square = np.arange(1.0, config.features + 1) ** (-2 * config.decay)
    s = config.student
    if teacher <= s:
        return float(square[teacher:].sum())
    return float(square[s:].sum() + square[s:teacher].sum() * s / (data_size - s - 1))


def measure(config: Config, progress: Progress) -> pd.DataFrame:
    """A row a cell and replicate: data_size, teacher, replicate, value (squared error, exact given the fit)."""
    coefficient = np.arange(1.0, config.features + 1) ** (-config.decay)
    rows = []
    for count, n in enumerate(config.data_size, start=1):
        for replicate in range(config.replicates):
            x = stream(config.seed, config.features, n, replicate, "data").standard_normal((n, config.features))
            target = np.stack([x[:, :t] @ coefficient[:t] for t in config.teacher], axis=1)
            fitted, *_ = np.linalg.lstsq(x[:, : config.student], target, rcond=None)
            for t, own in zip(config.teacher, fitted.T, strict=True):
                error = np.square(own - coefficient[: config.student]).sum()
                error += np.square(coefficient[config.student :]).sum()
                rows.append({"data_size": n, "teacher": t, "replicate": replicate, "value": float(error)})
        progress(config.title, count, len(config.data_size))
    return pd.DataFrame(rows)


def read(table: pd.DataFrame, config: Config) -> Reading:
    """Squared error at every teacher against the exact formula; the best teacher against the student's own capacity."""
    predictions = []
    for (n,), part in grouped(table, ["data_size"]):
        wide = part.pivot(index="replicate", columns="teacher", values="value")
        for t in config.teacher:
            predictions.append(
                _row(f"squared error, n = {n}, teacher {t}", predicted_error(config, t, int(n)), wide[t])
            )
        if config.student in wide and max(config.teacher) > config.student:
            strongest = max(config.teacher)
            gap = predicted_error(config, strongest, int(n)) - predicted_error(config, config.student, int(n))
            loss = wide[strongest] - wide[config.student]
            predictions.append(_row(f"loss by the strongest teacher, n = {n}", gap, loss))
    gaps = [one for one in predictions if one.quantity.startswith("loss")]
    sentence = (
        f"the strongest teacher is worse than the student's equal at {sum(g.low > 0 for g in gaps)} of {len(gaps)} n"
    )
    return Reading(predictions=tuple(predictions), sentence=sentence, draw=lambda: figure(table, config))


def _row(quantity: str, predicted: float, sample: pd.Series[float]) -> Prediction:
    measured, low, high = mean_interval(sample.to_numpy(float))
    # Where the student is exact given its teacher there is no noise: rounding must not refute.
    slack = 1e-9 * abs(measured)
    return Prediction(
        quantity=quantity,
        theory="exact: aliasing",
        predicted=predicted,
        measured=measured,
        low=low - slack,
        high=high + slack,
    )


def figure(table: pd.DataFrame, config: Config) -> Figure:
    """Squared error against the teacher's capacity: measured with intervals, exact lines, a colour a data size."""
    drawn = Figure(figsize=(5.4, 3.6), layout="constrained")
    axes = drawn.subplots()
    for n, colour in zip(config.data_size, shades(len(config.data_size)), strict=True):
        cell = table[table["data_size"] == n].groupby("teacher")["value"]
        half = cell.sem() * half_widths(1.0, config.replicates)
        teachers = list(config.teacher)
        axes.errorbar(teachers, cell.mean()[teachers], yerr=half[teachers], fmt="o", ms=4, color=colour)
        axes.plot(teachers, [predicted_error(config, t, n) for t in teachers], "-", color=colour, label=f"n = {n}")
    axes.axvline(config.student, color="grey", lw=0.8, ls="--", label="student's capacity")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("teacher's capacity (coefficients it knows)")
    axes.set_ylabel("student's squared error E(h - f)^2")
    axes.legend(fontsize=7, frameon=False)
    axes.grid(alpha=0.25, lw=0.5)
    return drawn
