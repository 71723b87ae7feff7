"""What curves say of where the best shift lies: which of two is larger, how it moves with the data size.

Best shifts of curves that share replicates are drawn by one bootstrap (`ShiftErrorCurve.optimum` with one seed), so
that pairing counts; curves of one run each get a seed each. An optimum at the end of a grid is known from one side only
(censored), and a flat curve, of which either end may be the best, has none to speak of: both are left out and named,
unless every one is, when the effect is known from the intervals' ends. Where one end may be the best, drawn best shifts
lie too near the middle, and a mean over data sizes shrinks their spread and not that bias: there the ends of the
interval stand for the draws. Best taus are those above 0; where no augmented data (tau = 0) is better still, that is
named too. Sections 4.2 and 5.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from theory.inference.aligned import Aligned, Pairs, align
from theory.inference.contrast import LEVEL, Interval, student_interval
from theory.inference.curve import Optimum, ShiftErrorCurve
from theory.inference.effects import NO_RUNS, fall_per_decade, sizes_by_group, slope_over_rows
from theory.inference.verdict import Evidence, judge, unmeasured

Floats = npt.NDArray[np.float64]
DRAWS = 1000


def larger_best_shift(pairs: Pairs, *, level: float = LEVEL) -> Evidence:
    """The best shift of the first curve of each pair exceeds the second's: mean difference of degree or log tau."""
    tau = any(curve.shift_name == "tau" for pair in pairs for curve in pair)
    found = align([pair for pair in pairs], positive=tau)
    if found is None or found.shift.size < 2:
        return unmeasured(NO_RUNS)
    unit = "difference of log best tau" if tau else "difference of best degrees"
    optima = [best_shifts(found, block) for block in range(len(found.blocks))]
    inside = [pair for pair in optima if not any(_unknown(best, found) for best in pair)]
    none = _none_is_best([curve for pair in pairs for curve in pair])
    note = "; ".join(part for part in (found.note, _left_out(optima, found), none) if part)
    if not inside:
        return _one_sided(optima, tau, unit, found, note)
    scale = _scale(tau)
    points = np.array([scale(a.shift) - scale(b.shift) for a, b in inside])
    if found.unit == "row":
        return judge(student_interval(points, level=level), unit=unit, runs=found.runs(), note=note)
    weight = np.repeat([1.0, -1.0], len(inside)) / len(inside)
    best = [_drawn(pair[side], tau) for side in (0, 1) for pair in inside]
    return _judged(float(points.mean()), _combined(weight, best), found, unit=unit, note=note, level=level)


def falls_with_size(groups: Sequence[Sequence[ShiftErrorCurve]], *, level: float = LEVEL) -> Evidence:
    """The best shift falls as the data size grows, within groups of curves (tasks) that differ in size alone.

    tau: minus the exponent of the power law of best tau in n. Degrees: the fall per decade of n. Each group about its
    own mean.
    """
    groups = [group for group in groups if len({curve.data_size for curve in group}) > 1]
    tau = any(curve.shift_name == "tau" for group in groups for curve in group)
    found = align([(curve,) for group in groups for curve in group], positive=tau)
    if found is None or found.shift.size < 2:
        return unmeasured("needs at least two data sizes")
    unit = "minus the exponent of best tau in n" if tau else "fall of best degree per decade of n"
    optima = [best_shifts(found, block) for block in range(len(found.blocks))]
    keep = [at for at, (best,) in enumerate(optima) if not _unknown(best, found)]
    sizes = sizes_by_group(found, groups, keep)
    none = _none_is_best([curve for group in groups for curve in group])
    note = "; ".join(part for part in (found.note, _left_out(optima, found), none) if part)
    if all(len(set(group)) < 2 for group in sizes):
        return unmeasured(f"fewer than two data sizes with their best shift inside the grid ({note})")
    slope = fall_per_decade(sizes) / (math.log(10) if tau else 1.0)
    scale = _scale(tau)
    points = np.array([scale(optima[at][0].shift) for at in keep])
    if found.unit == "row":
        over_rows = slope_over_rows(points, slope, [len(group) for group in sizes])
        return judge(over_rows, unit=unit, runs=found.runs(), note=note)
    drawn = _combined(slope, [_drawn(optima[at][0], tau) for at in keep])
    return _judged(float(slope @ points), drawn, found, unit=unit, note=note, level=level)


def best_shifts(found: Aligned, block: int) -> tuple[Optimum, ...]:
    """The optima of a block's curves: one seed for curves that share replicates, another for every other block."""
    seed = 0 if found.unit == "replicate" else 1 + block
    return tuple(curve.optimum(level=LEVEL, draws=DRAWS, seed=seed) for curve in found.blocks[block])


def _unknown(best: Optimum, found: Aligned) -> bool:
    """Whether the best shift lies beyond the grid or, with replicates, may be anywhere on it."""
    return bool(best.censored) or (found.unit != "row" and all(best.ends_possible))


