"""The power law of best shifts in the data size: shift = constant * n^exponent, fitted to optima with intervals.

Serves the reading of section 4.2 (smaller n, larger tau) on `kdshift simulate run smaller-data-larger-tau`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.errors import InputError
from theory.inference.curve import Optimum, check_level

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """shift = exp(log_constant) * data_size^exponent, fitted to optima; see `power_law`.

    `residual` is the root mean square of the log shifts' residuals (lack of fit, not in the interval); `at_edge` (K,)
    marks optima on the edge of their grid, which are censored: the interval takes them to be on the grid; `excluded`
    is the share of bootstrap draws left out because some best shift was zero.
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
    Where an end of a grid may be the best, the ends of that optimum's interval stand for its samples, which lie too
    near the middle (see `Optimum.ends_possible`): infinite where that end is no shift.
    Raises InputError for fewer than two data sizes, and for a best shift of zero (no augmentation is best), which has
    no logarithm: leave such optima out and say so.
    """
    check_level(level, 1)
    data_sizes = np.array([optimum.data_size for optimum in optima], dtype=float)
    shifts = np.array([optimum.shift for optimum in optima], dtype=float)
    if np.unique(data_sizes).size < 2:
        raise InputError("optima", data_sizes.tolist(), "optima of at least two different data sizes")
    if np.any(shifts <= 0):
        raise InputError("optima", shifts.tolist(), "best shifts > 0; leave out sizes where no augmentation is best")
    draws = min(optimum.samples.size for optimum in optima)
    rng = np.random.default_rng(0)
    drawn = np.stack([_drawn(optimum, draws, rng) for optimum in optima], axis=2)
    usable = np.all(drawn[1] > 0, axis=1)
    if not usable.any():
        raise InputError("optima", shifts.tolist(), "best shifts that are not zero in every bootstrap draw")
    centred = np.log(data_sizes) - np.log(data_sizes).mean()
    with np.errstate(divide="ignore"):  # the logarithm of no shift
        least, _, most = np.log(drawn[:, usable])
    slope, moves = centred / (centred @ centred), centred != 0  # what is infinite times nothing is nothing
    steepest, flattest = (
        np.where(centred > 0, one, other)[:, moves] @ slope[moves] for one, other in ((most, least), (least, most))
    )
    exponent = float(np.log(shifts) @ centred / (centred @ centred))
    log_constant = float(np.log(shifts).mean() - exponent * np.log(data_sizes).mean())
    low = np.quantile(flattest, (1 - level) / 2, method="inverted_cdf")
    high = np.quantile(steepest, (1 + level) / 2, method="inverted_cdf")
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


def _drawn(best: Optimum, draws: int, rng: np.random.Generator) -> Floats:
    """Draws (3, draws) of a best shift: at the least, as they are, at the most."""
    samples = rng.permutation(best.samples)[:draws]
    if not any(best.ends_possible):
        return np.stack([samples] * 3)
    inside = np.full(draws, best.shift)
    return np.stack([np.full(draws, best.low), inside, np.full(draws, best.high)])
