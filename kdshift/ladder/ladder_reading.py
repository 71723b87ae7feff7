"""The ladder read: best shift and gain on every rung, how both move with the data size, and where that stops.

    kdshift ladder curves-tweets

Judged by `theory.inference` like every claim: `falls_with_size` for the best shift, `gain_falls_with_size` for the gain
as a share of the distance without any shift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from empirical.bank.study_table import NONE
from kdshift.ladder.rungs import GAUSSIAN_SHIFT, RUNGS, Rung
from theory.inference.contrast import gain_over_none
from theory.inference.curve import ShiftErrorCurve
from theory.inference.effects import gain_falls_with_size
from theory.inference.optima import falls_with_size
from theory.inference.verdict import Evidence

if TYPE_CHECKING:
    import pandas as pd

Noise = Mapping[str, Mapping[str, Any]]
Floats = NDArray[np.float64]


def ladder_curves(table: pd.DataFrame, noise: Noise, rung: str, augmenter: str) -> list[ShiftErrorCurve]:
    """A rung's curves of distance against shift (its own unit, no shift first), one a data size, smallest first."""
    shifted = "gaussian" if rung in GAUSSIAN_SHIFT else augmenter
    mine = table[(table["rung"] == rung) & table["augmenter"].isin((NONE, shifted))]
    curves = []
    for data_size in sorted(mine["data_size"].unique()):
        frame = mine[mine["data_size"] == data_size]
        wide = frame.pivot(index="replicate", columns="shift", values="distance").sort_index(axis=1)
        curves.append(
            ShiftErrorCurve.from_replicates(
                wide.columns.to_numpy(dtype=float),
                wide.to_numpy(dtype=float),
                float(data_size),
                "tau" if rung in GAUSSIAN_SHIFT else "degree",
                # Replicates of different sizes are different texts.
                replicate_ids=tuple((data_size, replicate) for replicate in wide.index),
                evaluation=rung,
                test_covariance=_covariance(noise[f"{rung}-{data_size}"], shifted, wide.columns.to_numpy(dtype=float)),
            )
        )
    return curves


def _covariance(noise: Mapping[str, Any], shifted: str, shifts: Floats) -> np.ndarray[Any, Any]:
    """What the test texts add to a curve's mean distances, in its order."""
    place = {(name, shift): at for at, (name, shift, amount) in enumerate(noise["arms"]) if not amount}
    index = [place[NONE if shift == 0 else shifted, float(shift)] for shift in shifts]
    return np.asarray(noise["covariance"])[np.ix_(index, index)]


def taus_of(table: pd.DataFrame, rung: str, augmenter: str, shifts: Floats) -> Floats:
    """The tau of each shift of a rung, (S,): the shift itself where it is Gaussian, measured where tokens change."""
    if rung in GAUSSIAN_SHIFT:
        return shifts
    mine = table[(table["rung"] == rung) & table["augmenter"].isin((NONE, augmenter))]
    return mine.groupby("shift")["tau"].first().reindex(shifts).to_numpy(dtype=float)


def as_shares(curve: ShiftErrorCurve) -> ShiftErrorCurve:
    """The curve in units of each replicate's own distance without a shift, so that gains are shares of it."""
    assert curve.replicates is not None
    shares = curve.replicates / curve.replicates[:, :1]
    count = len(shares)
    covariance = None if curve.test_covariance is None else curve.test_covariance / curve.error[0] ** 2
    return replace(
        curve,
        error=shares.mean(axis=0),
        error_se=shares.std(axis=0, ddof=1) / np.sqrt(count),
        replicates=shares,
        test_covariance=covariance,
    )


def augmenters_of(table: pd.DataFrame) -> list[str]:
    """The token shifts of a ladder's table."""
    return [name for name in dict.fromkeys(table["augmenter"]) if name not in (NONE, "gaussian")]


def ladder_frame(table: pd.DataFrame, noise: Noise) -> pd.DataFrame:
    """A row a rung, augmenter and data size: the best shift and the gain, each with its 95 % interval.

    best, low, high: the best shift as tau (of token shifts: measured, read off between degrees). shift, shift_low,
    shift_high: the same in the rung's own unit (`unit`). censored: where the optimum may lie beyond the grid. none:
    distance without a shift. gain, gain_low, gain_high: what the best shift saves, simultaneous over shifts; share: of
    `none`, with the same ends. Gaussian rungs stand once for every augmenter.
    """
    import pandas as pd

    rows = []
    for augmenter in augmenters_of(table):
        for rung in RUNGS:
            for curve in ladder_curves(table, noise, rung.name, augmenter):
                rows.append(
                    {
                        "rung": rung.name,
                        "title": rung.title,
                        "augmenter": augmenter,
                        **_row(table, rung, curve, augmenter),
                    }
                )
    return pd.DataFrame(rows)


