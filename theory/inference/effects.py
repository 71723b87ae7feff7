"""What curves say of a claim about errors: that some shift helps, that the extreme hurts, that a rule is good enough.

Every function takes curves (or pairs of curves at one data size) and returns `Evidence`, by contrasts that are paired
over replicates. A claim that may choose its shift is judged by a simultaneous interval over the shifts (sections 3, 4.1
and 5 of the paper; `kdshift compare`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from theory.inference.aligned import Aligned, Pairs, align, mean_over_shifts
from theory.inference.choices import highest_choice
from theory.inference.contrast import LEVEL, Contrasts, Interval, p_of, student_from
from theory.inference.curve import ShiftErrorCurve
from theory.inference.verdict import Evidence, judge, judge_greatest, unmeasured

Floats = npt.NDArray[np.float64]
Curves = Sequence[ShiftErrorCurve]
NO_RUNS = "no such runs"


def some_shift_helps(curves: Curves) -> Evidence:
    """There is a positive shift whose error is below the smallest shift's, in the mean over the curves."""
    found = align([(curve,) for curve in curves])
    if found is None or found.shift.size < 2:
        return unmeasured(NO_RUNS)
    rows = _against(found.shift.size, 0, range(1, found.shift.size))
    return judge_greatest(_mean(found, rows), unit="error at least shift - at best", runs=found.runs(), note=found.note)


def extreme_hurts(curves: Curves, *, margin: float | None = None) -> Evidence:
    """There is a shift below the largest whose error is below the largest's, in the mean over the curves.

    margin: a loss that is shown to be smaller is negligible (see `_or_negligible`).
    """
    found = align([(curve,) for curve in curves])
    if found is None or found.shift.size < 2:
        return unmeasured(NO_RUNS)
    rows = _against(found.shift.size, -1, range(found.shift.size - 1))
    said = judge_greatest(
        _mean(found, rows), unit="error at the largest shift - at best", runs=found.runs(), note=found.note
    )
    return _or_negligible(said, found, (-1,), margin)


def inverted_u(curves: Curves, *, margin: float | None = None) -> Evidence:
    """There is an interior shift whose error is below that of both ends: the smaller of the two losses.

    margin: where one of them is shown to be smaller, the U is negligible (see `_or_negligible`).
    """
    found = align([(curve,) for curve in curves])
    if found is None:
        return unmeasured(NO_RUNS)
    if found.shift.size < 3:
        return unmeasured("needs three or more shifts")
    inside = range(1, found.shift.size - 1)
    rows = [_against(found.shift.size, end, inside) for end in (0, -1)]
    sides = [_mean(found, row) for row in rows]
    lows, effects = (np.minimum(*(getattr(side, name) for side in sides)) for name in ("low", "effect"))
    # The smaller of two upper ends: each at half of the level's error.
    highs = np.minimum(*(_mean(found, row, level=1 - (1 - LEVEL) / 2).own_high for row in rows))
    above = [float(np.where(side.effect > 0, side.p, 1.0)[int(np.argmax(lows))]) for side in sides]
    below = 2 * np.minimum(*(np.where(side.effect < 0, side.own_p, 1.0) for side in sides))
    best, low = int(np.argmax(effects)), int(np.argmax(lows))
    weak = sides[int(np.argmin([side.effect[best] for side in sides]))]
    interval = Interval(
        effect=float(effects[best]), low=float(lows[low]), high=float(np.max(highs)), se=float(weak.se[best]),
        p=min(max(above), float(np.max(below)), 1.0), units=weak.units, freedom=float(weak.freedom[best]),
    )  # fmt: skip
    unit = "error at the better end - at best"
    said = judge(interval, unit=unit, runs=found.runs(), note=found.note, looks=len(effects))
    return _or_negligible(said, found, (0, -1), margin)


