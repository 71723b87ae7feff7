"""Radial quadrature of the sharp two-moment (Scarf) bound on the mean L1 distance of the augmented mixture.

Everything radial is an integral against the chi law of r = |x|; this room lays out Gauss-Legendre panels that resolve
what the integrand does (the switch of its two branches, the near-kink where q crosses p, transitions of width 1/r) and
sums them. Arrays broadcast against each other.
Relative accuracy 1e-10 for d from 1 to 1,000, tau from 1e-12 to 1e3; checked against mpmath.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit, gammaln

from theory import chi2
from theory.setting import Floats

NODES, WEIGHTS = chi2.NODES, chi2.WEIGHTS
CHUNK = 300_000  # nodes evaluated at once; keeps the temporaries in the cache


def log_ratio(s: Floats, tau: Floats, dimension: Floats) -> Floats:
    """ln q/p at |x|^2 = s, where p = N(0, I) and q = N(0, (1 + tau) I)."""
    result: Floats = s * tau / (2 * (1 + tau)) - dimension / 2 * np.log1p(tau)
    return result


def log_moment_excess(s: Floats, tau: Floats, dimension: Floats) -> Floats:
    """ln m_2/q^2 > 0 at |x|^2 = s, m_2 the second moment of one kernel (variance of the mixture is (m_2 - q^2)/n)."""
    result: Floats = s / ((1 + tau) * (2 + tau)) - dimension / 2 * log_shrinkage(tau)
    return result


def log_shrinkage(tau: Floats) -> Floats:
    """ln(tau (2 + tau) / (1 + tau)^2), without cancellation at either end."""
    small = np.log(tau) + np.log(2 + tau) - 2 * np.log1p(tau)
    result: Floats = np.where(tau < 1, small, np.log1p(-((1 + np.maximum(tau, 1)) ** -2.0)))
    return result


def log_relative_variance(s: Floats, log_n: Floats, tau: Floats, dimension: Floats) -> Floats:
    """ln v/q^2 at |x|^2 = s, v the variance of the mixture's density over training sets."""
    excess = log_moment_excess(s, tau, dimension)
    result: Floats = excess + np.log(-np.expm1(-excess)) - log_n
    return result


def crossing(tau: Floats, dimension: Floats) -> Floats:
    """|x|^2 where q = p: r^2 = d (1 + tau) / tau ln(1 + tau)."""
    result: Floats = dimension * (1 + tau) * (np.log1p(tau) / tau)
    return result


def switch(log_n: Floats, tau: Floats, dimension: Floats) -> Floats:
    """|x|^2 where Scarf's bound changes branch (2p/q = 1 + v/q^2), 0 if the second branch holds everywhere.

    ln(2p/q) - ln(1 + v/q^2) is concave and decreasing, so Newton's steps from the right are monotone.
    """
    pull, push = tau / (2 * (1 + tau)), 1 / ((1 + tau) * (2 + tau))
    origin = np.log(2) + dimension / 2 * np.log1p(tau)
    log_excess = log_moment_excess(np.zeros_like(tau), tau, dimension) - log_n
    with np.errstate(divide="ignore"):
        floor = np.log1p(-np.exp(-log_n))  # ln(1 - 1/n), -inf for a single point
    s: Floats = np.minimum((origin - floor) / pull, (origin - log_excess) / (pull + push))
    s = np.maximum(s, 0.0)
    for _ in range(60):
        steep = log_excess + push * s
        total = np.logaddexp(floor, steep)
        gap = origin - pull * s - total
        step: Floats = np.maximum(s + gap / (pull + push * np.exp(steep - total)), 0.0)
        if np.all(np.abs(step - s) <= 1e-14 * (1 + s)):
            return step
        s = step
    return s


def spans(dimension: float) -> tuple[float, float, int]:
    """Range of r that holds all but 1e-16 of a standard Gaussian, and the number of even panels it needs."""
    root = np.sqrt(dimension)
    low, high = max(0.0, root - 6.6), root + 8.0
    return low, high, int(np.ceil((high - low) / min(1.0, 2.6 * np.pi / high)))