def _row(table: pd.DataFrame, rung: Rung, curve: ShiftErrorCurve, augmenter: str) -> dict[str, Any]:
    best, gain, share = curve.optimum(), gain_over_none(curve), gain_over_none(as_shares(curve))
    ends = {"best": best.shift, "low": best.low, "high": best.high}
    if rung.name not in GAUSSIAN_SHIFT:
        token = table[(table["rung"] == rung.name) & table["augmenter"].isin((NONE, augmenter))]
        measured = token.groupby("shift")["tau"].first()
        ends = {name: float(np.interp(value, measured.index, measured)) for name, value in ends.items()}
    assert curve.replicates is not None
    return {
        "data_size": int(curve.data_size),
        "replicates": len(curve.replicates),
        **ends,
        "shift": best.shift,
        "shift_low": best.low,
        "shift_high": best.high,
        "unit": curve.shift_name,
        "censored": best.censored,
        "none": float(curve.error[0]),
        "gain": gain.gain,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "share": share.gain,
        "share_low": share.low,
        "share_high": share.high,
    }


@dataclass(frozen=True, kw_only=True)
class Move:
    """How a rung's optimum and gain move with the data size: evidence that each falls as data grow."""

    rung: Rung
    augmenter: str
    optimum: Evidence
    gain: Evidence

    @property
    def row(self) -> dict[str, Any]:
        """The move as a row of a table."""
        parts = {"optimum": self.optimum, "gain": self.gain}
        told = {
            f"{name}_{field}": getattr(found, field)
            for name, found in parts.items()
            for field in ("verdict", "effect", "low", "high", "unit", "note")
        }
        return {"rung": self.rung.name, "title": self.rung.title, "augmenter": self.augmenter, **told}


def moves(table: pd.DataFrame, noise: Noise, augmenter: str) -> list[Move]:
    """Every rung's move with the data size, from the theorem's world to distilled text."""
    found = []
    for rung in RUNGS:
        curves = ladder_curves(table, noise, rung.name, augmenter)
        gain = gain_falls_with_size([[as_shares(curve) for curve in curves]])
        found.append(Move(rung=rung, augmenter=augmenter, optimum=falls_with_size([curves]), gain=gain))
    return found


def stop(found: Sequence[Evidence], rungs: Sequence[Rung]) -> tuple[Rung | None, Rung | None]:
    """The last rung up to which a fall is supported without a gap, and the first on which it no longer is."""
    last = None
    for rung, evidence in zip(rungs, found, strict=True):
        if evidence.verdict != "supported":
            return last, rung
        last = rung
    return last, None


def sentence(found: Sequence[Move]) -> str:
    """One sentence a quantity: how far up it falls with the data size, and the assumption given up where that stops."""
    rungs = [move.rung for move in found]
    parts = [
        _told(name, [getattr(move, attribute) for move in found], rungs)
        for name, attribute in (("best shift", "optimum"), ("gain's share of the distance", "gain"))
    ]
    return f"{found[0].augmenter}: " + "; ".join(parts) + "."


def _told(name: str, found: Sequence[Evidence], rungs: Sequence[Rung]) -> str:
    last, first = stop(found, rungs)
    if first is None:
        return f"the {name} falls with n on all {len(rungs)} rungs"
    verdict = found[list(rungs).index(first)].verdict
    if last is None:
        return f"the {name} is not shown to fall with n even on the first rung, {first.title} ({verdict})"
    again = [rung.title for rung, one in zip(rungs, found, strict=True) if one.verdict == "supported"]
    after = [title for title in again if title not in [rung.title for rung in rungs[: rungs.index(first)]]]
    more = f" (again on: {'; '.join(after)})" if after else ""
    ends = "rises" if verdict == "contradicted" else "is no longer shown to"
    return (
        f"the {name} falls with n up to '{last.title}' and {ends} at '{first.title}', which gives up"
        f" {first.gives_up}{more}"
    )
