"""From an interval to a verdict: one rule for theory, simulation, text and the paper (`kdshift compare`).

An effect is signed so that the claim says it is positive. A claim of no effect is signed the same way: margin - effect.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from theory.inference.contrast import LEVEL, Contrasts, Interval, greatest

Verdict = Literal[
    "supported",
    "contradicted",
    "negligible",
    "undecided",
    "depends",
    "the bound predicts",
    "the bound denies",
    "not measured",
]
DECIDED: tuple[Verdict, ...] = ("supported", "contradicted", "negligible")
AGAINST: frozenset[Verdict] = frozenset(("contradicted", "negligible"))
RULE = (
    f"supported: the {LEVEL:.0%} interval of the effect lies above zero; contradicted: it lies below; "
    "negligible: a loss against the best shift, or a saving, is shown to be below half a point (distance or accuracy); "
    "undecided: the interval holds zero; depends: the settings that a source has disagree, one decided and another's "
    "interval wholly apart from its (settings are never averaged); the bound predicts, or denies: the shape of a "
    "bound, which is no measured error. Intervals: Student's over shared replicates, simultaneous over the shifts a "
    "claim may choose from. *: no longer decided after Holm's correction for all cells of the matrix."
)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one source says of one claim.

    effect, low, high : the effect and its interval in `unit`, positive as the claim says; None when not measured. An
        infinite end: the grid ends before the optimum, so that the effect is known from one side only.
    p, p_holm : two-sided p-value, and Holm's over the matrix that it stands in; None without an interval
    se, units, looks : standard error, replicates (or rows) it is over, shifts the claim may choose from
    runs : replicates, trained students or table cells behind it (0: an exact evaluation)
    at_most : negligible: the largest loss that is not excluded, where every curve chooses its own best shift
    cases : what the settings of a source say each, where it has several
    """

    verdict: Verdict
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    runs: int = 0
    note: str = ""
    p: float | None = None
    p_holm: float | None = None
    se: float | None = None
    units: int = 0
    looks: int = 1
    at_most: float | None = None
    cases: tuple[tuple[str, Evidence], ...] = ()


def verdict_of(low: float, high: float) -> Verdict:
    """The rule: what an effect's interval says of a claim that it is positive. No interval (NaN) decides nothing."""
    return "supported" if low > 0 else "contradicted" if high < 0 else "undecided"


def judge(found: Interval, *, unit: str, runs: int = 0, note: str = "", looks: int = 1) -> Evidence:
    """Evidence from an effect with its interval, by the rule. An interval over one unit is said to be none."""
    if math.isnan(found.low):
        note = "; ".join(part for part in (note, "one run: no interval over seeds") if part)
    return Evidence(
        verdict=verdict_of(found.low, found.high), effect=found.effect, low=found.low, high=found.high, unit=unit,
        runs=runs, note=note, p=None if math.isnan(found.p) else found.p, se=found.se, units=found.units, looks=looks,
    )  # fmt: skip


def judge_greatest(found: Contrasts, *, unit: str, runs: int = 0, note: str = "") -> Evidence:
    """Evidence that the greatest of several contrasts is positive: one of them exists."""
    return judge(greatest(found), unit=unit, runs=runs, note=note, looks=len(found.effect))


def unmeasured(note: str) -> Evidence:
    """No evidence from this source, and why."""
    return Evidence(verdict="not measured", note=note)


def as_prediction(found: Evidence, note: str = "the bound's shape, not a measured error") -> Evidence:
    """What a bound, an exact function of the shift, says: a prediction, whatever its size."""
    names: Mapping[Verdict, Verdict] = {
        "supported": "the bound predicts", "contradicted": "the bound denies", "negligible": "the bound denies"
    }  # fmt: skip
    return replace(found, verdict=names.get(found.verdict, found.verdict), note=found.note or note, p=None)


