"""What a preset's table says of its finding: one rule a finding, all in this file, decided by intervals.

`supported`: the 95 % interval of the effect lies wholly on the finding's side; `contradicted`: wholly on the other;
`undecided`: it holds zero. Rules that count curves say `partly` when some of them agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student_t

from simulate.tau_curves import CurveKey, Curves, fit_power_law, groups, select, theory_exponent, varying
from theory.errors import InputError, unknown_name
from theory.inference.curve import ShiftErrorCurve

LEVEL = 0.95
Outcome = Literal["supported", "contradicted", "undecided", "partly"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A finding, what the table says of it, and the numbers in one sentence."""

    finding: str
    outcome: Outcome
    sentence: str

    def line(self) -> str:
        """One line for people."""
        return f"{self.finding}: {self.outcome.upper()}. {self.sentence}"


def judge(low: float, high: float) -> Outcome:
    """The outcome of an effect that the finding says is positive, from its interval."""
    return "supported" if low > 0 else "contradicted" if high < 0 else "undecided"


def inverted_u(found: Curves) -> Verdict:
    """Teacher's labels: the best tau's interval excludes the smallest and the largest tau of the grid."""
    taught = [curve for key, curve in found.items() if key.supervision != "copied_label"]
    best = [curve.optimum(level=LEVEL) for curve in taught]
    inside = [curve.shift[0] < b.low and b.high < curve.shift[-1] for curve, b in zip(taught, best, strict=True)]
    rise = [
        min(curve.error[0], curve.error[-1]) - curve.error.min() for curve, ok in zip(taught, inside, strict=True) if ok
    ]
    share = f"{sum(inside)} of {len(inside)} curves have their best tau inside the grid at the 95 % level"
    gain = f"; there the better end loses {min(rise):.3f} to {max(rise):.3f} of error" if rise else ""
    outcome: Outcome = "supported" if all(inside) else "partly" if any(inside) else "undecided"
    if not any(inside) and all(b.at_edge and b.low == b.high for b in best):
        outcome = "contradicted"
    return Verdict(finding="error falls, then rises with tau", outcome=outcome, sentence=share + gain)


def smaller_data_larger_tau(found: Curves) -> Verdict:
    """Teacher's labels: the exponent of the best tau in n is negative."""
    parts: list[str] = []
    outcomes: list[Outcome] = []
    for key, group in groups(_taught(found)).items():
        _, law = fit_power_law(group)
        if law is None:
            raise InputError(
                "data_size", [curve.data_size for curve in group], "at least two data sizes for this verdict"
            )
        outcomes.append(judge(-law.exponent_high, -law.exponent_low))
        parts.append(
            f"best tau goes as n^{law.exponent:.2f} [{law.exponent_low:.2f}, {law.exponent_high:.2f}] "
            f"(theory {theory_exponent(key.dimension):.2f})"
        )
    return Verdict(finding="smaller data prefers a larger tau", outcome=_together(outcomes), sentence="; ".join(parts))


def copied_labels_smaller_tau(found: Curves) -> Verdict:
    """The teacher's labels prefer a larger tau than copied ones, on average over data sizes."""
    pairs = [
        (curve, found[key._replace(supervision="copied_label")])
        for key, curve in select(found, supervision="teacher").items()
        if key._replace(supervision="copied_label") in found
    ]
    ratio, low, high = log_ratio(pairs)
    return Verdict(
        finding="KD prefers a larger tau than copied labels",
        outcome=judge(low, high),
        sentence=f"best tau of KD / of copied labels = {_factor(ratio, low, high)}, mean over {len(pairs)} data sizes",
    )


def untrusted_outside_smaller_tau(found: Curves) -> Verdict:
    """The smallest trust radius prefers a smaller tau than the largest one."""
    radii = sorted({key.trust_radius for key in found})
    pairs = _pairs(_taught(found), "trust_radius", radii[-1], radii[0])
    ratio, low, high = log_ratio(pairs)
    return Verdict(
        finding="an untrusted outside moves the optimum down",
        outcome=judge(low, high),
        sentence=f"best tau at R = {radii[-1]:g} / at R = {radii[0]:g}: {_factor(ratio, low, high)}",
    )


def kernel_moves_optimum(found: Curves) -> Verdict:
    """Some kernel's best tau differs from the isotropic one's (two-sided, Bonferroni over the kernels)."""
    others = sorted({key.kernel for key in found} - {"isotropic"})
    parts, moved = [], []
    for kernel in others:
        pairs = _pairs(_taught(found), "kernel", kernel, "isotropic")
        ratio, low, high = log_ratio(pairs, level=1 - (1 - LEVEL) / len(others))
        moved.append(low > 0 or high < 0)
        parts.append(f"{kernel} / isotropic = {_factor(ratio, low, high)}")
    outcome: Outcome = "supported" if all(moved) else "partly" if any(moved) else "undecided"
    return Verdict(
        finding="the kernel's shape moves the optimum", outcome=outcome, sentence="best tau " + "; ".join(parts)
    )


