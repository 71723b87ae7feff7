"""Text on the theory's axis: degree turned into effective tau, and the risk bound's three terms measured in text.

`kdshift empirical shift` measures, for each augmenter and degree, how far it moves texts (`tau`), how well a linear
classifier tells them from originals (`a_distance`) and how unreliable the teacher is there; a sweep's runs say how far
the student is from its teacher (`teacher_gap`). Theory section 3.5 adds these up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import spearmanr

from theory.errors import InputError
from theory.inference.aligned import align
from theory.inference.contrast import LEVEL, Interval, student_interval
from theory.inference.curve import ShiftErrorCurve
from theory.inference.verdict import Evidence, judge, unmeasured

if TYPE_CHECKING:
    import pandas as pd

UNRELIABLE = ("probability_gap", "disagreement", "teacher_entropy")  # the first that was measured counts


def on_tau(curve: ShiftErrorCurve, shift: pd.DataFrame, augmenter: str) -> ShiftErrorCurve | None:
    """A curve over degrees as a curve over effective tau, by linear interpolation; None where tau was not measured.

    Degree 0 is tau 0. Degrees beyond the measured ones, or with a tau that does not increase, are left out.
    """
    rows = shift[(shift["augmenter"] == augmenter) & shift["degree"].notna()].sort_values("degree")
    if not len(rows):
        return None
    degrees = np.concatenate([[0.0], rows["degree"].to_numpy(float)])
    tau = np.concatenate([[0.0], rows["tau"].to_numpy(float)])
    kept = curve.shift <= degrees[-1] + 1e-9
    new = np.interp(curve.shift[kept], degrees, tau)
    if kept.sum() < 2 or np.any(np.diff(new) <= 0):
        return None
    cut = curve.only(curve.names, curve.shift[kept])
    return replace(cut, shift=new, shift_name="tau")


def collapse(by_augmenter: Mapping[str, ShiftErrorCurve], shift: pd.DataFrame) -> Evidence:
    """Do augmenters' best shifts agree better in tau than in degree?

    The effect is the relative spread (standard deviation over mean) of the best degrees minus that of the best taus.
    """
    named = {name: curve for name, curve in by_augmenter.items() if on_tau(curve, shift, name) is not None}
    if len(named) < 2:
        return unmeasured("needs two augmenters with runs at one data size and a measured tau")
    found = align([tuple(named.values())])
    if found is None or found.unit != "replicate":
        return unmeasured("needs two replicates that the augmenters share, at shifts that they share")
    curves = dict(zip(named, found.blocks[0], strict=True))
    moved = [on_tau(curve, shift, name) for name, curve in curves.items()]
    optima = [[curve.optimum() for curve in axis if curve is not None] for axis in (list(curves.values()), moved)]
    point = [float(relative_spread(np.array([[best.shift] for best in axis]))[0]) for axis in optima]
    draws = [relative_spread(np.stack([best.samples for best in axis])) for axis in optima]
    difference = draws[0] - draws[1]
    low, high = (float(end) for end in np.quantile(difference, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    tail = min(float(np.mean(difference <= 0)), float(np.mean(difference >= 0)))
    effect, units = point[0] - point[1], len(found.curves[0].names)
    interval = Interval(
        effect=effect, low=min(low, effect), high=max(high, effect), se=float(difference.std()), p=min(2 * tail, 1.0),
        units=units, freedom=units - 1.0,
    )  # fmt: skip
    note = f"{len(named)} augmenters" + (f"; {found.note}" if found.note else "")
    return judge(interval, unit="spread of best degrees - of best taus", runs=found.runs(), note=note)


def relative_spread(shifts: np.ndarray) -> np.ndarray:
    """Standard deviation over mean of each column of shape (K, D); 0 where all are 0."""
    mean = shifts.mean(axis=0)
    return np.asarray(np.divide(shifts.std(axis=0), mean, out=np.zeros_like(mean), where=mean > 0))


def measured_terms(frame: pd.DataFrame, shift: pd.DataFrame) -> pd.DataFrame:
    """The bound's terms for every distilled cell: distance, teacher, fit, their sum, and the measured error.

    distance: half the proxy A-distance, an estimate of the total variation that a linear classifier sees (from below).
    teacher: the first of `probability_gap`, `disagreement` and `teacher_entropy` that was measured. fit: mean total
    variation between student and teacher on fresh augmented texts. A row a (augmenter, degree, data size, replicate).
    """
    measure = next((name for name in UNRELIABLE if name in shift and shift[name].notna().any()), None)
    runs = frame[(frame["status"] == "finished") & (frame["mode"] == "distill") & frame["teacher_gap"].notna()]
    runs = runs[runs["amount"] == "online"]
    if measure is None:
        raise InputError("shift table", list(shift.columns), "one measured with --teacher (its entropy)")
    columns = shift[["augmenter", "degree", "a_distance", measure]].rename(columns={measure: "unreliable"})
    joined = runs.merge(columns, on=["augmenter", "degree"])
    joined = joined.assign(distance=joined["a_distance"].clip(lower=0) / 2, fit=joined["teacher_gap"])
    return joined.assign(bound=joined["distance"] + joined["unreliable"] + joined["fit"], teacher_term=measure)


def rank_agreement(terms: pd.DataFrame, term: str = "bound") -> Evidence:
    """Does a term (or the sum) rank the degrees as the measured error does?

    The effect is Spearman's correlation over degrees in one replicate, averaged over (augmenter, data size); Student's
    interval over the replicates that all of these have.
    """
    groups = [
        group.pivot_table(index=["seed", "data_seed"], columns="degree", values=["error", term]).dropna()
        for _, group in terms.groupby(["augmenter", "data_size"])
    ]
    groups = [wide for wide in groups if len(wide) >= 2 and wide["error"].shape[1] >= 3]
    shared = set.intersection(*(set(wide.index) for wide in groups)) if groups else set()
    if not shared:
        return unmeasured("needs three degrees and two replicates")
    sample = [np.mean([correlation(wide.loc[name], term) for wide in groups]) for name in sorted(shared)]
    runs = sum(wide["error"].size for wide in groups)
    unit = f"rank correlation of {term} with error"
    return judge(student_interval(sample), unit=unit, runs=runs, note=f"{len(groups)} curves")


def correlation(row: pd.Series, term: str) -> float:
    """Spearman's correlation over degrees in one replicate; 0 where a side is constant."""
    error, bound = row["error"].to_numpy(float), row[term].to_numpy(float)
    if np.ptp(error) == 0 or np.ptp(bound) == 0:
        return 0.0
    return float(spearmanr(bound, error).statistic)
