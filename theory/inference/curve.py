"""The shared vocabulary of results: error against shift, and its optimum.

Theory, simulation and text all produce these objects (section 5.1 of the paper reads its tables the same way: the best
degree of each row, then how it moves with the data size). Best shifts carry intervals because argmins of noisy curves
are themselves noisy.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student_t

from theory.errors import InputError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """The best shift of one curve, with an interval (see `ShiftErrorCurve.optimum`).

    `shift` is the best shift, refined between grid points where the data support it; `low` and `high` its interval;
    `error` and `error_se` belong to the best grid point; `probability` (S,) is how often each grid shift was the best
    in the bootstrap; `at_edge` says that the best is the first or last grid point, and `censored` that the true optimum
    may lie beyond it (there is nothing below no shift, nor above all tokens). `samples` (draws,) are the bootstrap's
    best shifts. `ends_possible` says of the first and of the last grid point whether it may be the best: where one may,
    the samples are drawn towards the middle of the grid and only `low` and `high` can be relied on.
    """

    shift: float
    low: float
    high: float
    error: float
    error_se: float
    probability: Floats
    at_edge: bool
    data_size: float
    samples: Floats
    censored: Literal["", "at most", "at least"] = ""
    ends_possible: tuple[bool, bool] = (False, False)


@dataclass(frozen=True, kw_only=True)
class ShiftErrorCurve:
    """Error of a student (or a bound on it) against the shift, at one data size.

    `shift` (S,) increases: tau (a variance) or degree in [0, 1], as `shift_name` says. `error` (S,) are mean errors,
    `error_se` (S,) their standard errors (zeros for exact curves). `replicates` (R, S), if given, holds the errors of
    each replicate, paired across shifts by common random numbers; `replicate_ids` (R,) name them, and curves with a
    name in common share that replicate (the same seed, nested subsets). `evaluation` names the examples on which all
    of it was measured, and `test_covariance` (S, S) is the covariance of the mean errors that comes from drawing those
    examples: replicates share it, so they cannot show it. Raises InputError where these do not fit together.
    """

    shift: Floats
    error: Floats
    error_se: Floats
    data_size: float
    shift_name: str = "tau"
    replicates: Floats | None = None
    replicate_ids: tuple[Hashable, ...] | None = None
    evaluation: str = ""
    test_covariance: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("shift", "error", "error_se", "replicates", "test_covariance"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, np.asarray(value, dtype=float))
        count = self.shift.size
        if self.shift.ndim != 1 or count < 1 or np.any(np.diff(self.shift) <= 0) or not self.shift[0] >= 0:
            raise InputError("shift", self.shift.tolist(), "one increasing row of shifts >= 0")
        if self.shift_name not in ("tau", "degree") or (self.shift_name == "degree" and self.shift[-1] > 1):
            raise InputError("shift_name", self.shift_name, "tau, or degree with every shift in [0, 1]")
        for name, value in (("error", self.error), ("error_se", self.error_se)):
            if value.shape != (count,) or not np.all(np.isfinite(value)):
                raise InputError(name, value.tolist(), f"{count} finite numbers, one a shift")
        if np.any(self.error_se < 0):
            raise InputError("error_se", self.error_se.tolist(), "numbers >= 0")
        if not (math.isfinite(self.data_size) and self.data_size > 0):
            raise InputError("data_size", self.data_size, "a number > 0")
        if self.replicates is not None and (
            self.replicates.shape != (len(self.replicates), count)
            or len(self.replicates) < 2
            or not np.all(np.isfinite(self.replicates))
        ):
            raise InputError("replicates", self.replicates.shape, f"finite, of shape (at least 2, {count})")
        rows = 0 if self.replicates is None else len(self.replicates)
        if self.replicate_ids is not None and (rows != len(set(self.replicate_ids)) or rows != len(self.replicate_ids)):
            raise InputError("replicate_ids", list(self.replicate_ids), f"{rows} different names, one a replicate")
        if self.test_covariance is not None and self.test_covariance.shape != (count, count):
            raise InputError("test_covariance", self.test_covariance.shape, f"shape ({count}, {count})")

    @classmethod
    def from_replicates(
        cls,
        shift: npt.ArrayLike,
        replicates: npt.ArrayLike,
        data_size: float,
        shift_name: str = "tau",
        *,
        replicate_ids: tuple[Hashable, ...] | None = None,
        evaluation: str = "",
        test_covariance: Floats | None = None,
    ) -> ShiftErrorCurve:
        """The curve of mean errors over the rows of `replicates` (R, S), R >= 2, with their standard errors."""
        table = np.asarray(replicates, dtype=float)
        if table.ndim != 2 or len(table) < 2:
            raise InputError("replicates", table.shape, "shape (R, S) with R >= 2: one replicate has no standard error")
        return cls(
            shift=np.asarray(shift, dtype=float),
            error=table.mean(axis=0),
            error_se=table.std(axis=0, ddof=1) / math.sqrt(len(table)),
            data_size=float(data_size),
            shift_name=shift_name,
            replicates=table,
            replicate_ids=replicate_ids,
            evaluation=evaluation,
            test_covariance=test_covariance,
        )

    @property
    def names(self) -> tuple[Hashable, ...]:
        """The replicates' names: `replicate_ids`, or their numbers; empty without replicates."""
        return self.replicate_ids or tuple(range(0 if self.replicates is None else len(self.replicates)))

    def shared_covariance(self, contrasts: Floats) -> Floats:
        """Covariance (K, K) that the evaluation set gives to contrasts of mean errors, rows of weights (K, S)."""
        if self.test_covariance is None:
            return np.zeros((len(contrasts), len(contrasts)))
        return np.asarray(contrasts @ self.test_covariance @ contrasts.T)

    def half_width(self, level: float = 0.95) -> Floats:
        """Half the interval of each mean error (S,), over replicates by Student's law, else by `error_se` alone."""
        return half_widths(self.error_se, None if self.replicates is None else len(self.replicates), level=level)

    def only(self, names: tuple[Hashable, ...], shifts: Floats) -> ShiftErrorCurve:
        """The same curve with these replicates (in this order; none: means alone) at these shifts (S,) of its grid."""
        at = np.searchsorted(self.shift, shifts - 1e-9)
        covariance = None if self.test_covariance is None else self.test_covariance[np.ix_(at, at)]
        rows = None
        if self.replicates is not None and len(names) > 1:
            rows = self.replicates[[self.names.index(name) for name in names]][:, at]
        return replace(
            self,
            shift=self.shift[at],
            error=self.error[at] if rows is None else rows.mean(axis=0),
            error_se=self.error_se[at] if rows is None else rows.std(axis=0, ddof=1) / math.sqrt(len(rows)),
            replicates=rows,
            replicate_ids=None if rows is None else tuple(names),
            test_covariance=covariance,
        )

    def optimum(self, *, level: float = 0.95, draws: int = 2000, seed: int = 0) -> Optimum:
        """The best shift with an interval that contains it with probability `level`.

        Noise of the mean curve is drawn `draws` times: with replicates by a paired multiplier bootstrap with Student's
        scale (right for as few as two replicates), else normal with `error_se`, independent across shifts.
        A grid shift stays a candidate unless some other shift is significantly better (multiple comparisons with the
        best, simultaneous at `level`). `low` and `high` span the candidates and the central `level` of the drawn
        best shifts, so a flat curve gets the whole grid. An interior best is refined to the vertex of the parabola
        fitted, in log tau (without tau = 0) or in degree, to the candidates and one neighbour on each side; where that
        is not convex or its vertex leaves the window, the grid point stands. Where the first or the last grid point is
        the only candidate, the best may lie between it and its neighbour, and the interval reaches that far; else it
        does not account for what the true curve does between grid points.
        """
        check_level(level, draws)
        noise, spread = self._noise(draws, np.random.default_rng(seed))
        candidate = _not_beaten(self.error, noise, spread, level)
        window = _window(candidate, int(np.argmin(self.error)))
        curves = np.vstack([self.error, self.error + noise])
        best = np.argmin(curves, axis=1)
        refined = _refine(self.shift, curves, best, window, logarithmic=self.shift_name == "tau")
        low, high = np.quantile(refined[1:], [(1 - level) / 2, (1 + level) / 2])
        reached = candidate.copy()
        if candidate.sum() == 1:  # a lone end of the grid reaches its neighbour
            reached[1:2] |= candidate[0]
            reached[-2:-1] |= candidate[-1]
        at = int(best[0])
        return Optimum(
            shift=float(refined[0]),
            low=float(min(low, self.shift[reached][0], refined[0])),
            high=float(max(high, self.shift[reached][-1], refined[0])),
            error=float(self.error[at]),
            error_se=float(self.error_se[at]),
            probability=np.bincount(best[1:], minlength=self.shift.size) / draws,
            at_edge=at in (0, self.shift.size - 1),
            data_size=float(self.data_size),
            samples=refined[1:],
            censored=self._censored(at),
            ends_possible=(bool(candidate[0]), bool(candidate[-1])),
        )

    def _censored(self, at: int) -> Literal["", "at most", "at least"]:
        """On which side of the best grid point the true optimum may lie outside the grid."""
        if at == 0 and self.shift[0] > 0:
            return "at most"
        all_tokens = self.shift_name == "degree" and self.shift[-1] >= 1
        return "at least" if at == self.shift.size - 1 and not all_tokens else ""

    def _noise(self, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draws of the mean curve's noise (draws, S) and the standard errors of all pairwise differences (S, S)."""
        size = self.shift.size
        if self.replicates is None:
            own = np.diag(self.error_se**2) if self.test_covariance is None else self.test_covariance
            return rng.standard_normal((draws, size)) @ _root(own).T, _spread(own)
        count = len(self.replicates)
        centred = self.replicates - self.replicates.mean(axis=0)
        covariance = centred.T @ centred / (count * (count - 1))
        scale = np.sqrt((count - 1) / rng.chisquare(count - 1, size=(draws, 1)))
        weights = rng.standard_normal((draws, count)) * scale
        noise = weights @ centred / math.sqrt(count * (count - 1))
        if self.test_covariance is None:
            return noise, _spread(covariance)
        shared = rng.standard_normal((draws, size)) @ _root(self.test_covariance).T
        return noise + shared, _spread(covariance + self.test_covariance)


def half_widths(se: npt.ArrayLike, units: int | None, *, level: float = 0.95) -> Floats:
    """Half the intervals of means with these standard errors, of their shape: Student's, or of a known noise."""
    freedom = 1e9 if units is None else units - 1
    return np.asarray(student_t.ppf((1 + level) / 2, freedom) * np.asarray(se, dtype=float), dtype=float)


def _spread(covariance: Floats) -> Floats:
    """Standard errors of all pairwise differences (S, S) of means with this covariance."""
    variance = np.diag(covariance)
    return np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2 * covariance, 0.0))


