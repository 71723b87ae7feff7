"""How often the rules are wrong and how often they would be right: null worlds, power, replicates that would decide.

    kdshift compare --calibrate 400
    kdshift compare --power 0.01

A null world has the curves, grids, replicates and noise of given results, and errors that depend on nothing.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import chi2, nct
from scipy.stats import t as student_t

from theory.inference.contrast import LEVEL
from theory.inference.curve import ShiftErrorCurve
from theory.inference.evaluation import least_correlation

Floats = npt.NDArray[np.float64]
MOST = 10_000


def null_world(
    curves: Mapping[Hashable, Sequence[ShiftErrorCurve]], rng: np.random.Generator
) -> dict[Hashable, list[ShiftErrorCurve]]:
    """The same curves with errors that depend on neither shift, data size nor setting: their mean and their noise.

    Noise of replicates is normal with the sample's own covariance, shrunk by 2/(R + 1) to a level a replicate and equal
    noise a cell (few replicates cannot show a covariance); replicates keep their names, so what curves share stays
    shared. Noise of an evaluation set is as alike in two curves as the rules take it to be (`aligned`): the least
    correlation within a curve, its shifts' rest drawn curve by curve. Single runs get the scatter of their row about
    a parabola. Exact curves stay as they are.
    """
    flat = [curve for group in curves.values() for curve in group]
    noisy = [curve for curve in flat if np.any(curve.error_se)]
    level = float(np.mean([curve.error.mean() for curve in noisy])) if noisy else 0.0
    names = list(dict.fromkeys(name for curve in noisy for name in curve.names))
    shared = {
        "mix": rng.standard_normal((len(names), len(names))),
        "level": rng.standard_normal(len(names)),
    }
    sets = {name: float(rng.standard_normal()) for name in dict.fromkeys(curve.evaluation for curve in noisy)}
    return {
        key: [_null(curve, level, names, shared, sets, rng) if np.any(curve.error_se) else curve for curve in group]
        for key, group in curves.items()
    }


def _null(
    curve: ShiftErrorCurve,
    level: float,
    names: Sequence[Hashable],
    shared: Mapping[str, Floats],
    sets: Mapping[str, float],
    rng: np.random.Generator,
) -> ShiftErrorCurve:
    """One flat curve of the same shape."""
    if curve.replicates is None:
        return replace(curve, error=level + _scatter(curve) * rng.standard_normal(curve.shift.size))
    rows = curve.replicates
    count, size = rows.shape
    at = [names.index(name) for name in curve.names]
    centred = rows - rows.mean(axis=0)
    of_row = centred.mean(axis=1)
    cell = math.sqrt(float(np.sum((centred - of_row[:, None]) ** 2)) / max((count - 1) * (size - 1), 1))
    row = math.sqrt(max(float(of_row.var(ddof=1)) - cell**2 / size, 0.0))
    shrink = 2 / (count + 1)
    own = shared["mix"][np.ix_(at, at)] @ centred / math.sqrt(count - 1)
    plain = row * shared["level"][at][:, None] + cell * rng.standard_normal((count, size))
    noise = math.sqrt(1 - shrink) * own + math.sqrt(shrink) * plain
    if curve.test_covariance is not None:
        noise = noise + _of_the_set(curve.test_covariance, sets[curve.evaluation], rng)
    return ShiftErrorCurve.from_replicates(
        curve.shift, level + noise, curve.data_size, curve.shift_name, replicate_ids=curve.replicate_ids,
        evaluation=curve.evaluation, test_covariance=curve.test_covariance,
    )  # fmt: skip


def _of_the_set(covariance: Floats, common: float, rng: np.random.Generator) -> Floats:
    """A draw with this covariance (S, S), of which `common`, a standard normal, is the part that other curves share."""
    together: Floats = np.sqrt(least_correlation(covariance) * np.maximum(np.diag(covariance), 0.0))
    values, vectors = np.linalg.eigh(covariance - np.outer(together, together))
    rest: Floats = (vectors * np.sqrt(np.maximum(values, 0.0))) @ rng.standard_normal(len(values))
    return together * common + rest


def _scatter(curve: ShiftErrorCurve) -> Floats:
    """Noise of a row of single runs: its scatter about a parabola, where it is long enough to have one."""
    if curve.shift.size < 5:
        return curve.error_se
    u = np.log(curve.shift) if curve.shift_name == "tau" and curve.shift[0] > 0 else curve.shift
    residual = curve.error - np.polyval(np.polyfit(u, curve.error, 2), u)
    return np.full(curve.shift.size, math.sqrt(float(residual @ residual) / (curve.shift.size - 3)))


def power(effect: float, se: float, units: int, looks: int = 1, *, level: float = LEVEL) -> float:
    """How often an effect of this size is found, with the standard error `se` over so many units.

    The noncentral t law of one contrast; a claim that may choose among `looks` shifts is tested at Bonferroni's share
    (its simultaneous interval is a little sharper). NaN below two units.
    """
    if units < 2 or not se > 0:
        return math.nan
    critical = student_t.isf((1 - level) / 2 / looks, units - 1)
    found = float(nct.sf(critical, units - 1, effect / se))
    if not math.isnan(found):
        return found
    # Far beyond any doubt SciPy's law overflows; there Student's statistic varies by its standard error alone.
    return float(chi2.cdf((units - 1) * (effect / se / critical) ** 2, units - 1)) if effect > 0 else 0.0


def detectable(se: float, units: int, looks: int = 1, *, wanted: float = 0.8) -> float:
    """The effect that is found with power `wanted`, with the standard error `se` over so many units; NaN below two."""
    if units < 2 or not se > 0:
        return math.nan
    critical = float(student_t.isf((1 - LEVEL) / 2 / looks, units - 1))
    return float(brentq(lambda effect: power(effect, se, units, looks) - wanted, 0.0, 4 * (1 + critical) * se))


def units_to_decide(effect: float, se: float, units: int, looks: int = 1, *, wanted: float = 0.8) -> int | None:
    """The least replicates (at least two) whose power for this effect reaches `wanted`, at the same noise a replicate.

    None where even 10,000 would not do, or where the noise is not known.
    """
    if units < 2 or not (se > 0 and effect > 0):
        return None
    noise = se * math.sqrt(units)

    def enough(count: int) -> bool:
        return power(effect, noise / math.sqrt(count), count, looks) >= wanted

    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
