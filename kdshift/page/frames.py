"""Tidy tables behind the page's charts: the bound on a grid of (tau, n, d), simulated curves, gains in text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from empirical.bank.study_table import WHOLE
from kdshift.ladder.folder import Ladder
from kdshift.ladder.ladder_reading import as_shares, augmenters_of, ladder_curves, taus_of
from kdshift.ladder.rungs import RUNGS
from kdshift.source import Source
from theory import repaired, risk
from theory.inference.contrast import gains_over_none
from theory.inference.curve import ShiftErrorCurve

SIZES = (30, 100, 300, 1000, 3000, 10_000)
BOUND_PARTS = ("distance of the augmented data", "teacher where it is not trusted")
DIMENSIONS = (2, 3, 5, 8, 12, 20)
TRUSTED_SHARE = 0.95  # of the original data, on which the page's teacher is right within TEACHER_EPSILON
TEACHER_EPSILON = 0.05
TAU = np.geomspace(1e-3, 3.0, 40)


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
            if tau == 0:  # no augmented data: no place on a logarithmic axis
                continue
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


@dataclass(frozen=True, kw_only=True)
class TextCurve:
    """One augmenter's error against degree at one data size; degree 0 is no augmentation."""

    augmenter: str
    data_size: int
    curve: ShiftErrorCurve


def text_curves(sources: Source, student: str = "static", teacher: str = WHOLE) -> list[TextCurve]:
    """The distillation curves of one kind of light student (a source of `curve_sources.light_source`).

    Of the copies that a size has of itself; arms with other numbers of them are left out.
    """
    return [
        TextCurve(augmenter=key.variant, data_size=int(curve.data_size), curve=curve)
        for key, curves in sources.curves.items()
        if (key.supervision, key.amount) == ("teacher", "online") and (key.task, key.teacher) == (student, teacher)
        for curve in sorted(curves, key=lambda curve: curve.data_size)
    ]


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


def ladder_gain_frame(ladder: Ladder, command: str) -> pd.DataFrame:
    """Every rung's saving against tau as a share of the distance without a shift, bands simultaneous over the shifts.

    Columns rung, title, augmenter, data_size, tau, share, low, high, command; a Gaussian rung stands once an augmenter.
    """
    rows = []
    for augmenter in augmenters_of(ladder.table):
        for rung in RUNGS:
            for curve in ladder_curves(ladder.table, ladder.noise, rung.name, augmenter):
                found = gains_over_none(as_shares(curve))
                taus = taus_of(ladder.table, rung.name, augmenter, curve.shift)
                gains = zip(taus[1:], found.effect, found.low, found.high, strict=True)
                for tau, share, low, high in ((0.0, 0.0, 0.0, 0.0), *gains):
                    rows.append(
                        {
                            "rung": rung.name,
                            "title": rung.title,
                            "augmenter": augmenter,
                            "data_size": int(curve.data_size),
                            "tau": round(float(tau), 4),
                            "share": float(share),
                            "low": float(low),
                            "high": float(high),
                            "command": command,
                        }
                    )
    return pd.DataFrame(rows)