def _drawn(best: Optimum, tau: bool) -> Floats:
    """Draws (3, D) of a best shift, its logarithm for tau: as they are, at the least, at the most.

    The last two are the interval's ends where an end of the grid may be the best, beyond the grid if it could go on: no
    tau is the least or the greatest, every token is the greatest degree.
    """
    samples = _scale(tau)(best.samples)
    if not any(best.ends_possible):
        return np.stack([samples] * 3)
    low, high = (float(_scale(tau)(end)) for end in (best.low, best.high))
    low = -math.inf if tau and best.ends_possible[0] else low
    high = (math.inf if tau else 1.0) if best.ends_possible[1] else high
    return np.stack([samples, np.full(len(samples), low), np.full(len(samples), high)])


def _combined(weights: Floats, drawn: Sequence[Floats]) -> Floats:
    """Draws (3, D) of a weighted sum of best shifts: as they are, at its least, at its most."""
    used = [
        (weight, rows if weight > 0 else rows[[0, 2, 1]]) for weight, rows in zip(weights, drawn, strict=True) if weight
    ]
    return np.asarray(sum(weight * rows for weight, rows in used), dtype=float)


def _scale(tau: bool) -> np.ufunc:
    return np.log if tau else np.positive


def _judged(point: float, drawn: Floats, found: Aligned, *, unit: str, note: str, level: float) -> Evidence:
    """Evidence from draws (3, D) of an effect: as they are, at its least, at its most."""
    draws, least, most = drawn
    low = min(float(np.quantile(least, (1 - level) / 2, method="inverted_cdf")), point)
    high = max(float(np.quantile(most, (1 + level) / 2, method="inverted_cdf")), point)
    tail = min(int(np.sum(least <= 0)), int(np.sum(most >= 0)))
    p = 0.0 if found.exact else min(2 * (tail + 1) / (len(draws) + 1), 1.0)
    units = 0 if found.exact else min(len(curve.names) for curve in found.curves)
    interval = Interval(
        effect=point, low=low, high=high, se=float(np.std(draws)), p=p, units=units, freedom=max(units - 1.0, 0.0)
    )
    return judge(interval, unit=unit, runs=found.runs(), note=note)


def _left_out(optima: Sequence[tuple[Optimum, ...]], found: Aligned) -> str:
    """The blocks whose best shift is censored or may be anywhere, in words."""
    parts = [
        f"n = {found.sizes[at]:,.0f}: {best.censored} {best.shift:.3g}"
        for at, block in enumerate(optima)
        for best in block
        if best.censored
    ]
    flat = [
        f"n = {found.sizes[at]:,.0f}"
        for at, block in enumerate(optima)
        if any(_unknown(best, found) and not best.censored for best in block)
    ]
    named = (("best shift at the grid's edge: ", parts), ("no best shift to speak of: ", flat))
    return "; ".join(lead + ", ".join(dict.fromkeys(places)) for lead, places in named if places)


def _none_is_best(curves: Sequence[ShiftErrorCurve]) -> str:
    """The data sizes at which tau = 0 has the lowest error of all, in words."""
    sizes = sorted(
        {
            curve.data_size
            for curve in curves
            if curve.shift_name == "tau" and curve.shift[0] == 0 and int(np.argmin(curve.error)) == 0
        }
    )
    return "no augmented data is better still at n = " + ", ".join(f"{size:,.0f}" for size in sizes) if sizes else ""


def _one_sided(optima: Sequence[tuple[Optimum, ...]], tau: bool, unit: str, found: Aligned, note: str) -> Evidence:
    """Every pair has a side that is not known: the mean difference is at least, or at most, what the ends give.

    Of single runs an optimum's interval knows the evaluation set's noise and not the seeds': no interval is given.
    """
    scale, lows, highs = _scale(tau), [], []
    for above, below in optima:
        low_known = above.censored != "at most" and below.censored != "at least"
        high_known = above.censored != "at least" and below.censored != "at most"
        lows.append(scale(above.low) - scale(below.high) if low_known else -math.inf)
        highs.append(scale(above.high) - scale(below.low) if high_known else math.inf)
    low, high = float(np.mean(lows)), float(np.mean(highs))
    effect = low if math.isfinite(low) else high if math.isfinite(high) else math.nan
    if math.isfinite(low) and math.isfinite(high):
        effect = float(np.mean([scale(above.shift) - scale(below.shift) for above, below in optima]))
    if math.isnan(effect):
        return unmeasured(note)
    if found.unit == "row":
        low = high = math.nan
    interval = Interval(effect=effect, low=low, high=high, se=math.nan, p=math.nan, units=0, freedom=0.0)
    return judge(interval, unit=unit, runs=found.runs(), note=note)
