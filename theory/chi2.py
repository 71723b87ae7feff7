"""The chi-square law with d degrees of freedom to full relative accuracy: |x|^2 of a standard Gaussian in R^d.

Section 4.2's Gaussian setting reduces every mass to it. Differences of distribution functions are never taken where
they cancel: small masses are Gauss-Legendre integrals of the density. Arguments are arrays that broadcast.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammainc, gammaincc, gammaln

from theory.setting import Floats

NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)


def cdf(s: Floats, dimension: Floats) -> Floats:
    """P(|x|^2 <= s)."""
    lower: Floats = gammainc(dimension / 2, s / 2)
    return lower


def survival(s: Floats, dimension: Floats) -> Floats:
    """P(|x|^2 > s)."""
    upper: Floats = gammaincc(dimension / 2, s / 2)
    return upper


def log_density(s: Floats, dimension: Floats) -> Floats:
    """Natural logarithm of the density of |x|^2 at s > 0."""
    half = dimension / 2
    result: Floats = (half - 1) * np.log(s) - s / 2 - half * np.log(2) - gammaln(half)
    return result


def log_cdf(s: Floats, dimension: Floats) -> Floats:
    """ln P(|x|^2 <= s), also where the probability underflows; -inf at s = 0."""
    s, dimension = np.broadcast_arrays(np.asarray(s, dtype=float), np.asarray(dimension, dtype=float))
    direct = cdf(s, dimension)
    with np.errstate(divide="ignore"):
        result: Floats = np.array(np.log(direct))
    tail = (direct < 1e-280) & (s > 0)
    if np.any(tail):
        half, x = dimension[tail] / 2, s[tail] / 2
        term, total = np.ones_like(x), np.ones_like(x)
        for k in range(1, 200):  # 1F1(1; a + 1; x): terms fall like (x / a)^k, and x < a / 2 in this tail
            term = term * x / (half + k)
            total = total + term
        result[tail] = half * np.log(x) - x - gammaln(half + 1) + np.log(total)
    return result


def mass_above(low: Floats, width: Floats, dimension: Floats) -> Floats:
    """P(low < |x|^2 <= low + width), to about 1e-13 relative however small the width."""
    low, width, dimension = np.broadcast_arrays(low, width, dimension)
    high = low + width
    below, above = cdf(high, dimension), survival(low, dimension)
    difference = np.array(np.where(low < dimension, below - cdf(low, dimension), above - survival(high, dimension)))
    thin = (difference < 0.1 * np.minimum(below, above)) & (width > 0)
    if np.any(thin):
        half = width[thin] / 2
        s = low[thin][:, None] + half[:, None] * (1 + NODES)
        density = np.exp(log_density(s, dimension[thin][:, None]))
        difference[thin] = half * (density @ WEIGHTS)
    return difference
