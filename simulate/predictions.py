"""What a theory predicts beside what was measured, with the interval that decides (`kdshift simulate run PRESET`).

A prediction is refuted when it lies outside the 95 % interval of what was measured. Nothing is confirmed by lying
inside: a wide interval holds several laws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from theory.errors import InputError
from theory.inference.contrast import LEVEL, student_interval
from theory.inference.curve import ShiftErrorCurve
from theory.replacing import replacing, write_atomically, write_frame

Floats = npt.NDArray[np.float64]
Outcome = Literal["not refuted", "refuted", "censored", "silent"]


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One number of a theory and its measurement; `predicted` is NaN where the theory is silent.

    `censored`: the measurement ends where its grid ends, so it refutes nothing. `note` says what else it leaves open.
    """

    quantity: str
    theory: str
    predicted: float
    measured: float
    low: float
    high: float
    note: str = ""
    censored: bool = False

    @property
    def outcome(self) -> Outcome:
        """`refuted` where the predicted value lies outside the interval, `silent` where nothing was predicted."""
        if not math.isfinite(self.predicted):
            return "silent"
        if self.censored:
            return "censored"
        return "not refuted" if self.low <= self.predicted <= self.high else "refuted"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A preset read against its theories: rows, one sentence for people, and a figure drawn on demand."""

    predictions: tuple[Prediction, ...]
    sentence: str
    draw: Callable[[], Figure]

    def frame(self) -> pd.DataFrame:
        """A row a prediction, with its outcome."""
        return pd.DataFrame([{**vars(one), "outcome": one.outcome} for one in self.predictions])

    def write(self, folder: Path) -> None:
        """Keep it beside its table: `predictions.parquet`, `reading.txt` (the sentence), `figure.png`."""
        write_frame(self.frame(), folder / "predictions.parquet")
        write_atomically(folder / "reading.txt", self.sentence + "\n")
        with replacing(folder / "figure.png") as draft:
            self.draw().savefig(draft, dpi=120)


def mean_interval(sample: npt.ArrayLike) -> tuple[float, float, float]:
    """Mean of independent replicates (R,) with Student's 95 % interval: (mean, low, high)."""
    found = student_interval(sample)
    return found.effect, found.low, found.high


def over_best(curve: ShiftErrorCurve, at: int) -> tuple[float, float, float]:
    """Error at grid position `at` minus at the best shift, which the other half of the replicates chose.

    Each half is scored on a choice made without it, so that choosing does not flatter; the two halves' differences are
    pooled into one Student interval (their choices share no replicate with their scores). Raises InputError without
    replicates.
    """
    if curve.replicates is None or len(curve.replicates) < 4:
        raise InputError("replicates", None, "a curve with at least four replicates")
    halves = [curve.replicates[0::2], curve.replicates[1::2]]
    parts = [
        scored[:, at] - scored[:, int(np.argmin(chosen.mean(axis=0)))]
        for scored, chosen in zip(halves, reversed(halves), strict=True)
    ]
    return mean_interval(np.concatenate(parts))


def curvature(curve: ShiftErrorCurve, reach: int = 2) -> tuple[float, float, float]:
    """Second derivative of the error in ln tau around the best grid point, with Student's interval; NaN at the edge.

    A parabola through the `reach` grid points on each side (fewer at the edge), fitted to every replicate: it is
    linear in the errors. Small means flat: the best tau then has no sharp value.
    """
    best = int(np.argmin(curve.error))
    window = slice(max(best - reach, 0), min(best + reach, curve.shift.size - 1) + 1)
    shift = curve.shift[window]
    if best in (0, curve.shift.size - 1) or shift.size < 3 or shift[0] <= 0 or curve.replicates is None:
        return math.nan, math.nan, math.nan
    x = np.log(shift) - np.log(shift).mean()
    weights = np.linalg.pinv(np.vander(x, 3))[0]
    return mean_interval(2 * curve.replicates[:, window] @ weights)


def slope_interval(x: npt.ArrayLike, samples: Sequence[Floats], draws: int = 2000) -> tuple[float, float, float]:
    """Least-squares slope of ln mean(samples_i) on x_i; interval by the delta method with Student's scale.

    x: shape (points,). `samples` are replicates, one array (R,) a point, with a positive mean, of independent groups.
    """
    position = np.asarray(x, dtype=float)
    at = position - position.mean()
    rng = np.random.default_rng(0)
    point = float(np.log([s.mean() for s in samples]) @ at / (at @ at))
    drawn = np.empty((draws, len(samples)))
    for column, sample in enumerate(samples):
        relative = sample.std(ddof=1) / math.sqrt(len(sample)) / sample.mean()
        drawn[:, column] = math.log(sample.mean()) + relative * rng.standard_t(len(sample) - 1, draws)
    low, high = np.quantile(drawn @ at / (at @ at), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return point, float(low), float(high)
