"""Vectorised one-dimensional searches that say on which side they stop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory.setting import Floats


def root(
    function: Callable[[Floats], Floats], refused: Floats, accepted: Floats, *, width: float = 1e-13, rounds: int = 100
) -> Floats:
    """Where `function` changes sign between its two ends (elementwise, in either order), on the side where it is <= 0.

    `function` is positive at `refused` and <= 0 at `accepted`; the result is an argument where it is <= 0, at most
    `width` (relative to the argument above 1) from one where it is positive. NaN ends stay NaN.
    Chandrupatla's method (1997): inverse quadratic steps, halving where they would not help.
    """
    a, b = refused, accepted
    fa, fb = function(a), function(b)
    c, fc, t = a, fa, np.full(a.shape, 0.5)
    for _ in range(rounds):
        x = a + t * (b - a)
        fx = function(x)
        same = (fx > 0) == (fa > 0)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        gap = np.abs(b - a)
        least = width * np.maximum(1.0, np.abs(a)) / 2
        if np.all(~(gap > 2 * least)):
            break
        with np.errstate(divide="ignore", invalid="ignore"):
            xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
            smooth = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
            step = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
            edge = np.minimum(least / gap, 0.5)
        t = np.where(smooth & np.isfinite(step), np.clip(step, edge, 1 - edge), 0.5)
    return np.where(fa <= 0, a, np.where(fb <= 0, b, np.nan))


def minimise(
    objective: Callable[[Floats], Floats], low: Floats, high: Floats, *, points: int = 25, rounds: int = 7
) -> tuple[Floats, Floats]:
    """The smallest of `points` even arguments in [low, high] (M,), then again between its neighbours, `rounds` times.

    `objective` maps (M, points) to (M, points). Returns (argument, value), each (M,). The first round decides between
    several dips; each round narrows the interval (points - 1) / 2 times.
    """
    for _ in range(rounds):
        grid = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, points)
        value = objective(grid)
        best = np.argmin(value, axis=1)
        row = np.arange(len(best))
        low, high = grid[row, np.maximum(best - 1, 0)], grid[row, np.minimum(best + 1, points - 1)]
    return grid[row, best], value[row, best]
