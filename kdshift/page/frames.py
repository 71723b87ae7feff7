"""Tidy tables behind the page's charts: the bound on a grid of (tau, n, d), simulated curves, gains in text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from kdshift.page.charts import BOUND_PARTS
from theory import repaired, risk
from theory.inference.contrast import gains_over_none
from theory.inference.curve import ShiftErrorCurve

Noise: TypeAlias = Mapping[str, Mapping[str, Any]]  # by part of a study: arms and covariance

SIZES = (30, 100, 300, 1000, 3000, 10_000)
DIMENSIONS = (2, 3, 5, 8, 12, 20)
TRUSTED_SHARE = 0.95  # of the original data, on which the page's teacher is right within TEACHER_EPSILON
TEACHER_EPSILON = 0.05
TAU = np.geomspace(1e-3, 3.0, 40)
WHOLE_SPLIT, NONE = "whole", "none"  # a curves table's arm of the paper's teacher; its rows without augmentation


def trust_radius(dimension: int) -> float:
    """The radius of the ball that holds `TRUSTED_SHARE` of the original data in this dimension."""
    return float(np.sqrt(chi2.ppf(TRUSTED_SHARE, dimension)))


def theory_frame(sizes: Sequence[int] = SIZES, dimensions: Sequence[int] = DIMENSIONS) -> pd.DataFrame:
    """The mean risk bound's two parts (PROOFS.md 5) on a grid: columns tau, data_size, dimension, part, value, bound.

    The student's own distance to its teacher on augmented data comes on top of `bound`; above 1 it says nothing.
    """
    rows = []
    for dimension in dimensions:
        radius = trust_radius(dimension)
        teacher = TEACHER_EPSILON + (1 - TEACHER_EPSILON) * np.asarray(risk.outside_mass(TAU, dimension, radius))
        for size in sizes:
            distance = np.asarray(repaired.mean_bound(size, TAU, dimension)) / 2
            for part, value in zip(BOUND_PARTS, (distance, teacher), strict=True):
                rows.append(
                    pd.DataFrame(
                        {
                            "tau": TAU.round(5),
                            "data_size": size,
                            "dimension": dimension,
                            "part": part,
                            "value": value.round(5),
                            "bound": (distance + teacher).round(5),
                        }
                    )
                )
    return pd.concat(rows, ignore_index=True)


def simulation_frame(curves: Iterable[ShiftErrorCurve], command: str) -> pd.DataFrame:
    """Simulated error against tau with Student's bands: columns tau, data_size, error, low, high, command."""
    rows = []
    for curve in curves:
        half = curve.half_width()
        for at, tau in enumerate(curve.shift):
            rows.append(
                {
                    "tau": round(float(tau), 5),
                    "data_size": int(curve.data_size),
                    "error": float(curve.error[at]),
                    "low": float(curve.error[at] - half[at]),
                    "high": float(curve.error[at] + half[at]),
                    "command": command,
                }
            )
    return pd.DataFrame(rows)


def text_curves(
    frame: pd.DataFrame, measure: str, student: str, mode: str = "distill", noise: Noise | None = None
) -> list[TextCurve]:
    """A curves table's error against degree by augmenter and data size, paired by replicate.

    frame: the tidy table of `kdshift empirical curves`. measure: `distance`, or `accuracy` (its error, 1 - accuracy).
    noise: the covariance of mean distances that comes from drawing the test texts, which replicates share.
    """
    rows = frame[(frame["student"] == student) & (frame["mode"] == mode) & (frame["teacher_arm"] == WHOLE_SPLIT)]
    plain = rows[(rows["degree"] == 0) & (rows["augmenter"] == NONE)]
    found = []
    for (augmenter, size), group in rows[rows["degree"] > 0].groupby(["augmenter", "data_size"], sort=True):
        both = pd.concat([plain[plain["data_size"] == size], group])
        wide = both.pivot_table(index="replicate", columns="degree", values=measure).dropna()
        if len(wide) < 2 or wide.shape[1] < 2:
            continue
        error = wide.to_numpy() if measure == "distance" else 1 - wide.to_numpy()
        degrees = wide.columns.to_numpy(float)
        shared = None
        if noise is not None and measure == "distance":
            shared = shared_noise(noise[f"{student}-{mode}-{size}-{WHOLE_SPLIT}"], str(augmenter), degrees)
        curve = ShiftErrorCurve.from_replicates(
            degrees, error, float(size), shift_name="degree", test_covariance=shared
        )
        found.append(TextCurve(augmenter=str(augmenter), data_size=int(size), curve=curve))
    return found


@dataclass(frozen=True, kw_only=True)
class TextCurve:
    """One augmenter's error against degree at one data size; degree 0 is no augmentation."""

    augmenter: str
    data_size: int
    curve: ShiftErrorCurve


def shared_noise(kept: Mapping[str, Any], augmenter: str, degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """The test texts' part of the covariance of one augmenter's mean distances, shape (S, S), by degree."""
    place = {(name, round(degree, 6)): at for at, (name, degree, amount) in enumerate(kept["arms"]) if not amount}
    at = [place[NONE if degree == 0 else augmenter, round(float(degree), 6)] for degree in degrees]
    return np.asarray(kept["covariance"], dtype=float)[np.ix_(at, at)]


def gain_frame(curves: Iterable[TextCurve], measure: str, shift: pd.DataFrame | None, command: str) -> pd.DataFrame:
    """Gains over no augmentation, paired by replicate, with bands simultaneous over the degrees of a curve.

    shift: the measured shift of augmenters (`kdshift empirical shift`), which gives each degree its effective tau.
    Columns augmenter, degree, tau, data_size, measure, gain, low, high, replicates, command.
    """
    rows = []
    for text in curves:
        table = text.curve.replicates
        assert table is not None, "a curve of replicates"
        found = gains_over_none(text.curve)
        gains = zip(text.curve.shift[1:], found.effect, found.low, found.high, strict=True)
        for degree, gain, low, high in ((0.0, 0.0, 0.0, 0.0), *gains):
            rows.append(
                {
                    "augmenter": text.augmenter,
                    "degree": round(float(degree), 4),
                    "tau": effective_tau(shift, text.augmenter, float(degree)),
                    "data_size": text.data_size,
                    "measure": measure,
                    "gain": float(gain),
                    "low": float(low),
                    "high": float(high),
                    "replicates": len(table),
                    "command": command,
                }
            )
    return pd.DataFrame(rows)


def effective_tau(shift: pd.DataFrame | None, augmenter: str, degree: float) -> float | None:
    """The measured tau of an augmenter at a degree, linear between measured ones; None where it was not measured."""
    if degree == 0:
        return 0.0
    if shift is None:
        return None
    rows = shift[(shift["augmenter"] == augmenter) & shift["degree"].notna()].sort_values("degree")
    if rows.empty or degree > rows["degree"].max() + 1e-9:
        return None
    degrees, taus = ([0.0, *rows[name].to_numpy(float)] for name in ("degree", "tau"))
    return round(float(np.interp(degree, degrees, taus)), 4)