def together(cases: Mapping[str, Evidence]) -> Evidence:
    """One verdict from settings that are never averaged: theirs if they agree, `depends` if two disagree.

    Two disagree where one is decided and the other's interval lies wholly apart from its: they contradict each other,
    or one has an effect that the other is shown not to have. Where some decide and others only cannot tell, nothing is
    decided. The effect shown is the one least favourable to the claim, or to what speaks against it, and the note names
    every case.
    """
    measured = {name: found for name, found in cases.items() if found.effect is not None}
    if not measured:
        return next(iter(cases.values()), unmeasured("no such runs"))
    if len(measured) == 1:
        return next(iter(measured.values()))
    verdicts = {found.verdict for found in measured.values()}
    verdict: Verdict = "undecided"
    if len(verdicts) == 1:
        verdict = next(iter(verdicts))
    elif verdicts == AGAINST:
        verdict = "contradicted"
    elif "depends" in verdicts or any(_disagree(a, b) for a in measured.values() for b in measured.values()):
        verdict = "depends"
    least = min(measured.values(), key=lambda found: _or(found.low, -math.inf))
    if verdict in AGAINST:
        least = max(measured.values(), key=lambda found: _or(found.at_most, _or(found.high, math.inf)))
    p = [found.p for found in measured.values() if found.p is not None]
    bounds = [found.at_most for found in measured.values() if found.at_most is not None]
    note = "; ".join(f"{name}: {brief_effect(found)}" for name, found in measured.items())
    return replace(
        least, verdict=verdict, note=note, cases=tuple(measured.items()), p=max(p) if p else None,
        at_most=max(bounds) if verdict == "negligible" else None,
        runs=sum(found.runs for found in measured.values()),
    )  # fmt: skip


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None or math.isnan(value) else value


def _disagree(decided: Evidence, other: Evidence) -> bool:
    """Whether the first is decided, the second not in the same way, and its interval apart from the first's."""
    if decided.verdict == other.verdict or {decided.verdict, other.verdict} == AGAINST:
        return False
    ends = (decided.low, decided.high, other.low, other.high)
    if decided.verdict not in DECIDED or any(end is None or math.isnan(end) for end in ends):
        return False
    low, high, other_low, other_high = (float(end) for end in ends if end is not None)
    return low > other_high or high < other_low


def judge_both(first: Evidence, second: Evidence) -> Verdict:
    """The verdict of a claim with two halves: both must hold, and one that fails is enough against it."""
    verdicts = (first.verdict, second.verdict)
    return "contradicted" if "contradicted" in verdicts else verdicts[0] if verdicts[0] == verdicts[1] else "undecided"


def holm(p: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p-values: the chance of any false verdict among them stays at the level."""
    values = np.asarray(p, dtype=float)
    order = np.argsort(values)
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(steps, 1.0)
    return [float(value) for value in adjusted]


def with_holm(scored: Mapping[str, Mapping[str, Evidence]]) -> dict[str, dict[str, Evidence]]:
    """The same matrix (claim -> source -> evidence) with `p_holm` over all its cells that have a p-value."""
    places = [(claim, source) for claim, row in scored.items() for source, found in row.items() if found.p is not None]
    adjusted = dict(zip(places, holm([scored[claim][source].p or 0.0 for claim, source in places]), strict=True))
    return {
        claim: {source: replace(found, p_holm=adjusted.get((claim, source))) for source, found in row.items()}
        for claim, row in scored.items()
    }


def survives(found: Evidence) -> bool:
    """Whether a decided cell stays decided after Holm's correction (cells without a p-value are not corrected)."""
    return found.p_holm is None or found.p_holm < 1 - LEVEL


def is_starred(found: Evidence) -> bool:
    """Whether a cell is decided and would not be after Holm's correction: it gets a star."""
    return found.verdict in DECIDED and not survives(found)


def brief_effect(found: Evidence) -> str:
    """An effect with its interval in a few characters; one-sided intervals say at least or at most."""
    if found.effect is None:
        return found.verdict
    if found.low is None or found.high is None or math.isnan(found.low):
        return f"{found.effect:.3g}"
    if math.isinf(found.high) and math.isinf(found.low):
        return f"{found.effect:.3g} (unbounded)"
    if math.isinf(found.high):
        return f"at least {found.low:.3g}"
    if math.isinf(found.low):
        return f"at most {found.high:.3g}"
    most = "" if found.at_most is None else f", at most {found.at_most:.2g}"
    return f"{found.effect:.3g} [{found.low:.3g}, {found.high:.3g}]{most}"
