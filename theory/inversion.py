"""How much data reaches an accuracy, and which tau do at a given amount of data (PROOFS.md 6).

Numbers of points are rounded up to whole ones, so the bound holds at what is returned; windows end inside. NaN where
nothing exists: no n helps once the bias alone reaches epsilon, no tau helps at too small an n. Arguments are scalars or
arrays that broadcast against each other; results have their common shape.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from theory import radial
from theory.best_tau import _tau_star
from theory.bounds import concentration
from theory.lower_bounds import bias, log_bias_inverse, log_data_size_necessary
from theory.setting import Floats, check_data_size, check_delta, check_dimension, check_epsilon, check_tau, flat
from theory.solve import minimise, root


def _log_ceiling(log_n: Floats) -> Floats:
    """ln of the next whole number >= 1; unchanged beyond 2^53, where floats are whole anyway."""
    small = log_n < 36
    whole = np.ceil(np.exp(np.where(small, log_n, 0.0)) * (1 - 1e-15))
    result: Floats = np.where(small, np.log(np.maximum(whole, 1.0)), log_n)
    return result


def _exponential(log_n: Floats) -> Floats:
    """e^log_n as a whole number where it is one; inf beyond double precision."""
    with np.errstate(over="ignore"):
        n = np.exp(log_n)
    return np.where(n < 2**52, np.round(n), n)[()]


def _raw_log_required_simple(epsilon: Floats, delta: Floats, tau: Floats, d: Floats) -> Floats:
    room = epsilon - bias(tau, d)
    numerator = np.logaddexp(d / 4 * np.log1p(2 / tau), 0.5 * np.log(-2 * np.log(delta)))
    result: Floats = 2 * (numerator - np.log(np.where(room > 0, room, np.nan)))
    return result


def log_data_size_required_simple(
    epsilon: npt.ArrayLike, delta: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike
) -> Floats:
    """ln of `data_size_required_simple`, for numbers beyond double precision."""
    epsilon, delta, tau = check_epsilon(epsilon), check_delta(delta), check_tau(tau)
    return _log_ceiling(_raw_log_required_simple(epsilon, delta, tau, check_dimension(dimension)))[()]


def data_size_required_simple(
    epsilon: npt.ArrayLike, delta: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike
) -> Floats:
    """Points enough for L1 <= epsilon with probability >= 1 - delta, in closed form; NaN if bias >= epsilon.

    The least whole n with bias + deviation + concentration <= epsilon: ceil of
    ((1 + 2/tau)^(d/4) + sqrt(2 ln(1/delta)))^2 / (epsilon - bias)^2.
    """
    return _exponential(log_data_size_required_simple(epsilon, delta, tau, dimension))


def log_data_size_required(
    epsilon: npt.ArrayLike, delta: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike
) -> Floats:
    """ln of `data_size_required`, for numbers beyond double precision."""
    shape, (epsilon, delta, tau, d) = flat(
        check_epsilon(epsilon), check_delta(delta), check_tau(tau), check_dimension(dimension)
    )
    high = _raw_log_required_simple(epsilon, delta, tau, d)
    low = np.minimum(np.maximum(log_data_size_necessary(epsilon, tau, d), 0.0), high)
    found = np.full(high.shape, np.nan)
    can = np.isfinite(high)
    if np.any(can):
        start, args = low[can], [epsilon[can], delta[can], tau[can], d[can]]
        least = root(_l1_excess, start, np.maximum(high[can], 0.0), args)
        found[can] = np.where(_l1_excess(start, *args) <= 0, start, least)
    return _log_ceiling(found).reshape(shape)[()]


def _l1_excess(log_n: Floats, epsilon: Floats, delta: Floats, tau: Floats, d: Floats) -> Floats:
    """Scarf's bound + concentration - epsilon."""
    log_spend = 0.5 * np.log(-2 * np.log(delta))
    return np.asarray(radial.scarf(log_n, tau, d) + np.exp(log_spend - log_n / 2) - epsilon)


def data_size_required(
    epsilon: npt.ArrayLike, delta: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike
) -> Floats:
    """Least whole n with Scarf's bound + concentration <= epsilon, at most `data_size_required_simple`; NaN if none.

    Exact up to 1e10 points, beyond to 1e-10 relative on the large side.
    """
    return _exponential(log_data_size_required(epsilon, delta, tau, dimension))


def data_size_smallest_simple(
    epsilon: npt.ArrayLike, delta: npt.ArrayLike, dimension: npt.ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """`data_size_required_simple` at its best tau: (n, ln n, tau). n is inf beyond double precision."""
    shape, (epsilon, delta, d) = flat(check_epsilon(epsilon), check_delta(delta), check_dimension(dimension))
    end = np.log(np.expm1(log_bias_inverse(epsilon, d)))

    def objective(x: Floats) -> Floats:
        raw = _raw_log_required_simple(epsilon[:, None], delta[:, None], np.exp(x), d[:, None])
        return np.where(np.isnan(raw), np.inf, raw)

    x, log_n = minimise(objective, end - 15, end, points=41)
    log_n = _log_ceiling(log_n).reshape(shape)[()]
    return _exponential(log_n), log_n, np.exp(x).reshape(shape)[()]


def data_size_smallest(epsilon: npt.ArrayLike, delta: npt.ArrayLike, dimension: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Least n at which some tau has Scarf's bound + concentration <= epsilon: (n, ln n).

    On the large side, by at most 1e-6 relative or one point.
    """
    shape, (epsilon, delta, d) = flat(check_epsilon(epsilon), check_delta(delta), check_dimension(dimension))

    def excess(log_n: Floats, epsilon: Floats, delta: Floats, d: Floats) -> Floats:
        spend = np.sqrt(-2 * np.log(delta) * np.exp(-log_n))
        return np.asarray(_tau_star(log_n, d)[1] + spend - epsilon)

    high = data_size_smallest_simple(epsilon, delta, d)[1]
    log_n = root(excess, np.zeros_like(high), high, [epsilon, delta, d], width=1e-9)
    log_n = _log_ceiling(log_n).reshape(shape)[()]
    return _exponential(log_n), log_n


def tau_window(
    data_size: npt.ArrayLike, epsilon: npt.ArrayLike, delta: npt.ArrayLike, dimension: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """(low, high): between them `l1_bound` <= epsilon at this n, NaN if nowhere; both ends satisfy it, to 1e-12.

    Takes Scarf's bound to fall up to its best tau and to rise beyond, as it did wherever tested.
    """
    shape, (n, epsilon, delta, d) = flat(
        check_data_size(data_size), check_epsilon(epsilon), check_delta(delta), check_dimension(dimension)
    )
    best, value = _tau_star(np.log(n), d)
    room = epsilon - concentration(n, delta)
    exists = value <= room
    low, high = np.full(n.shape, np.nan), np.full(n.shape, np.nan)
    if np.any(exists):
        m, e, target, centre = np.log(n[exists]), d[exists], room[exists], np.log(best[exists])
        y = log_bias_inverse(target, e)

        def excess(x: Floats, m: Floats, e: Floats, target: Floats) -> Floats:
            return radial.scarf(m, np.exp(x), e) - target

        low[exists] = np.exp(root(excess, -2 / e * m - y, centre, [m, e, target]))
        high[exists] = np.exp(root(excess, np.log(np.expm1(y)), centre, [m, e, target]))
    return low.reshape(shape)[()], high.reshape(shape)[()]
