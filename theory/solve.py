"""Vectorised one-dimensional searches that say on which side they stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize.elementwise import find_root

from theory.setting import Floats


def root(
    function: Callable[..., Floats],
    refused: Floats,
    accepted: Floats,
    args: Sequence[Floats] = (),
    *,
    width: float = 1e-13,
) -> Floats:
    """Where `function` changes sign between its two ends (elementwise, in either order), on the side where it is <= 0.

    function: elementwise in x and `args`, arrays of one shape; SciPy leaves out the elements that are finished.

    `function` is positive at `refused` and <= 0 at `accepted`; the result is an argument where it is <= 0, at most
    `width` (relative to the argument above 1) from one where it is positive. NaN ends stay NaN.
    Chandrupatla's method (1997).
    """
    width /= 2  # an absolute and a relative half
    found = find_root(
        function,
        (refused, accepted),
        args=tuple(args),
        tolerances={"xatol": width, "xrtol": width, "fatol": 0.0, "frtol": 0.0},
    )
    (low, high), (at_low, at_high) = found.bracket, found.f_bracket
    safe = np.where(at_low <= 0, low, np.where(at_high <= 0, high, np.nan))
    result: Floats = np.where(found.f_x <= 0, found.x, safe)
    return result


def minimise(
    objective: Callable[[Floats], Floats], low: Floats, high: Floats, *, points: int = 25, rounds: int = 7
) -> tuple[Floats, Floats]:
    """The smallest of `points` even arguments in [low, high] (M,), then again between its neighbours, `rounds` times.

    `objective` maps (M, points) to (M, points). Returns (argument, value), each (M,). The first round decides between
    several dips; each round narrows the interval (points - 1) / 2 times. SciPy's `find_minimum` needs a bracket, which
    a minimum beside an end of the interval has not, and its steps follow the last bits of the objective.
    """
    for _ in range(rounds):
        grid = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, points)
        value = objective(grid)
        best = np.argmin(value, axis=1)
        row = np.arange(len(best))
        low, high = grid[row, np.maximum(best - 1, 0)], grid[row, np.minimum(best + 1, points - 1)]
    return grid[row, best], value[row, best]
