"""The theorem that does hold (PROOFS.md 1-3): the L1 distance between augmented mixture and data density.

P = N(0, I_d), P_hat = (1/n) sum N(X_i, tau I) properly normalised, q = E P_hat. For all n >= 1, tau > 0, d >= 1, with
probability >= 1 - delta: ||P_hat - P||_1 <= mean_bound + concentration. Every function takes arrays of settings,
broadcasts them, and gives scalars for scalars; unclipped sums may exceed 2, which any L1 distance stays below.
`kdshift theory bounds` prints these numbers; `theory.repaired` is the front door.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from theory import chi2, radial
from theory.lower_bounds import bias
from theory.setting import (
    Floats,
    check_data_size,
    check_delta,
    check_dimension,
    check_log_data_size,
    check_tau,
    flat,
)


def log_deviation(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """ln of `deviation`: d/4 ln(1 + 2/tau) - 1/2 ln n."""
    log_n = np.log(check_data_size(data_size))
    result: Floats = check_dimension(dimension) / 4 * np.log1p(2 / check_tau(tau)) - log_n / 2
    return result[()]


def deviation(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """Upper bound (1 + 2/tau)^(d/4) / sqrt(n) on E ||P_hat - q||_1 (PROOFS.md 2, simple version).

    inf beyond double precision; use `log_deviation` there.
    """
    with np.errstate(over="ignore"):
        result: Floats = np.exp(log_deviation(data_size, tau, dimension))
    return result


def deviation_exact_variance(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """Upper bound n^(-1/2) integral of sqrt(m_2 - q^2) on E ||P_hat - q||_1 (PROOFS.md 2), never above `deviation`.

    `deviation` times a chi-square mean of sqrt(1 - e^-L), L = ln m_2/q^2; quadrature to 1e-10 relative.
    """
    shape, (simple, tau, d) = flat(
        np.asarray(deviation(data_size, tau, dimension)), check_tau(tau), check_dimension(dimension)
    )
    share = np.array([_share(t, e) for t, e in zip(tau.tolist(), d.tolist(), strict=True)])
    result: Floats = (simple * share).reshape(shape)[()]
    return result


def _share(tau: float, dimension: float) -> float:
    low, high, count = radial.spans(dimension)
    origin = -dimension / 2 * float(radial.log_shrinkage(np.asarray(tau)))
    close: Floats = np.sqrt(origin * (1 + tau)) * 5.0 ** np.arange(12)
    edges = np.concatenate([np.linspace(low, high, count + 1), np.clip(close, low, high)])
    _, middle, half = radial.panels(edges[None, :])
    r = middle[:, None] + half[:, None] * radial.NODES
    value = np.sqrt(-np.expm1(-origin - r * r / (1 + tau))) * np.exp(radial.log_chi_density(r, dimension))
    return min(float((value @ radial.WEIGHTS) @ half), 1.0)


def deviation_clipped(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """Upper bound on E ||P_hat - q||_1, the integral of min(sqrt(m_2/n), 2q) closed form (PROOFS.md 2); at most 2."""
    log_n, tau = np.log(check_data_size(data_size)), check_tau(tau)
    log_n, tau, d = np.broadcast_arrays(log_n, tau, check_dimension(dimension))
    bracket = log_n + 2 * np.log(2) + d / 2 * radial.log_shrinkage(tau)
    cut = (1 + tau) * (2 + tau) * np.maximum(bracket, 0.0)
    log_inside = d / 4 * np.log1p(2 / tau) - log_n / 2 + chi2.log_cdf(cut / (2 + tau), d)
    result: Floats = np.exp(log_inside) + 2 * chi2.survival(cut / (1 + tau), d)
    return np.minimum(result, 2.0)[()]


def mean_bound_simple(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """Upper bound bias + deviation on E ||P_hat - P||_1 (Theorem R, simple version), unclipped."""
    result: Floats = bias(tau, dimension) + deviation(data_size, tau, dimension)
    return result


def mean_bound_clipped(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """Upper bound bias + deviation_clipped on E ||P_hat - P||_1: no quadrature, between Scarf and simple."""
    return bias(tau, dimension) + deviation_clipped(data_size, tau, dimension)


def mean_bound(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """Upper bound S(n, tau, d) on E ||P_hat - P||_1, sharp given mean, variance and sign (Scarf; PROOFS.md 2).

    Bias included; at most 2, at most `mean_bound_clipped` and `mean_bound_simple`. Quadrature to 1e-10 relative.
    """
    return mean_bound_log(np.log(check_data_size(data_size)), tau, dimension)


def mean_bound_log(log_data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """`mean_bound` from ln n, for data sizes beyond double precision."""
    log_n, tau, d = np.broadcast_arrays(check_log_data_size(log_data_size), check_tau(tau), check_dimension(dimension))
    return radial.scarf(log_n.ravel(), tau.ravel(), d.ravel()).reshape(tau.shape)[()]


def concentration(data_size: npt.ArrayLike, delta: npt.ArrayLike) -> Floats:
    """sqrt(2 ln(1/delta) / n): L1 exceeds its mean by more with probability at most delta (McDiarmid, PROOFS.md 3)."""
    result: Floats = np.sqrt(-2 * np.log(check_delta(delta)) / check_data_size(data_size))
    return result[()]


def l1_bound(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike, delta: npt.ArrayLike) -> Floats:
    """Theorem R: with probability >= 1 - delta, ||P_hat - P||_1 is at most mean_bound + concentration."""
    return mean_bound(data_size, tau, dimension) + concentration(data_size, delta)
