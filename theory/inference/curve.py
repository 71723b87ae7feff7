"""The shared vocabulary of results: error against shift, its optimum, the power law of optima in the data size.

Theory, simulation and text all produce these objects (section 5.1 of the paper reads its tables the same way: the best
degree of each row, then how it moves with the data size). Best shifts carry intervals because argmins of noisy curves
are themselves noisy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.errors import InputError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """The best shift of one curve, with an interval (see `ShiftErrorCurve.optimum`).

    `shift` is the best shift, refined between grid points where the data support it; `low` and `high` its interval;
    `error` and `error_se` belong to the best grid point; `probability` (S,) is how often each grid shift was the best
    in the bootstrap; `at_edge` says that the best is the first or last grid point, so the true optimum may lie outside;
    `samples` (draws,) are the bootstrap's best shifts.
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


@dataclass(frozen=True, kw_only=True)
class ShiftErrorCurve:
    """Error of a student (or a bound on it) against the shift, at one data size.

    `shift` (S,) increases: tau (a variance) or degree in [0, 1], as `shift_name` says. `error` (S,) are mean errors,
    `error_se` (S,) their standard errors (zeros for exact curves). `replicates` (R, S), if given, holds the errors of
    each replicate, paired across shifts by common random numbers. Raises InputError where these do not fit together.
    """

    shift: Floats
    error: Floats
    error_se: Floats
    data_size: float
    shift_name: str = "tau"
    replicates: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("shift", "error", "error_se", "replicates"):
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

    @classmethod
    def from_replicates(
        cls, shift: npt.ArrayLike, replicates: npt.ArrayLike, data_size: float, shift_name: str = "tau"
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
        )

    def optimum(self, *, level: float = 0.95, draws: int = 2000, seed: int = 0) -> Optimum:
        """The best shift with an interval that contains it with probability `level`.

        Noise of the mean curve is drawn `draws` times: with replicates by a paired multiplier bootstrap with Student's
        scale (right for as few as two replicates), else normal with `error_se`, independent across shifts.
        A grid shift stays a candidate unless some other shift is significantly better (multiple comparisons with the
        best, simultaneous at `level`). `low` and `high` span the candidates and the central `level` of the drawn
        best shifts, so a flat curve gets the whole grid. An interior best is refined to the vertex of the parabola
        fitted, in log tau (in degree as it is), to the candidates and one neighbour on each side; where that is not
        convex or its vertex leaves the window, the grid point stands. The interval does not account
        for what the true curve does between grid points.
        """
        _check_level(level, draws)
        noise, spread = self._noise(draws, np.random.default_rng(seed))
        candidate = _not_beaten(self.error, noise, spread, level)
        window = _window(candidate, int(np.argmin(self.error)))
        curves = np.vstack([self.error, self.error + noise])
        best = np.argmin(curves, axis=1)
        refined = _refine(self.shift, curves, best, window, logarithmic=self.shift_name == "tau")
        low, high = np.quantile(refined[1:], [(1 - level) / 2, (1 + level) / 2])
        at = int(best[0])
        return Optimum(
            shift=float(refined[0]),
            low=float(min(low, self.shift[candidate][0], refined[0])),
            high=float(max(high, self.shift[candidate][-1], refined[0])),
            error=float(self.error[at]),
            error_se=float(self.error_se[at]),
            probability=np.bincount(best[1:], minlength=self.shift.size) / draws,
            at_edge=at in (0, self.shift.size - 1),
            data_size=float(self.data_size),
            samples=refined[1:],
        )

    def _noise(self, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draws of the mean curve's noise (draws, S) and the standard errors of all pairwise differences (S, S)."""
        if self.replicates is None:
            spread = np.hypot(self.error_se[:, None], self.error_se[None, :])
            np.fill_diagonal(spread, 0.0)
            return rng.standard_normal((draws, self.shift.size)) * self.error_se, spread
        count = len(self.replicates)
        centred = self.replicates - self.replicates.mean(axis=0)
        covariance = centred.T @ centred / (count * (count - 1))
        variance = np.diag(covariance)
        spread = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2 * covariance, 0.0))
        scale = np.sqrt((count - 1) / rng.chisquare(count - 1, size=(draws, 1)))
        weights = rng.standard_normal((draws, count)) * scale
        return weights @ centred / math.sqrt(count * (count - 1)), spread


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """shift = exp(log_constant) * data_size^exponent, fitted to optima; see `power_law`.

    `residual` is the root mean square of the log shifts' residuals (lack of fit, not in the interval); `at_edge` (K,)
    marks optima on the edge of their grid, which are censored; `excluded` is the share of bootstrap draws left out
    because some best shift was zero.
    """

    exponent: float
    exponent_low: float
    exponent_high: float
    log_constant: float
    level: float
    data_sizes: Floats
    shifts: Floats
    residual: float
    at_edge: npt.NDArray[np.bool_]
    excluded: float

    def __call__(self, data_size: npt.ArrayLike) -> Floats:
        """The fitted best shift at these data sizes."""
        fitted: Floats = np.exp(self.log_constant + self.exponent * np.log(np.asarray(data_size, dtype=float)))
        return fitted


