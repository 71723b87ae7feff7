"""One law for all curves of a source: error against shift and data size, with few parameters, chosen on held-out data.

It answers how the best shift and the gain move with the data size with the strength of all cells at once, for theory,
simulation, text and paper alike (sections 4.2 and 5.1; `kdshift compare --json`, key `laws`). Every row (a replicate at
one data size) has its own level, so only what the shift does is modelled. u is the shift's place in its grid (degree,
or logarithm of tau > 0) from 0 to 1; m is log10 n about its mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from theory.errors import InputError
from theory.inference.aligned import Aligned, align
from theory.inference.contrast import Interval, student_from
from theory.inference.curve import ShiftErrorCurve

Floats = npt.NDArray[np.float64]
Terms = Callable[[Floats, Floats], list[Floats]]
DECAY = np.linspace(-1.0, 2.0, 25)  # exponents of n in an amplitude: a coarse grid, then a finer one about its best
FINE = np.linspace(0.0, 1.0, 401)


def _scaled(decay: float) -> Terms:
    return lambda u, m: [10 ** (-decay * m) * u, 10 ** (-decay * m) * u**2]


def _harm_and_gain(bend: float) -> Callable[[float], Terms]:
    return lambda decay: lambda u, m: [u**2, 10 ** (-decay * m) * u**bend]


def _plain(terms: Terms) -> Callable[[float], Terms]:
    return lambda decay: terms


FORMS: dict[str, list[Callable[[float], Terms]]] = {
    "flat": [_plain(lambda u, m: [])],
    "parabola": [_plain(lambda u, m: [u, u**2])],
    "parabola, its depth a power of n": [_scaled],
    "parabola, its terms linear in log n": [_plain(lambda u, m: [u, u**2, m * u, m * u**2])],
    "harm u^2, gain u^p times a power of n": [_harm_and_gain(bend) for bend in (0.25, 0.5, 1.0)],
}
NONE = "every cell its own mean"


@dataclass(frozen=True, kw_only=True)
class Law:
    """The law of a source's curves.

    form : the best of `FORMS` by held-out likelihood, or, where every cell for itself predicts better, what fits least
        badly; `fits` says which
    scores : mean log likelihood of a held-out cell, by form, with that of cells for themselves
    data_sizes, best, gain (B,) : at each data size, the best shift (in the shift's own unit) and what it saves
    best_move, gain_move : change of best u, and of the gain, per decade of n, with jackknife intervals over units;
        given the form: one whose optimum stays put says 0 without a width
    """

    form: str
    fits: bool
    scores: dict[str, float]
    data_sizes: Floats
    best: Floats
    gain: Floats
    best_move: Interval
    gain_move: Interval


def fit_law(curves: Sequence[ShiftErrorCurve]) -> Law:
    """The joint law of curves at several data sizes, with what it says of optimum and gain.

    Raises InputError for fewer than two data sizes or three common shifts, or fewer than two units to hold out.
    """
    tau = any(curve.shift_name == "tau" for curve in curves)
    found = align([(curve,) for curve in curves], positive=tau)
    if found is None or found.shift.size < 3 or len(set(found.sizes)) < 2:
        raise InputError("curves", len(curves), "curves of at least two data sizes with three shifts in common")
    rows = _units(found)
    if len(rows) < 2:
        raise InputError("replicates", len(rows), "at least two replicates, or rows, to hold one out")
    m = np.log10(found.sizes) - np.mean(np.log10(found.sizes))
    u = _place(found.curves[0].shift_name, found.shift)
    scores = {form: _held_out(rows, partial(_fitted, form, u=u, m=m)) for form in FORMS}
    if found.unit in ("replicate", "own replicate"):
        scores[NONE] = _held_out(rows, _mean)
    ranked = sorted(scores, key=lambda form: -scores[form])
    form = next(name for name in ranked if name != NONE)
    best, gain = _answers(form, rows, u, m)
    at = [[_answers(form, left, u, m) for left in part] for part in _one_left_out(rows, found.unit == "own replicate")]
    best_moves, gain_moves = ([[_slope(answer[of], m) for answer in part] for part in at] for of in (0, 1))
    unscaled = np.interp(best, u, found.shift) if u[0] < u[-1] else best
    return Law(
        form=form, fits=ranked[0] != NONE, scores=scores, data_sizes=found.sizes, best=unscaled, gain=gain,
        best_move=_jackknife(_slope(best, m), best_moves),
        gain_move=_jackknife(_slope(gain, m), gain_moves),
    )  # fmt: skip


def _units(found: Aligned) -> Floats:
    """Errors about their row's mean (U, B, S), NaN where a unit has no row at a data size."""
    tables = [found.errors(block)[:, 0, :] for block in found.blocks]
    count = len(tables) if found.unit in ("row", "none") else max(len(table) for table in tables)
    rows = np.full((count, len(tables), found.shift.size), math.nan)
    for at, table in enumerate(tables):
        place = [at] if found.unit in ("row", "none") else list(range(len(table)))
        rows[place, at] = table - table.mean(axis=1, keepdims=True)
    return rows


def _mean(rows: Floats) -> Floats:
    """The mean over the units that have a row (B, S); NaN where none has."""
    count = np.sum(~np.isnan(rows), axis=0)
    return np.asarray(np.where(count > 0, np.nansum(rows, axis=0) / np.maximum(count, 1), math.nan), dtype=float)


def _place(name: str, shift: Floats) -> Floats:
    """The shift's place in its grid, from 0 to 1."""
    scale = np.log(shift) if name == "tau" else shift
    return np.asarray((scale - scale[0]) / (scale[-1] - scale[0]))


def _least_squares(form: str, rows: Floats, u: Floats, m: Floats) -> tuple[Terms, Floats]:
    """The form's terms and coefficients that fit the mean of these units best."""
    mean, weight = _mean(rows), np.sqrt(np.sum(~np.isnan(rows), axis=0))
    kept = weight > 0

    def fit(terms: Terms) -> tuple[float, Floats]:
        design = _design(terms, u, m)
        coefficients = np.linalg.lstsq((design * weight[..., None])[kept], (mean * weight)[kept], rcond=None)[0]
        return float(np.sum(((mean - design @ coefficients) * weight)[kept] ** 2)), coefficients

    moves = "power of n" in form
    best = [_best(fit, build, DECAY if moves else DECAY[:1]) for build in FORMS[form]]
    _, terms, coefficients = min(best, key=lambda one: one[0])
    return terms, coefficients


def _best(
    fit: Callable[[Terms], tuple[float, Floats]], build: Callable[[float], Terms], decays: Floats
) -> tuple[float, Terms, Floats]:
    """(loss, terms, coefficients) at the best exponent of a grid, and of a ten times finer one about it."""
    losses = [fit(build(float(decay)))[0] for decay in decays]
    centre = float(decays[int(np.argmin(losses))])
    finer = centre + np.linspace(-0.125, 0.125, 21) if len(decays) > 1 else np.array([centre])
    found = [(*fit(build(float(decay))), float(decay)) for decay in finer]
    loss, coefficients, decay = min(found, key=lambda one: one[0])
    return loss, build(decay), coefficients


def _design(terms: Terms, u: Floats, m: Floats) -> Floats:
    """The terms at every cell (B, S, K), each about its row's mean."""
    columns = [np.broadcast_to(term, (len(m), len(u))) for term in terms(u[None, :], m[:, None])]
    stacked = np.stack(columns, axis=-1) if columns else np.zeros((len(m), len(u), 0))
    return np.asarray(stacked - stacked.mean(axis=1, keepdims=True), dtype=float)


def _fitted(form: str, rows: Floats, u: Floats, m: Floats) -> Floats:
    terms, coefficients = _least_squares(form, rows, u, m)
    return _design(terms, u, m) @ coefficients


def _held_out(rows: Floats, fit: Callable[[Floats], Floats]) -> float:
    """Mean normal log likelihood of the cells of each unit, fitted and its variance estimated on the others."""
    total, cells = 0.0, 0
    for unit in range(len(rows)):
        train, test = np.delete(rows, unit, axis=0), rows[unit]
        mean = fit(train)
        kept = ~np.isnan(test) & ~np.isnan(mean)
        variance = max(float(np.nanmean((train - mean) ** 2)), 1e-18)
        total += float(np.sum(-0.5 * np.log(2 * np.pi * variance) - (test - mean)[kept] ** 2 / (2 * variance)))
        cells += int(kept.sum())
    return total / max(cells, 1)


def _answers(form: str, rows: Floats, u: Floats, m: Floats) -> tuple[Floats, Floats]:
    """The best u and the gain over no shift at each data size (B,), within the grid."""
    terms, coefficients = _least_squares(form, rows, u, m)
    fine = _design(terms, FINE, m) @ coefficients
    return FINE[np.argmin(fine, axis=1)], np.asarray(fine[:, 0] - fine.min(axis=1))


def _slope(values: Floats, m: Floats) -> float:
    return float((values - values[0]) @ m / (m @ m))


def _one_left_out(rows: Floats, apart: bool) -> list[list[Floats]]:
    """The rows (U, B, S) without each unit in turn; apart: for each data size, without each replicate of its own."""
    if not apart:
        return [[np.delete(rows, unit, axis=0) for unit in range(len(rows))]]
    parts: list[list[Floats]] = []
    for size in range(rows.shape[1]):
        parts.append([])
        for unit in np.flatnonzero(np.isfinite(rows[:, size, 0])):
            left = rows.copy()
            left[unit, size] = math.nan
            parts[-1].append(left)
    return parts


def _jackknife(whole: float, parts: Sequence[Sequence[float]]) -> Interval:
    """Student's interval from what is found with one unit left out, by independent parts whose variances add."""
    variance = [(len(part) - 1) ** 2 / len(part) * float(np.var(part, ddof=1)) for part in parts]
    rest = sum(own**2 / (len(part) - 1) for own, part in zip(variance, parts, strict=True))
    freedom = sum(variance) ** 2 / rest if rest > 0 else float(min(map(len, parts)) - 1)
    return student_from(whole, math.sqrt(sum(variance)), freedom)
