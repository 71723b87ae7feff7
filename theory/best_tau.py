"""The best tau of each bound, and the exact mean integrated squared error beside them (PROOFS.md 7).

A best tau is NaN ("vacuous") where there is none: no interior minimum, or a bound that says nothing there. A boundary
value is never returned. Smaller n means larger best tau: proved for the simple bound, the paper's second takeaway.
Arguments are scalars or arrays that broadcast against each other; results have their common shape.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from theory import chi2, radial
from theory.bounds import mean_bound_simple
from theory.lower_bounds import log_bias_inverse, log_bias_slope
from theory.setting import Floats, check_data_size, check_dimension
from theory.solve import minimise, root

VACUOUS = 2 - 1e-9  # a bound on an L1 distance above this says nothing


def _log_stationary_data_size(x: Floats, d: Floats) -> Floats:
    """ln n at which tau = e^x is a stationary point of the simple bound: explicit (PROOFS.md 7)."""
    tau = np.exp(x)
    inner = d * np.log1p(tau) / tau
    log_slope = np.log(inner) + chi2.log_density(inner, d)
    root = np.log(d) + np.log1p(tau) + (d / 4 - 1) * np.log1p(2 / tau) - np.log(4) - 2 * x - log_slope
    result: Floats = 2 * root
    return result


def _log_stationary_excess(x: Floats, d: Floats, log_n: Floats) -> Floats:
    return _log_stationary_data_size(x, d) - log_n


@lru_cache(maxsize=4096)
def _interior(dimension: float) -> tuple[float, float]:
    """(x, ln n_0): where the explicit n(tau) is smallest, tau = e^x. It falls before and rises after.

    Up to d = 2 it falls for ever: n_0 = 0.
    """
    if dimension <= 2:
        return 30.0, -np.inf
    d = np.array([[dimension]])
    x, log_n = minimise(lambda grid: _log_stationary_data_size(grid, d), np.array([-8.0]), np.array([30.0]), points=77)
    return float(x[0]), float(log_n[0])


def log_data_size_interior(dimension: npt.ArrayLike) -> Floats:
    """ln n_0: at and below n_0 points the simple bound has no interior minimum in tau (0.14 points at d = 3)."""
    d = check_dimension(dimension)
    return np.array([_interior(one)[1] for one in d.ravel()]).reshape(d.shape)[()]


def tau_star_simple(data_size: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """argmin over tau of `mean_bound_simple`, to 1e-12 relative; NaN where it is vacuous.

    Vacuous: no interior minimum (n <= n_0, from d = 3 on), or a bound of 2 or more at the minimum.
    """
    n, d = np.broadcast_arrays(check_data_size(data_size), check_dimension(dimension))
    log_n = np.log(n)
    turn = np.array([_interior(one) for one in d.ravel()]).reshape((*d.shape, 2))
    exists = log_n > turn[..., 1]
    end = np.where(exists, turn[..., 0], np.nan)
    x = root(_log_stationary_excess, refused=np.full(n.shape, -300.0), accepted=end, args=[d, log_n])
    tau = np.exp(np.where(exists, x, 0.0))
    useful = exists & (mean_bound_simple(n, tau, d) < 2)
    return np.where(useful, tau, np.nan)[()]


def tau_star(data_size: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """argmin over tau of Scarf's `mean_bound`, to about 1e-6 relative; NaN where the bound stays within 1e-9 of 2.

    Searched where it must lie: at any better tau, Lemma L and the bias (both lower bounds of the bound) stay below the
    value at Silverman's tau. Scarf's bound tends to 2 at both ends, so the minimum is interior.
    """
    n, d = np.broadcast_arrays(check_data_size(data_size), check_dimension(dimension))
    found = _tau_star(np.log(n).ravel(), d.ravel())[0]
    return found.reshape(n.shape)[()]


def _tau_star(log_n: Floats, d: Floats) -> tuple[Floats, Floats]:
    """Best tau and Scarf's bound there, for one-dimensional arrays; NaN and 2 where vacuous."""
    start = np.exp(2 / (d + 4) * (np.log(4) - np.log(d + 2) - log_n))
    value = radial.scarf(log_n, start, d)
    says = value < VACUOUS
    best_tau, best_value = np.full(d.shape, np.nan), np.full(d.shape, 2.0)
    if np.any(says):
        m, e = log_n[says], d[says]
        y = log_bias_inverse(value[says], e)

        def objective(x: Floats) -> Floats:
            shape = [np.broadcast_to(values[:, None], x.shape).ravel() for values in (m, e)]
            return radial.scarf(shape[0], np.exp(x).ravel(), shape[1]).reshape(x.shape)

        x, best_value[says] = minimise(objective, -2 / e * m - y, np.log(np.expm1(y)), points=17, rounds=8)
        best_tau[says] = np.exp(x)
    return best_tau, best_value


def tau_star_asymptotic(data_size: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """[d 2^(d/4) / (4 c_d)]^(4/(d+4)) n^(-2/(d+4)), the small-tau form of `tau_star_simple`.

    An approximation: 5 % low at d = 2, n = 1e3; 10 % low at d = 5, n = 1e4; 27 % low at d = 10, n = 1e4.
    """
    log_n, d = np.log(check_data_size(data_size)), check_dimension(dimension)
    bracket = np.log(d) + d / 4 * np.log(2) - np.log(4) - log_bias_slope(d)
    result: Floats = np.exp(4 / (d + 4) * bracket - 2 / (d + 4) * log_n)
    return result[()]


def mean_bound_asymptotic(data_size: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """c_d tau (1 + 4/d) at the asymptotic best tau: approximates the simple bound there; it is not a bound."""
    d = check_dimension(dimension)
    result: Floats = np.exp(log_bias_slope(d)) * tau_star_asymptotic(data_size, d) * (1 + 4 / d)
    return result[()]


def log_mise(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """ln of the exact E of the integral of (P_hat - p)^2 (Marron and Wand 1992), without cancellation."""
    n, tau, d = np.broadcast_arrays(check_data_size(data_size), np.asarray(tau, float), check_dimension(dimension))
    log_u = -d / 2 * np.log1p(tau / 2)  # squared bias: (1 - u)^2 + u^2 (e^w - 1), both terms positive
    w = d / 2 * np.log1p(tau**2 / (4 * (1 + tau)))
    log_squared_bias = np.logaddexp(2 * np.log(-np.expm1(log_u)), 2 * log_u + w + np.log(-np.expm1(-w)))
    log_variance = -d / 2 * np.log(tau) + np.log(-np.expm1(-d / 2 * np.log1p(1 / tau))) - np.log(n)
    result: Floats = -d / 2 * np.log(4 * np.pi) + np.logaddexp(log_squared_bias, log_variance)
    return result[()]


def tau_star_mise(data_size: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """argmin over tau of the exact mean integrated squared error, to about 1e-6 relative."""
    n, d = np.broadcast_arrays(check_data_size(data_size), check_dimension(dimension))
    start = np.log(tau_silverman(n, d)).ravel()
    flat_n, flat_d = n.ravel()[:, None], d.ravel()[:, None]
    x, _ = minimise(lambda x: log_mise(flat_n, np.exp(x), flat_d), start - 8, start + 12, points=41)
    return np.exp(x).reshape(n.shape)[()]


def tau_silverman(data_size: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """(4 / ((d + 2) n))^(2/(d+4)), Silverman's rule: the asymptotic best tau of the squared error."""
    n, d = check_data_size(data_size), check_dimension(dimension)
    result: Floats = np.exp(2 / (d + 4) * (np.log(4) - np.log(d + 2) - np.log(n)))
    return result[()]
