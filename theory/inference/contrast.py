"""Contrasts of paired replicates: Student's intervals, simultaneous intervals of many, equivalence, gain over no shift.

Serves every interval that kdshift prints (section 5 of the paper prints none). The unit is the replicate: a row of a
table (R, K) holds one replicate's value of each of K contrasts, so what replicates share (subset, seed) cancels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit
from scipy.stats import t as student_t

from theory.errors import InputError
from theory.inference.curve import ShiftErrorCurve

Floats = npt.NDArray[np.float64]
LEVEL = 0.95
DRAWS = 2000


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean over `units` replicates with its interval at `level` and two-sided p-value against zero.

    One unit has no interval: `low`, `high`, `se` and `p` are NaN. `freedom` are Student's degrees of freedom (infinite
    for an exact value, whose interval has no width).
    """

    effect: float
    low: float
    high: float
    se: float
    p: float
    units: int
    freedom: float
    level: float = LEVEL


@dataclass(frozen=True, kw_only=True)
class Contrasts:
    """K means over the same `units` replicates, each with its own interval and with a simultaneous one.

    All arrays have shape (K,). `low`, `high` hold all K true means at once with probability `level`; `own_low`,
    `own_high` each its own; `p` are adjusted for the K looks, `own_p` are not. `each` is the error probability spent on
    one contrast.
    """

    effect: Floats
    se: Floats
    low: Floats
    high: Floats
    own_low: Floats
    own_high: Floats
    p: Floats
    own_p: Floats
    freedom: Floats
    each: float
    units: int
    level: float


@dataclass(frozen=True, kw_only=True)
class Gain:
    """The greatest gain of a positive shift over the curve's smallest: `low` > 0 says that some shift helps.

    `shift` has the lowest mean error, `gain` is what it saves. `low` and `high` hold the greatest of all true gains,
    whichever shift has it, so having looked at all shifts does not flatter it. NaN ends: one replicate, no interval.
    `se` is the standard error of `gain`, `looks` the number of positive shifts.
    """

    shift: float
    gain: float
    low: float
    high: float
    p: float
    units: int
    se: float
    looks: int


def student_interval(sample: npt.ArrayLike, *, level: float = LEVEL, shared_variance: float = 0.0) -> Interval:
    """Student's interval of the mean of `sample` (R,), one value a replicate.

    `shared_variance` is the variance of what all replicates have in common (one evaluation set) and which they
    therefore cannot show; it adds to theirs. Half the interval is the root of two squares, Student's half of the
    replicates' own noise and the normal half of what they share (Banerjee, 1960, The Annals of Mathematical Statistics
    31): never narrower than either. More degrees of freedom instead (Welch and Satterthwaite's, or fewer) narrow the
    interval of two replicates where a little shared noise is added, and support up to 14 % of null worlds.
    """
    column, shared = np.asarray(sample, dtype=float)[:, None], [[shared_variance]]
    found = simultaneous(column, level=level, shared_covariance=shared)
    return Interval(
        effect=float(found.effect[0]), low=float(found.low[0]), high=float(found.high[0]), se=float(found.se[0]),
        p=float(found.p[0]), units=found.units, freedom=float(found.freedom[0]), level=level,
    )  # fmt: skip


def paired_difference(
    above: npt.ArrayLike, below: npt.ArrayLike, *, level: float = LEVEL, shared_variance: float = 0.0
) -> Interval:
    """Student's interval of the mean of above - below, both (R,) over the same replicates in the same order."""
    a, b = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    if a.shape != b.shape:
        raise InputError("replicates", f"{a.shape} and {b.shape}", "the same replicates on both sides of a difference")
    return student_interval(a - b, level=level, shared_variance=shared_variance)


def student_from(effect: float, se: float, freedom: float, *, level: float = LEVEL) -> Interval:
    """Student's interval from an effect, its standard error and its degrees of freedom (NaN ends below one)."""
    units = int(freedom) + 1 if math.isfinite(freedom) else 0
    half = float(student_t.ppf((1 + level) / 2, min(freedom, 1e9))) * se if freedom >= 1 else math.nan
    p = p_of(effect, se, units)
    return Interval(
        effect=effect, low=effect - half, high=effect + half, se=se, p=p, units=units, freedom=freedom, level=level
    )


def p_of(effect: float, se: float, units: int) -> float:
    """Two-sided p-value of an effect over so many units (0: exact, so 0 or 1; 1: NaN)."""
    if units == 1 or math.isnan(se):
        return math.nan
    freedom = math.inf if units == 0 else units - 1.0
    return float(_p_values(np.array([effect]), np.array([se]), np.array([freedom]))[0])