def regret_below(curves: Curves, rule: Callable[[float], float], tolerance: float) -> Evidence:
    """A rule's shift costs less than `tolerance` more error than the best shift: tolerance minus the regret.

    Supported where no choice of shifts, one a curve, may be better by the tolerance (each against its own interval:
    the true best is one of them, so looking at all does not count); contradicted where one shift for all curves is,
    simultaneously over shifts.
    """
    found = align([(curve,) for curve in curves])
    if found is None:
        return unmeasured(NO_RUNS)
    ruled = [_at(found.shift, rule(size)) for size in found.sizes]
    every = [own - np.eye(found.shift.size)[:, None, :] for own in ruled]
    common = found.contrasts(every)
    chosen = np.array([block[0].error @ own[0] for block, own in zip(found.blocks, ruled, strict=True)])
    best = np.array([block[0].error.min() for block in found.blocks])
    worst, mean, se = highest_choice(found, every, LEVEL)
    effect, beaten = float(np.mean(chosen - best)), max(0.0, float(np.max(common.low)))
    interval = Interval(
        effect=tolerance - effect, low=tolerance - worst, high=tolerance - beaten if common.units != 1 else math.nan,
        se=se, p=p_of(tolerance - max(effect, mean), se, common.units), units=common.units, freedom=common.units - 1.0,
    )  # fmt: skip
    unit = f"{tolerance:g} - error lost by the rule"
    return judge(interval, unit=unit, runs=found.runs(), note=found.note, looks=found.shift.size)


def rule_beats(
    curves: Curves, rule: Callable[[float], float], rival: float, *, margin: float | None = None
) -> Evidence:
    """A rule's shift has a lower error than one constant shift: both fixed beforehand, so one contrast.

    margin: a saving that is undecided and shown to be smaller is negligible, by equivalence; not where one of the two
    shifts was not measured, as the error between two others is no more than a guess that lies near both.
    """
    found = align([(curve,) for curve in curves])
    if found is None or not found.shift[0] <= rival <= found.shift[-1]:
        return unmeasured(NO_RUNS)
    weights = [_at(found.shift, rival)[None] - _at(found.shift, rule(size))[None] for size in found.sizes]
    said = _one(found, weights, unit=f"error at {100 * rival:g} % - at the rule's degree")
    measured = [np.isclose(found.shift, shift).any() for shift in (rival, *map(rule, found.sizes))]
    if margin is None or said.verdict != "undecided" or not all(measured):
        return said
    short = judge_greatest(found.contrasts([-each for each in weights], plus=margin), unit="")
    if short.verdict != "supported" or short.low is None:
        return said
    return replace(said, verdict="negligible", p=short.p, at_most=margin - short.low)


def lower_error(pairs: Pairs) -> Evidence:
    """The first curve of each pair has a lower error than the second, in the mean over their common positive shifts.

    Where they have none in common, each is read as the mean over its own positive shifts.
    """
    return _saved(pairs, 1.0, 0.0, "error saved")


def no_gain(pairs: Pairs, margin: float) -> Evidence:
    """The first curve of each pair saves less than `margin` of the second's error: equivalence, margin - saving."""
    return _saved(pairs, -1.0, margin, f"{margin:g} - error saved")


def _saved(pairs: Pairs, sign: float, plus: float, unit: str) -> Evidence:
    """`plus` and, by its sign, the error that the first curve of each pair saves against the second."""
    found = align([pair for pair in pairs])
    if found is None or not np.any(found.shift > 0):
        points = [(mean_over_shifts(a), mean_over_shifts(b)) for a, b in pairs]
        found = align([(a, b) for a, b in points if a is not None and b is not None])
    if found is None:
        return unmeasured(NO_RUNS)
    positive = sign * (found.shift > 0) / np.sum(found.shift > 0)
    weights = [np.stack([-positive, positive])[None]] * len(found.blocks)
    return judge_greatest(found.contrasts(weights, plus=plus), unit=unit, runs=found.runs(), note=found.note)


def larger_gain(pairs: Pairs) -> Evidence:
    """The first curve of each pair gains more from a shift than the second, in the mean over common positive shifts."""
    found = align([pair for pair in pairs])
    if found is None or found.shift.size < 2:
        return unmeasured(NO_RUNS)
    gain = np.r_[1.0, np.full(found.shift.size - 1, -1 / (found.shift.size - 1))]
    weights = [np.stack([gain, -gain])[None]] * len(found.blocks)
    return _one(found, weights, unit="difference of error saved, mean over shifts")