def more_data_helps_kd(found: Curves) -> Verdict:
    """More augmented data saves error with the teacher's labels, and saves less with copied ones.

    The gain is the error at the smallest amount minus that at the largest, both at the best tau of the largest amount
    of the same supervision, paired by replicate, averaged over data sizes.
    """
    gains = {}
    for supervision in ("teacher", "copied_label"):
        mine = select(found, supervision=supervision)
        if not mine:
            raise InputError("supervision", supervision, "teacher and copied_label in the grid for this verdict")
        gains[supervision] = _paired_gain(mine)
    taught, copied = gains["teacher"], gains["copied_label"]
    kd, labels, both = (_interval(sample) for sample in (taught, copied, _independent(taught, copied)))
    outcome = judge(kd[1], kd[2])
    if outcome == "supported" and labels[1] > 0:
        outcome = "partly"
    return Verdict(
        finding="more augmented data helps KD and not copied labels",
        outcome=outcome,
        sentence=(
            f"error saved from the least to the most augmented data: KD {_range(*kd)}, "
            f"copied labels {_range(*labels)}, difference {_range(*both)}"
        ),
    )


RULES: dict[str, Callable[[Curves], Verdict]] = {
    "inverted-u": inverted_u,
    "smaller-data-larger-tau": smaller_data_larger_tau,
    "copied-labels-smaller-tau": copied_labels_smaller_tau,
    "untrusted-outside-smaller-tau": untrusted_outside_smaller_tau,
    "kernel-moves-optimum": kernel_moves_optimum,
    "more-data-helps-kd": more_data_helps_kd,
}


def decide(rule: str, found: Curves) -> Verdict:
    """The verdict of a rule of `RULES` on these curves."""
    if rule not in RULES:
        raise unknown_name("verdict", rule, RULES)
    return RULES[rule](found)


def log_ratio(
    pairs: Sequence[tuple[ShiftErrorCurve, ShiftErrorCurve]], level: float = LEVEL
) -> tuple[float, float, float]:
    """Mean log ratio of best taus over pairs of curves, with its bootstrap interval.

    The two curves of a pair are resampled independently; where they share random numbers this errs on the wide side.
    """
    if not pairs:
        raise InputError("verdict", "no pairs of curves", "a grid with both sides of the comparison")
    point, samples = [], []
    for index, (above, below) in enumerate(pairs):
        a, b = above.optimum(level=level, seed=2 * index), below.optimum(level=level, seed=2 * index + 1)
        point.append(np.log(a.shift / b.shift))
        samples.append(np.log(a.samples) - np.log(b.samples))
    low, high = np.quantile(np.mean(samples, axis=0), [(1 - level) / 2, (1 + level) / 2])
    return float(np.mean(point)), float(low), float(high)


def _taught(found: Curves) -> Curves:
    return {key: curve for key, curve in found.items() if key.supervision != "copied_label"}


def _pairs(found: Curves, field: str, above: object, below: object) -> list[tuple[ShiftErrorCurve, ShiftErrorCurve]]:
    """Curves that differ in one field alone: (its value `above`, its value `below`)."""
    partner = {key._replace(**{field: above}): curve for key, curve in select(found, **{field: below}).items()}
    return [(curve, partner[key]) for key, curve in select(found, **{field: above}).items() if key in partner]


def _paired_gain(found: Curves) -> npt.NDArray[np.float64]:
    """Error at the least amount minus at the most (R,), at the best tau of the most, averaged over data sizes."""
    order = list(dict.fromkeys(key.amount for key in found))
    pairs = _pairs(found, "amount", order[0], order[-1])
    rows = []
    for least, most in pairs:
        if least.replicates is None or most.replicates is None:
            raise InputError("replicates", None, "curves with replicates for this verdict")
        at = int(np.argmin(most.error))
        count = min(len(least.replicates), len(most.replicates))
        rows.append(least.replicates[:count, at] - most.replicates[:count, at])
    count = min(len(row) for row in rows)
    return np.mean([row[:count] for row in rows], axis=0)


def _independent(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    count = min(len(a), len(b))
    return a[:count] - b[:count]


def _interval(sample: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean of paired differences (R,) with Student's interval."""
    half = student_t.ppf((1 + LEVEL) / 2, len(sample) - 1) * sample.std(ddof=1) / np.sqrt(len(sample))
    return float(sample.mean()), float(sample.mean() - half), float(sample.mean() + half)


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    return outcomes[0] if len(set(outcomes)) == 1 else "partly"


def _factor(ratio: float, low: float, high: float) -> str:
    return f"{np.exp(ratio):.2f} [{np.exp(low):.2f}, {np.exp(high):.2f}]"


def _range(value: float, low: float, high: float) -> str:
    return f"{value:.4f} [{low:.4f}, {high:.4f}]"


__all__ = ["RULES", "CurveKey", "Verdict", "decide", "varying"]