def _root(covariance: Floats) -> Floats:
    """A square root of a covariance that may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def check_level(level: float, draws: int) -> None:
    """Raise InputError unless `level` is a probability in (0, 1) and `draws` at least 1."""
    if not 0 < level < 1:
        raise InputError("level", level, "a probability in (0, 1)")
    if draws < 1:
        raise InputError("draws", draws, "a whole number >= 1")


def _not_beaten(error: Floats, noise: Floats, spread: Floats, level: float) -> npt.NDArray[np.bool_]:
    """Grid shifts (S,) that no other shift beats significantly: the set holds the best with probability `level`."""
    exact = spread <= 1e-12 * (np.abs(error[:, None]) + np.abs(error[None, :]))
    scale = np.where(exact, np.inf, spread)
    statistic_S = np.max((error[:, None] - error) / scale, axis=1)
    drawn_SD = np.stack([np.max((noise[:, at : at + 1] - noise) / row, axis=1) for at, row in enumerate(scale)])
    beaten_exactly_S = np.any(exact & (error[:, None] > error), axis=1)
    candidate: npt.NDArray[np.bool_] = (statistic_S <= np.quantile(drawn_SD, level, axis=1)) & ~beaten_exactly_S
    candidate[np.argmin(error)] = True
    return candidate


def _window(candidate: npt.NDArray[np.bool_], best: int) -> slice:
    """The unbroken run of candidates around the best grid point, with one neighbour on each side."""
    beaten = np.flatnonzero(~candidate)
    below, above = beaten[beaten < best], beaten[beaten > best]
    return slice(int(below[-1]) if below.size else 0, int(above[0]) + 1 if above.size else candidate.size)


def _refine(shift: Floats, curves: Floats, best: npt.NDArray[np.intp], window: slice, *, logarithmic: bool) -> Floats:
    """Best shift of every curve (rows): the parabola's vertex where it is supported, else the grid point."""
    refined = shift[best]
    if logarithmic and shift[window.start] == 0:
        window = slice(window.start + 1, window.stop)
    inside = shift[window]
    if inside.size < 3:
        return refined
    u = np.log(inside) if logarithmic else inside
    middle, half = (u[0] + u[-1]) / 2, (u[-1] - u[0]) / 2
    design = np.vander((u - middle) / half, 3)
    curvature, slope, _ = np.linalg.lstsq(design, curves[:, window].T, rcond=None)[0]
    interior = (best > 0) & (best < shift.size - 1)
    convex = interior & (np.abs(slope) < 2 * curvature)
    vertex = middle - half * slope[convex] / (2 * curvature[convex])
    refined[convex] = np.exp(vertex) if logarithmic else vertex
    return refined