def gain_falls_with_size(groups: Sequence[Curves]) -> Evidence:
    """The gain over the smallest shift, in the mean over the larger ones, falls as data grow: its fall per decade of n.

    Groups (tasks) each have their own level; within them only the data size differs.
    """
    groups = [group for group in groups if len({curve.data_size for curve in group}) > 1]
    found = align([(curve,) for group in groups for curve in group])
    if found is None or found.shift.size < 2:
        return unmeasured("needs at least two data sizes")
    gain = np.r_[1.0, np.full(found.shift.size - 1, -1 / (found.shift.size - 1))]
    sizes = sizes_by_group(found, groups, range(len(found.blocks)))
    if all(len(set(group)) < 2 for group in sizes):
        return unmeasured(f"needs at least two data sizes ({found.note})")
    slope = fall_per_decade(sizes)
    if found.unit != "row":
        return _one(
            found, [len(slope) * each * gain[None, None] for each in slope], unit="fall of the gain per decade of n"
        )
    values = np.array([block[0].error @ gain for block in found.blocks])
    over_rows = slope_over_rows(values, slope, [len(group) for group in sizes])
    return judge(over_rows, unit="fall of the gain per decade of n", runs=found.runs(), note=found.note)


def sizes_by_group(found: Aligned, groups: Sequence[Curves], blocks: Sequence[int]) -> list[list[float]]:
    """The data sizes of these blocks of an alignment of all groups' curves, by group, groups without any left out."""
    member = np.repeat(np.arange(len(groups)), [len(group) for group in groups])[list(found.kept)]
    sizes = [[float(found.sizes[at]) for at in blocks if member[at] == group] for group in range(len(groups))]
    return [group for group in sizes if group]


def fall_per_decade(sizes: Sequence[Sequence[float]]) -> Floats:
    """Weights (rows,) whose product with values is minus their least-squares slope in log10 n within each group."""
    centred = np.concatenate([np.log10(group) - np.mean(np.log10(group)) for group in sizes])
    return np.asarray(-centred / (centred @ centred), dtype=float)


def slope_over_rows(values: Floats, slope: Floats, groups: Sequence[int]) -> Interval:
    """slope @ values, both (rows,), one run a row, by groups: what rows differ by beside the slope is their noise."""
    freedom = len(values) - len(groups) - 1
    effect = float(slope @ values)
    if freedom < 1:
        return student_from(effect, math.nan, 0)
    ends = np.cumsum(groups)
    means = [values[end - count : end].mean() for end, count in zip(ends, groups, strict=True)]
    residual = values - np.repeat(means, groups) - effect * slope / (slope @ slope)
    se = math.sqrt(float(residual @ residual) / freedom * float(slope @ slope))
    return student_from(effect, se, freedom)


def _or_negligible(said: Evidence, found: Aligned, ends: Sequence[int], margin: float | None) -> Evidence:
    """Undecided evidence of a loss at all of these ends of the grid, or what shows that it is below the margin at one.

    Where curves are flat no interval of a loss against the best shift lies below zero, however many the runs: only
    equivalence can speak against a claim that there is one. As in `regret_below` every curve may choose its own shift,
    each choice against its own one-sided interval; with several ends, of which one is enough, each at its share of the
    level (Bonferroni).
    """
    if margin is None or said.verdict != "undecided":
        return said
    for end in ends:
        every = [_against(found.shift.size, end, range(found.shift.size))] * len(found.blocks)
        highest, mean, se = highest_choice(found, every, 1 - (1 - LEVEL) / len(ends))
        if highest < margin:
            p = min(1.0, len(ends) * p_of(margin - mean, se, said.units))
            return replace(said, verdict="negligible", p=p, at_most=highest)
    return said


def _against(count: int, reference: int, others: Sequence[int]) -> Floats:
    """Contrasts error at the reference - error at each other shift, (K, 1, S)."""
    return np.stack([np.eye(count)[reference] - np.eye(count)[other] for other in others])[:, None, :]


def _mean(found: Aligned, rows: Floats, *, level: float = LEVEL) -> Contrasts:
    """The same contrasts in every block, averaged over blocks."""
    return found.contrasts([rows] * len(found.blocks), level=level)


def _at(grid: Floats, shift: float) -> Floats:
    """Weights (1, S) that interpolate the error at a shift between the grid's points."""
    return np.array([[np.interp(shift, grid, unit) for unit in np.eye(grid.size)]])


def _one(found: Aligned, weights: Sequence[Floats], *, unit: str) -> Evidence:
    """Evidence from one contrast that was fixed beforehand."""
    return judge_greatest(found.contrasts(weights), unit=unit, runs=found.runs(), note=found.note)