def power_law(optima: Sequence[Optimum], *, level: float = 0.95) -> PowerLaw:
    """Least squares of log best shift on log data size, the interval by propagating the optima's bootstrap samples.

    The optima of different data sizes are taken as independent: their samples are shuffled before they are combined.
    Raises InputError for fewer than two data sizes, and for a best shift of zero (no augmentation is best), which has
    no logarithm: leave such optima out and say so.
    """
    _check_level(level, 1)
    data_sizes = np.array([optimum.data_size for optimum in optima], dtype=float)
    shifts = np.array([optimum.shift for optimum in optima], dtype=float)
    if np.unique(data_sizes).size < 2:
        raise InputError("optima", data_sizes.tolist(), "optima of at least two different data sizes")
    if np.any(shifts <= 0):
        raise InputError("optima", shifts.tolist(), "best shifts > 0; leave out sizes where no augmentation is best")
    draws = min(optimum.samples.size for optimum in optima)
    rng = np.random.default_rng(0)
    samples = np.stack([rng.permutation(optimum.samples)[:draws] for optimum in optima], axis=1)
    usable = np.all(samples > 0, axis=1)
    if not usable.any():
        raise InputError("optima", shifts.tolist(), "best shifts that are not zero in every bootstrap draw")
    centred = np.log(data_sizes) - np.log(data_sizes).mean()
    slopes = np.log(samples[usable]) @ centred / (centred @ centred)
    exponent = float(np.log(shifts) @ centred / (centred @ centred))
    log_constant = float(np.log(shifts).mean() - exponent * np.log(data_sizes).mean())
    low, high = np.quantile(slopes, [(1 - level) / 2, (1 + level) / 2])
    residual = np.log(shifts) - log_constant - exponent * np.log(data_sizes)
    return PowerLaw(
        exponent=exponent,
        exponent_low=float(min(low, exponent)),
        exponent_high=float(max(high, exponent)),
        log_constant=log_constant,
        level=level,
        data_sizes=data_sizes,
        shifts=shifts,
        residual=float(np.sqrt(np.mean(residual**2))),
        at_edge=np.array([optimum.at_edge for optimum in optima]),
        excluded=float(1 - usable.mean()),
    )


def _check_level(level: float, draws: int) -> None:
    if not 0 < level < 1:
        raise InputError("level", level, "a probability in (0, 1)")
    if draws < 1:
        raise InputError("draws", draws, "a whole number >= 1")


def _not_beaten(error: Floats, noise: Floats, spread: Floats, level: float) -> npt.NDArray[np.bool_]:
    """Grid shifts (S,) that no other shift beats significantly: the set holds the best with probability `level`."""
    candidate = np.ones(error.size, dtype=bool)
    exact = spread <= 1e-12 * (np.abs(error[:, None]) + np.abs(error[None, :]))
    scale = np.where(exact, np.inf, spread)
    for at in range(error.size):
        statistic = np.max((error[at] - error) / scale[at])
        critical = np.quantile(np.max((noise[:, at : at + 1] - noise) / scale[at], axis=1), level)
        beaten_exactly = np.any(exact[at] & (error[at] > error))
        candidate[at] = statistic <= critical and not beaten_exactly
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
    inside = shift[window]
    if inside.size < 3:
        return refined
    logarithmic = logarithmic and inside[0] > 0
    u = np.log(inside) if logarithmic else inside
    middle, half = (u[0] + u[-1]) / 2, (u[-1] - u[0]) / 2
    design = np.vander((u - middle) / half, 3)
    curvature, slope, _ = np.linalg.lstsq(design, curves[:, window].T, rcond=None)[0]
    interior = (best > 0) & (best < shift.size - 1)
    convex = interior & (np.abs(slope) < 2 * curvature)
    vertex = middle - half * slope[convex] / (2 * curvature[convex])
    refined[convex] = np.exp(vertex) if logarithmic else vertex
    return refined