def panels(edges: Floats) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
    """Sorted edges (M, K) as the non-empty panels between them: setting index, midpoint, half-length, each (T,)."""
    edges = np.sort(edges, axis=1)
    row, at = np.nonzero(edges[:, 1:] > edges[:, :-1])
    left, right = edges[row, at], edges[row, at + 1]
    return row, (left + right) / 2, (right - left) / 2


def log_chi_density(r: Floats, dimension: float) -> Floats:
    """Logarithm of the density of r = |x|."""
    half = dimension / 2
    result: Floats = (dimension - 1) * np.log(r) - r * r / 2 + (1 - half) * np.log(2) - gammaln(half)
    return result


def scarf(log_n: Floats, tau: Floats, dimension: Floats) -> Floats:
    """Scarf's bound S(n, tau, d) for one-dimensional arrays of equal length (PROOFS.md 2); see `mean_bound`."""
    result = np.empty_like(tau)
    for d in np.unique(dimension):
        _, _, count = spans(d)
        size = max(1, CHUNK // ((count + 14) * NODES.size))
        members = np.flatnonzero(dimension == d)
        for start in range(0, members.size, size):
            chunk = members[start : start + size]
            result[chunk] = _scarf(log_n[chunk], tau[chunk], float(d))
    return result


def _scarf(log_n: Floats, tau: Floats, dimension: float) -> Floats:
    d = np.full_like(tau, dimension)
    turn = switch(log_n, tau, d)
    row, middle, half = panels(_edges(log_n, tau, dimension, turn))
    first = middle * middle < turn[row]
    total = np.maximum(chi2.mass_above(turn / (1 + tau), turn * tau / (1 + tau), d), 0.0)
    for branch, integrand in ((first, _first_branch), (~first, _second_branch)):
        at = row[branch]
        r = middle[branch, None] + half[branch, None] * NODES
        value = integrand(r * r, log_n[at, None], tau[at, None], dimension) * np.exp(log_chi_density(r, dimension))
        total += np.bincount(at, (value @ WEIGHTS) * half[branch], minlength=tau.size)
    return np.minimum(total, 2.0)


def _edges(log_n: Floats, tau: Floats, dimension: float, turn: Floats) -> Floats:
    """Panel edges in r (M, K): even ones, the switch, and edges that close in geometrically on the near-kink at q = p.

    The kink is a square root with branch points at a distance `width` from the real axis.
    """
    low, high, count = spans(dimension)
    d = np.full_like(tau, dimension)
    square = crossing(tau, d)
    kink = np.sqrt(square)
    spread = np.exp(np.minimum(log_relative_variance(square, log_n, tau, d) / 2, 0.0))
    width = np.clip(spread * (1 + tau) / (tau * kink), 1e-7, 1.0)
    depth = max(1, int(np.ceil(np.log((high - low) / count / width.min()) / np.log(5))))
    steps = 2 * width[:, None] * 5.0 ** np.arange(depth)
    even = np.broadcast_to(np.linspace(low, high, count + 1), (tau.size, count + 1))
    special = np.hstack([kink[:, None], np.sqrt(turn)[:, None], kink[:, None] - steps, kink[:, None] + steps])
    return np.hstack([even, np.clip(special, low, high)])


def _first_branch(s: Floats, log_n: Floats, tau: Floats, dimension: float) -> Floats:
    """sqrt(v + (q - p)^2) / p, Cauchy-Schwarz."""
    d = np.asarray(dimension)
    ratio = log_ratio(s, tau, d)
    variance = log_relative_variance(s, log_n, tau, d)
    result: Floats = np.sqrt(np.exp(2 * ratio + variance) + np.expm1(ratio) ** 2)
    return result


def _second_branch(s: Floats, log_n: Floats, tau: Floats, dimension: float) -> Floats:
    """(p + q - 2 p q^2/(q^2 + v) - (q - p)) / p = 2 v/(q^2 + v); the integral of q - p is a chi-square mass."""
    result: Floats = 2 * expit(log_relative_variance(s, log_n, tau, np.asarray(dimension)))
    return result