def equivalent(found: Interval, margin: float) -> bool:
    """Whether the effect is shown to be below `margin`: its interval's upper end is (one side of Schuirmann's test)."""
    return found.high < margin


def simultaneous(
    effects: npt.ArrayLike,
    *,
    level: float = LEVEL,
    shared_covariance: npt.ArrayLike | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Contrasts:
    """Max-t intervals of the means of `effects` (R, K): rows are replicates, columns contrasts.

    The largest of K studentised means is drawn from a normal law with the sample's correlation, the standard errors
    estimated anew in every draw (Westfall and Young, 1993, in Student's form). Few replicates cannot show a
    correlation of many contrasts, so it is shrunk to none by 2/(R + 1), and never spends less than Bonferroni's
    share. A multiplier bootstrap of the same statistic keeps the standard errors fixed: at R = 3 it calls 10 % of
    null worlds significant where 2.5 % are meant.

    `shared_covariance` (K, K) of the means, from what all replicates share (see `student_interval`): its contrasts may
    be less alike than the replicates', so the largest of its K normal values is drawn as well, and the smaller of the
    two error probabilities is spent on each contrast. Raises InputError for a table that is not finite.
    """
    table = np.asarray(effects, dtype=float)
    if table.ndim != 2 or not len(table) or not table.shape[1] or not np.all(np.isfinite(table)):
        raise InputError("effects", table.shape, "a finite table (replicates, contrasts) with at least one of each")
    if not 0 < level < 1:
        raise InputError("level", level, "a probability in (0, 1)")
    count, width = table.shape
    mean = table.mean(axis=0)
    between = np.zeros((width, width)) if shared_covariance is None else np.asarray(shared_covariance, dtype=float)
    if between.shape != (width, width):
        raise InputError("shared_covariance", between.shape, f"shape ({width}, {width})")
    shared = np.maximum(np.diag(between), 0.0)
    if count == 1:
        lost = np.full(width, math.nan)
        return Contrasts(
            effect=mean, se=lost, low=lost, high=lost, own_low=lost, own_high=lost, p=lost, own_p=lost,
            freedom=np.zeros(width), each=math.nan, units=1, level=level,
        )  # fmt: skip
    variance = _variance(table) / count
    total = variance + shared
    se = np.sqrt(total)
    noisy = variance > 0
    freedom = np.where(noisy, count - 1.0, math.inf)
    own_p = _p_of_two(mean, variance, shared, freedom)
    rng = np.random.default_rng(seed)
    looks: list[tuple[Floats, float]] = []
    if noisy.sum() > 1:
        looks.append((_largest_t(table[:, noisy], draws, rng), count - 1.0))
    if (known := shared > 0).sum() > 1:
        looks.append((_largest_z(between[np.ix_(known, known)], draws, rng), math.inf))
    each, adjusted = _for_looks(looks, own_p, level)
    if noisy.any() and known.any() and np.any(noisy != known):  # no draw has both kinds of contrasts
        each, adjusted = min(each, (1 - level) / width), np.minimum(own_p * width, 1.0)
    half, own = (_half_of_two(share, variance, shared, freedom) for share in (each, 1 - level))
    return Contrasts(
        effect=mean, se=se, low=mean - half, high=mean + half, own_low=mean - own, own_high=mean + own,
        p=adjusted, own_p=own_p, freedom=freedom, each=each, units=count, level=level,
    )  # fmt: skip


def _for_looks(looks: Sequence[tuple[Floats, float]], own_p: Floats, level: float) -> tuple[float, Floats]:
    """The error probability spent on each of K contrasts, and their p-values (K,), both corrected for K looks.

    looks: draws of the largest statistic with its degrees of freedom, one a kind of noise; the stricter one counts.
    """
    each, adjusted, width = 1 - level, own_p, len(own_p)
    for largest, freedom in looks:
        each = min(each, max(_two_sided(float(np.quantile(largest, level)), freedom), (1 - level) / width))
        drawn = np.mean(largest[:, None] >= _quantile(own_p, np.full(width, freedom)), axis=0)
        adjusted = np.maximum(adjusted, np.minimum(own_p * width, np.maximum(drawn, own_p)))
    return each, np.minimum(adjusted, 1.0)


def independent(tables: Sequence[Floats], *, level: float = LEVEL, shared_variance: npt.ArrayLike = 0.0) -> Contrasts:
    """The mean over tables (R_b, K) of K contrasts, each table with replicates of its own.

    Welch and Satterthwaite's degrees of freedom, at most those of equal noise in all replicates: estimated ones jump
    where a table of two or three replicates shows little noise by chance (15 % false support for 16 and 2 replicates).
    Simultaneous by Bonferroni. `shared_variance`: see `student_interval`.
    """
    mean = np.mean([table.mean(axis=0) for table in tables], axis=0)
    parts = np.stack([_variance(table) / len(table) for table in tables]) / len(tables) ** 2
    variance = parts.sum(axis=0)
    shared = np.broadcast_to(np.asarray(shared_variance, dtype=float), variance.shape)
    rest = np.sum(parts**2 / np.array([[len(table) - 1.0] for table in tables]), axis=0)
    freedom = np.divide(variance**2, rest, out=np.full(variance.shape, math.inf), where=rest > 0)
    share = 1 / np.array([len(table) for table in tables], dtype=float)
    if np.all(share < 1):
        equal = share.sum() ** 2 / np.sum(share**2 / (1 / share - 1))
        freedom = np.where(np.isinf(freedom), freedom, np.minimum(freedom, equal))
    se, each = np.sqrt(variance + shared), (1 - level) / len(mean)
    half, own = (_half_of_two(share, variance, shared, freedom) for share in (each, 1 - level))
    own_p = _p_of_two(mean, variance, shared, freedom)
    return Contrasts(
        effect=mean, se=se, low=mean - half, high=mean + half, own_low=mean - own, own_high=mean + own,
        p=np.minimum(own_p * len(mean), 1.0), own_p=own_p, freedom=freedom, each=each,
        units=min(len(table) for table in tables), level=level,
    )  # fmt: skip


def half_interval(table: Floats, *, level: float = LEVEL, shared_variance: npt.ArrayLike = 0.0) -> Floats:
    """Half the interval (K,) of the mean of each column of `table` (R, K) by itself: `Contrasts.own_high` - `effect`.

    Where ends alone are wanted of many columns: it looks for no p-value. `shared_variance`: see `student_interval`.
    """
    variance = _variance(table) / len(table)
    shared = np.broadcast_to(np.asarray(shared_variance, dtype=float), variance.shape)
    freedom = np.where(variance > 0, len(table) - 1.0, math.inf)
    return _half_of_two(1 - level, variance, shared, freedom)


def exact_contrasts(effect: Floats, *, level: float = LEVEL) -> Contrasts:
    """Contrasts without noise: every interval is the value itself, over no units."""
    none = np.zeros_like(effect)
    return Contrasts(
        effect=effect, se=none, low=effect, high=effect, own_low=effect, own_high=effect,
        p=(effect == 0).astype(float), own_p=(effect == 0).astype(float), freedom=none + math.inf, each=1 - level,
        units=0, level=level,
    )  # fmt: skip


def greatest(found: Contrasts) -> Interval:
    """The greatest of the K true means: at least the highest simultaneous low end, at most the highest own high end.

    Both ends hold whichever contrast is the greatest, so there is no selection to correct the interval for; the
    effect itself, the greatest of the means, is high by what the choice among noisy means adds. The p-value is that of
    the direction: one of them above zero (adjusted for the looks), or all of them below (the largest of their own).
    """
    at = int(np.argmax(found.effect))
    low, high = (float(np.max(end)) for end in (found.low, found.own_high))
    above = float(np.min(np.where(found.effect > 0, found.p, 1.0)))
    below = float(np.max(np.where(found.effect < 0, found.own_p, 1.0)))
    p = math.nan if found.units == 1 else min(above, below)
    return Interval(
        effect=float(found.effect[at]), low=low, high=high, se=float(found.se[at]), p=p, units=found.units,
        freedom=float(found.freedom[at]), level=found.level,
    )  # fmt: skip


def gains_over_none(curve: ShiftErrorCurve, *, level: float = LEVEL, draws: int = DRAWS, seed: int = 0) -> Contrasts:
    """What each positive shift of a curve saves against its smallest shift, paired by replicate, all of them at once.

    Raises InputError for a curve with one shift. A curve without replicates has NaN ends.
    """
    if curve.shift.size < 2:
        raise InputError("curve", f"shifts {curve.shift.tolist()}", "the smallest shift and at least one above it")
    errors = curve.error[None] if curve.replicates is None else curve.replicates
    weights = _against_first(curve.shift.size)
    shared = curve.shared_covariance(weights)
    return simultaneous(errors @ weights.T, level=level, shared_covariance=shared, draws=draws, seed=seed)


def gain_over_none(curve: ShiftErrorCurve, *, level: float = LEVEL, draws: int = DRAWS, seed: int = 0) -> Gain:
    """What the best positive shift of a curve saves against its smallest shift, paired by replicate.

    Raises InputError for a curve with one shift. A curve without replicates has NaN ends.
    """
    found = gains_over_none(curve, level=level, draws=draws, seed=seed)
    best = greatest(found)
    return Gain(
        shift=float(curve.shift[1 + int(np.argmax(found.effect))]), gain=best.effect, low=best.low, high=best.high,
        p=best.p, units=found.units, se=best.se, looks=len(found.effect),
    )  # fmt: skip


def _against_first(count: int) -> Floats:
    """The contrasts error at the first shift - error at each other, as rows of weights (count - 1, count)."""
    return np.hstack([np.ones((count - 1, 1)), -np.eye(count - 1)])


def _variance(table: Floats) -> Floats:
    """Variance of each column, exactly zero where the column is constant up to rounding."""
    spread = table.var(axis=0, ddof=1)
    rounding = 1e-12 * np.abs(table).max(axis=0)
    return np.where(np.sqrt(spread) <= rounding, 0.0, spread)


def _two_sided(t: float, freedom: float) -> float:
    return float(2 * student_t.sf(t, min(freedom, 1e9)))


def _quantile(share: float | Floats, freedom: Floats) -> Floats:
    """Student's two-sided critical values at an error probability, one a contrast."""
    tail = np.clip(share, 1e-300, 1.0) / 2
    with np.errstate(invalid="ignore"):  # stdtrit knows no infinite freedom: there the normal law stands
        return np.asarray(np.where(np.isinf(freedom), -ndtri(tail), -stdtrit(freedom, tail)), dtype=float)


def _half_of_two(share: float | Floats, variance: Floats, shared: Floats, freedom: Floats) -> Floats:
    """Half the interval (K,) of means with an estimated variance and a known one, at an error probability."""
    known = np.full(shared.shape, math.inf)
    return np.hypot(_quantile(share, freedom) * np.sqrt(variance), _quantile(share, known) * np.sqrt(shared))


def _p_of_two(mean: Floats, variance: Floats, shared: Floats, freedom: Floats) -> Floats:
    """The error probability (K,) at which the interval of `_half_of_two` ends at zero, by bisection."""
    plain = _p_values(mean, np.sqrt(variance + shared), freedom)
    mixed = (variance > 0) & (shared > 0)
    if not mixed.any():
        return plain
    least, most = np.full(mean.shape, -690.0), np.zeros(mean.shape)
    for _ in range(40):
        middle = (least + most) / 2
        inside = _half_of_two(np.exp(middle), variance, shared, freedom) > np.abs(mean)
        least, most = np.where(inside, middle, least), np.where(inside, most, middle)
    return np.where(mixed, np.exp(most), plain)


def _p_values(mean: Floats, se: Floats, freedom: Floats) -> Floats:
    """Two-sided p-values; an exact value is 0 where it differs from zero and 1 where it does not."""
    exact = se == 0
    t = np.abs(mean) / np.where(exact, 1.0, se)
    return np.where(exact, (mean == 0).astype(float), 2 * student_t.sf(t, np.minimum(freedom, 1e9)))


def _largest_t(table: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Draws of the largest of the K > 1 studentised means where every true mean is zero, shape (draws,)."""
    count = len(table)
    correlation: Floats = np.asarray(np.corrcoef(table, rowvar=False), dtype=float)
    shrink = 2 / (count + 1)
    shrunk: Floats = (1 - shrink) * correlation + (shrink + 1e-9) * np.eye(len(correlation))
    root = np.linalg.cholesky(shrunk)
    largest = np.empty(draws)
    step = max(1, 2**22 // (count * len(root)))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        rows = rng.standard_normal((size, count, len(root))) @ root.T
        t = rows.mean(axis=1) / (rows.std(axis=1, ddof=1) / math.sqrt(count))
        largest[start : start + size] = np.abs(t).max(axis=1)
    return largest


def _largest_z(covariance: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Draws of the largest of K > 1 standardised normal values of this covariance, shape (draws,)."""
    spread = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(spread, spread))
    z = rng.standard_normal((draws, len(spread))) @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
    return np.asarray(np.abs(z).max(axis=1), dtype=float)


__all__ = [
    "LEVEL",
    "Contrasts",
    "Gain",
    "Interval",
    "equivalent",
    "exact_contrasts",
    "gain_over_none",
    "greatest",
    "half_interval",
    "independent",
    "p_of",
    "paired_difference",
    "simultaneous",
    "student_from",
    "student_interval",
]  # fmt: skip
