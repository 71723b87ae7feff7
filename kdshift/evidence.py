"""How a claim is scored: effects with bootstrap intervals, and the one rule that turns an interval into a verdict.

An effect is signed so that the claim says it is positive. Its 95 % interval decides: wholly above zero is
`supported`, wholly below zero is `contradicted`, anything else is `undecided`. An exact source (a bound) has an
interval of width zero. A shift that has to be chosen is chosen on one bootstrap resample and scored on another, so
that choosing the best of several noisy errors does not flatter the claim.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from theory.errors import InputError
from theory.inference.curve import Optimum, ShiftErrorCurve
from theory.inference.power_law import power_law

LEVEL = 0.95
DRAWS = 2000
RULE = (
    f"supported: the {LEVEL:.0%} bootstrap interval of the effect lies above zero; contradicted: it lies below; "
    "undecided: it holds zero"
)
Pairs = Sequence[tuple[ShiftErrorCurve, ShiftErrorCurve]]
Verdict = Literal["supported", "contradicted", "undecided", "not measured"]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one source says of one claim.

    effect, low, high: the effect and its 95 % interval in `unit`, positive as the claim says; None when not measured.
    runs: replicates, trained students or table cells behind it (0: an exact evaluation).
    """

    verdict: Verdict
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    runs: int = 0
    note: str = ""


def verdict_of(low: float, high: float) -> Verdict:
    """The rule: what an effect's interval says of a claim that it is positive."""
    return "supported" if low > 0 else "contradicted" if high < 0 else "undecided"


