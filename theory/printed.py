"""Theorem 1 exactly as printed (section 4.2 and appendix A), misprints and strict inequalities included.

`kdshift theory bounds` shows it beside the theorem that holds; `theory.audit` says where it fails. Everything that can
leave double precision is computed in logarithms: at d = 768 the printed limit of tau is about e^-6767. Arguments are
scalars or arrays that broadcast against each other; results have their common shape.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from theory.setting import (
    Floats,
    check_data_size,
    check_delta,
    check_dimension,
    check_epsilon,
    check_log_tau,
    check_tau,
)

LN2 = math.log(2)


def x_u(epsilon: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """x_u = 2 d ln(2 pi d) + 12 ln 2 - 4 ln epsilon (Theorem 1); the proof takes this bound on r^2 for a radius."""
    epsilon, d = check_epsilon(epsilon), check_dimension(dimension, least=2)
    result: Floats = 2 * d * np.log(2 * np.pi * d) + 12 * LN2 - 4 * np.log(epsilon)
    return result[()]


def ball_radius(epsilon: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """The "radius" of the ball with 1 - epsilon/4 of the mass (appendix A), 4 ln(8 (2 pi)^(d/2) ... ((d-2)/e)^(d/2-1)).

    The power ((d-2)/e)^(d/2-1) is 0^0 = 1 at d = 2.
    """
    epsilon, d = check_epsilon(epsilon), check_dimension(dimension, least=2)
    power = np.where(d > 2, (d / 2 - 1) * (np.log(np.maximum(d - 2, 1)) - 1), 0.0)
    result: Floats = 4 * (3 * LN2 + d / 2 * np.log(2 * np.pi) - np.log(epsilon) - gammaln(d / 2) + power)
    return result[()]


def log_tau_limit(epsilon: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """ln of the limit that tau has to stay below: 2^(d-3) epsilon / x_u^(d+2) (Theorem 1)."""
    d = check_dimension(dimension, least=2)
    result: Floats = (d - 3) * LN2 + np.log(check_epsilon(epsilon)) - (d + 2) * np.log(x_u(epsilon, d))
    return result[()]


def tau_limit(epsilon: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """The limit itself; 0 where it underflows (then decide with `log_tau_limit`)."""
    result: Floats = np.exp(log_tau_limit(epsilon, dimension))
    return result


def data_size_required(
    epsilon: npt.ArrayLike, delta: npt.ArrayLike, log_tau: npt.ArrayLike, dimension: npt.ArrayLike
) -> Floats:
    """The number that n has to exceed at variance e^log_tau: 16/epsilon^2 (... - d/2 ln tau) (Theorem 1), not rounded.

    Negative for a tau so large that every n satisfies the condition; inf where epsilon^2 underflows.
    """
    epsilon, delta = check_epsilon(epsilon), check_delta(delta)
    d, log_tau = check_dimension(dimension, least=2), check_log_tau(log_tau)
    bracket = _constant(epsilon, delta, d) - d / 2 * log_tau
    with np.errstate(over="ignore", divide="ignore"):
        result: Floats = bracket * (16 / epsilon**2)
    return result[()]


def _constant(epsilon: Floats, delta: Floats, d: Floats) -> Floats:
    """The bracket of the data-size condition without its last term -d/2 ln tau."""
    result: Floats = (
        (d**2 + 5 * d + 6) * LN2
        + (d**2 + d) * np.log(x_u(epsilon, d))
        + d * np.log(d)
        - d * np.log(epsilon)
        - d * np.log(delta)
    )
    return result


def tau_condition(epsilon: npt.ArrayLike, log_tau: npt.ArrayLike, dimension: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether tau < its printed limit, decided in logarithms."""
    holds: npt.NDArray[np.bool_] = np.asarray(check_log_tau(log_tau) < log_tau_limit(epsilon, dimension))
    return holds[()]


def data_size_condition(
    data_size: npt.ArrayLike,
    epsilon: npt.ArrayLike,
    delta: npt.ArrayLike,
    log_tau: npt.ArrayLike,
    dimension: npt.ArrayLike,
) -> npt.NDArray[np.bool_]:
    """Whether n > the printed requirement."""
    required = data_size_required(epsilon, delta, log_tau, dimension)
    holds: npt.NDArray[np.bool_] = np.asarray(check_data_size(data_size) > required)
    return holds[()]


def log_tau_interval(
    data_size: npt.ArrayLike, epsilon: npt.ArrayLike, delta: npt.ArrayLike, dimension: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """The open interval of ln tau that the printed conditions allow at this n: (lower, upper), NaN where it is empty.

    The upper end does not depend on n; the lower is 2 C/d - n epsilon^2/(8 d), C the bracket without its last term.
    """
    n, epsilon, delta = check_data_size(data_size), check_epsilon(epsilon), check_delta(delta)
    d = check_dimension(dimension, least=2)
    lower = 2 / d * (_constant(epsilon, delta, d) - n * epsilon**2 / 16)
    lower, upper = np.broadcast_arrays(lower, log_tau_limit(epsilon, d))
    empty = lower >= upper
    return np.where(empty, np.nan, lower)[()], np.where(empty, np.nan, upper)[()]


def data_size_smallest(epsilon: npt.ArrayLike, delta: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """The number that n has to exceed for any tau to be allowed: the requirement at the limit of tau."""
    return data_size_required(epsilon, delta, log_tau_limit(epsilon, dimension), dimension)


def log_total_mass(tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """ln of the integral of the printed P_aug over R^d: (d - 1)/2 ln tau, because its factor is tau^(-1/2)."""
    result: Floats = (check_dimension(dimension) - 1) / 2 * np.log(check_tau(tau))
    return result[()]