def judge(effect: float, samples: NDArray[np.float64], *, unit: str, runs: int, note: str = "") -> Evidence:
    """Evidence from an effect and its bootstrap samples, shape (draws,), by the rule above."""
    low, high = (float(x) for x in np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    return Evidence(
        verdict=verdict_of(low, high), effect=float(effect), low=low, high=high, unit=unit, runs=runs, note=note
    )


def unmeasured(note: str) -> Evidence:
    """No evidence from this source, and why."""
    return Evidence(verdict="not measured", note=note)


def runs_of(curves: Sequence[ShiftErrorCurve]) -> int:
    """Replicates behind the curves (grid points where only means and standard errors are known; 0 if exact)."""
    if all(not np.any(curve.error_se) for curve in curves):
        return 0
    return sum(int(curve.replicates.size) if curve.replicates is not None else len(curve.shift) for curve in curves)


def resampled_errors(curve: ShiftErrorCurve, rng: np.random.Generator, draws: int = DRAWS) -> NDArray[np.float64]:
    """Bootstrap draws of the mean errors of a curve, shape (draws, S): whole replicates, or normal from the se."""
    if curve.replicates is not None and len(curve.replicates) > 1:
        replicates_RS = np.asarray(curve.replicates)
        picks = rng.integers(0, len(replicates_RS), size=(draws, len(replicates_RS)))
        return np.asarray(np.nanmean(replicates_RS[picks], axis=1), dtype=np.float64)
    return np.asarray(curve.error + curve.error_se * rng.standard_normal((draws, len(curve.shift))))


def mean_over_curves(
    curves: Sequence[ShiftErrorCurve],
    effect_of: Callable[[NDArray[np.float64], NDArray[np.float64], ShiftErrorCurve], NDArray[np.float64]],
    *,
    unit: str,
    note: str = "",
    seed: int = 0,
) -> Evidence:
    """The mean over curves of an effect computed from two independent resamples of each curve's errors.

    Parameters
    ----------
    effect_of : (chosen_on (D, S), scored_on (D, S), curve) -> effects (D,)
    """
    if not curves:
        return unmeasured("no such runs")
    point, samples = [], []
    for index, curve in enumerate(curves):
        rng = np.random.Generator(np.random.Philox(key=[seed, index]))
        samples.append(effect_of(resampled_errors(curve, rng), resampled_errors(curve, rng), curve))
        still = np.atleast_2d(np.asarray(curve.error, dtype=np.float64))
        point.append(effect_of(still, still, curve)[0])
    return judge(float(np.mean(point)), np.mean(samples, axis=0), unit=unit, runs=runs_of(curves), note=note)


def inverted_u(curves: Sequence[ShiftErrorCurve]) -> Evidence:
    """Both ends are worse than the best interior shift: the smaller of the two losses, averaged over data sizes."""

    def effect(chosen_on: NDArray, scored_on: NDArray, curve: ShiftErrorCurve) -> NDArray:
        inside = 1 + np.argmin(chosen_on[:, 1:-1], axis=1)
        best = np.take_along_axis(scored_on, inside[:, None], axis=1)[:, 0]
        return np.minimum(scored_on[:, 0], scored_on[:, -1]) - best

    return mean_over_curves([c for c in curves if len(c.shift) > 2], effect, unit="error at the better end - at best")


def extreme_hurts(curves: Sequence[ShiftErrorCurve]) -> Evidence:
    """The largest shift is worse than the best one below it."""

    def effect(chosen_on: NDArray, scored_on: NDArray, curve: ShiftErrorCurve) -> NDArray:
        below = np.argmin(chosen_on[:, :-1], axis=1)
        return scored_on[:, -1] - np.take_along_axis(scored_on, below[:, None], axis=1)[:, 0]

    return mean_over_curves(
        [c for c in curves if len(c.shift) > 1], effect, unit="error at the largest shift - at best"
    )


def gain(chosen_on: NDArray, scored_on: NDArray) -> NDArray:
    """Error without shift minus error at the best positive shift, of each row; shape (D,)."""
    above = 1 + np.argmin(chosen_on[:, 1:], axis=1)
    return scored_on[:, 0] - np.take_along_axis(scored_on, above[:, None], axis=1)[:, 0]


def some_shift_helps(curves: Sequence[ShiftErrorCurve]) -> Evidence:
    """Some positive shift beats the smallest one (no augmentation, or almost none)."""
    usable = [curve for curve in curves if len(curve.shift) > 1]
    return mean_over_curves(
        usable, lambda chosen, scored, curve: gain(chosen, scored), unit="error at least shift - at best"
    )


def regret_below(curves: Sequence[ShiftErrorCurve], rule: Callable[[float], float], tolerance: float) -> Evidence:
    """The rule's shift costs less than `tolerance` more error than the best shift: tolerance minus the regret."""

    def effect(chosen_on: NDArray, scored_on: NDArray, curve: ShiftErrorCurve) -> NDArray:
        best = np.argmin(chosen_on, axis=1)
        ruled = np.array([np.interp(rule(curve.data_size), curve.shift, row) for row in scored_on])
        return tolerance - (ruled - np.take_along_axis(scored_on, best[:, None], axis=1)[:, 0])

    return mean_over_curves(curves, effect, unit=f"{tolerance:g} - error lost by the rule")


def larger_best_shift(pairs: Pairs) -> Evidence:
    """The best shift of the first curve of each pair exceeds the second's: mean difference of degree or log tau."""
    if not pairs:
        return unmeasured("no such runs")
    tau = pairs[0][0].shift_name == "tau"
    scale: Callable[[NDArray], NDArray] = np.log if tau else np.asarray
    samples, point = [], []
    for a, b in pairs:
        best_a, best_b = a.optimum(seed=1), b.optimum(seed=2)
        size = min(len(best_a.samples), len(best_b.samples))
        samples.append(scale(best_a.samples[:size]) - scale(best_b.samples[:size]))
        point.append(float(scale(np.asarray(best_a.shift)) - scale(np.asarray(best_b.shift))))
    unit = "difference of log best tau" if tau else "difference of best degrees"
    both = [curve for pair in pairs for curve in pair]
    return judge(float(np.mean(point)), np.mean(samples, axis=0), unit=unit, runs=runs_of(both))


def falls_with_size(groups: Sequence[Sequence[ShiftErrorCurve]]) -> Evidence:
    """The best shift falls as the data size grows, within groups of curves (tasks) that differ in size alone.

    tau (one group): minus the exponent of the fitted power law. Degrees, which may be zero: minus the common slope of
    the best degree in log10 of the data size, each group about its own mean.
    """
    groups = [group for group in groups if len({curve.data_size for curve in group}) > 1]
    if not groups:
        return unmeasured("needs at least two data sizes")
    curves = [curve for group in groups for curve in group]
    optima = [[curve.optimum(seed=index) for index, curve in enumerate(group)] for group in groups]
    if curves[0].shift_name == "tau":
        assert len(groups) == 1, "power laws are fitted to one group"
        return _exponent(optima[0], runs_of(curves))
    log_sizes = [np.log10([best.data_size for best in group]) for group in optima]
    centred = np.concatenate([sizes - sizes.mean() for sizes in log_sizes])
    centred /= (centred**2).sum()
    together = [best for group in optima for best in group]
    draws = min(len(best.samples) for best in together)
    samples = -centred @ np.stack([best.samples[:draws] for best in together])
    point = float(-centred @ np.array([best.shift for best in together]))
    return judge(point, samples, unit="fall of best degree per decade of n", runs=runs_of(curves))


def _exponent(optima: Sequence[Optimum], runs: int) -> Evidence:
    try:
        law = power_law(optima)
    except InputError as error:
        return unmeasured(str(error))
    low, high = -law.exponent_high, -law.exponent_low
    unit = "minus the exponent of best tau in n"
    return Evidence(verdict=verdict_of(low, high), effect=-law.exponent, low=low, high=high, unit=unit, runs=runs)


def lower_error(pairs: Pairs, *, seed: int = 0) -> Evidence:
    """The first curve of each pair has a lower error than the second, averaged over their common positive shifts."""
    samples, point = [], []
    for index, (a, b) in enumerate(pairs):
        common, in_a, in_b = np.intersect1d(a.shift, b.shift, return_indices=True)
        in_a, in_b = in_a[common > 0], in_b[common > 0]
        if not len(in_a):
            continue
        rng = np.random.Generator(np.random.Philox(key=[seed, index]))
        samples.append((resampled_errors(b, rng)[:, in_b]).mean(1) - (resampled_errors(a, rng)[:, in_a]).mean(1))
        point.append(float(b.error[in_b].mean() - a.error[in_a].mean()))
    if not samples:
        return unmeasured("no such runs")
    both = [curve for pair in pairs for curve in pair]
    return judge(float(np.mean(point)), np.mean(samples, axis=0), unit="error saved", runs=runs_of(both))


def larger_gain(pairs: Pairs) -> Evidence:
    """The first curve of each pair gains more than the second from its best positive shift."""
    if not pairs:
        return unmeasured("no such runs")
    samples, point = [], []
    for index, pair in enumerate(pairs):
        gains = []
        for place, curve in enumerate(pair):
            rng = np.random.Generator(np.random.Philox(key=[index, place]))
            gains.append(gain(resampled_errors(curve, rng), resampled_errors(curve, rng)))
        still = [gain(np.atleast_2d(curve.error), np.atleast_2d(curve.error))[0] for curve in pair]
        samples.append(gains[0] - gains[1])
        point.append(still[0] - still[1])
    both = [curve for pair in pairs for curve in pair]
    return judge(float(np.mean(point)), np.mean(samples, axis=0), unit="difference of error saved", runs=runs_of(both))
