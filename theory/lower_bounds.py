"""Lower bounds on the L1 distance between the augmented mixture and the data density (PROOFS.md 4).

They certify how sharp the upper bounds are and refute the printed theorem. Each is a true lower bound up to its stated
rounding; `l1_lower_bound` holds for every training set, the others for the mean over training sets.
Arguments are scalars or arrays that broadcast against each other; results have their common shape.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from theory import chi2, radial
from theory.setting import Floats, check_data_size, check_dimension, check_epsilon, check_log_data_size, check_tau


def bias_of_log(y: Floats, dimension: Floats) -> Floats:
    """The exact bias at 1 + tau = e^y, y > 0: 2 P(d y/(e^y - 1) < |x|^2 <= d y/(1 - e^-y))."""
    inner = dimension * y * np.exp(-y) / -np.expm1(-y)
    result: Floats = 2 * chi2.mass_above(inner, dimension * y, dimension)
    return result


def bias(tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """||q - p||_1 for q = E P_hat = N(0, (1 + tau) I): the exact bias, in [0, 2], to 1e-12 relative (PROOFS.md 1).

    It is also a lower bound on the mean L1 distance (Jensen). Increasing and concave in tau; 1/2 at tau = 1, d = 2.
    """
    y, d = np.broadcast_arrays(np.log1p(check_tau(tau)), check_dimension(dimension))
    return bias_of_log(y, d)[()]


def log_bias_inverse(epsilon: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """ln(1 + t) for the variance t whose bias is epsilon in (0, 2), to 1e-12 relative.

    The bias is concave in ln(1 + t), so Newton's steps from below (epsilon / c_d) are monotone.
    """
    epsilon, d = np.broadcast_arrays(check_epsilon(epsilon), check_dimension(dimension))
    pairs, back = np.unique(np.stack([epsilon.ravel(), d.ravel()]), axis=1, return_inverse=True)
    target, d_flat = pairs
    y = target / np.exp(log_bias_slope(d_flat))
    for _ in range(100):
        inner = d_flat * y / np.expm1(y)
        slope = 2 * np.exp(np.log(inner) + chi2.log_density(inner, d_flat))
        step = (target - bias_of_log(y, d_flat)) / slope
        y = y + step
        if np.all(np.abs(step) <= 1e-15 * y):
            break
    found: Floats = y[back].reshape(epsilon.shape)[()]
    return found


def log_bias_slope(dimension: npt.ArrayLike) -> Floats:
    """ln c_d, c_d = 2 (d/2)^(d/2) e^(-d/2) / Gamma(d/2), the bias's slope at tau = 0 (bias <= c_d ln(1 + tau))."""
    d = check_dimension(dimension)
    result: Floats = np.log(2) + np.log(d) + chi2.log_density(d, d)
    return result[()]


def l1_lower_bound_log(log_data_size: npt.ArrayLike, log_tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """Lemma L in logarithms: for every training set, ||P_hat - P||_1 >= bias(1/kappa - 1), kappa = n^(2/d) tau < 1.

    Zero where kappa >= 1 and the lemma is silent.
    """
    log_n, d = check_log_data_size(log_data_size), check_dimension(dimension)
    y, d = np.broadcast_arrays(-(2 / d * log_n + np.asarray(log_tau, float)), d)
    speaks = y > 0
    return np.where(speaks, bias_of_log(np.where(speaks, y, 1.0), d), 0.0)[()]


def l1_lower_bound(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """Lemma L: what ||P_hat - P||_1 is at least, for every training set of n points (PROOFS.md 4); 0 where silent."""
    return l1_lower_bound_log(np.log(check_data_size(data_size)), np.log(check_tau(tau)), dimension)


def mean_lower_bound(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """The largest of the three lower bounds on E ||P_hat - P||_1: Lemma L, the bias, Hölder (PROOFS.md 4 a-c)."""
    found = np.maximum(l1_lower_bound(data_size, tau, dimension), bias(tau, dimension))
    return np.maximum(found, holder_lower_bound(data_size, tau, dimension))[()]


def floor_over_tau(data_size: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """What E ||P_hat - P||_1 is at least whatever tau: bias at tau (1 + tau) = n^(-2/d) (PROOFS.md 4 d).

    The bias increases in tau and Lemma L decreases; they meet there.
    """
    d = check_dimension(dimension)
    return floor_over_tau_log(np.log(check_data_size(data_size)), d)


def floor_over_tau_log(log_data_size: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """`floor_over_tau` from ln n."""
    d = check_dimension(dimension)
    target = np.exp(-2 / d * check_log_data_size(log_data_size))
    meeting = 2 * target / (1 + np.sqrt(1 + 4 * target))
    return bias(meeting, d)


def log_data_size_necessary(epsilon: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """ln of what n has to exceed for any training set to reach L1 < epsilon: ((1 + t) tau)^(-d/2), bias(t) = epsilon.

    Negative (below one point) where Lemma L requires nothing. Relative accuracy of n: d * 1e-12.
    """
    d = check_dimension(dimension)
    result: Floats = -d / 2 * (log_bias_inverse(epsilon, d) + np.log(check_tau(tau)))
    return result[()]


def data_size_necessary(epsilon: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """What n has to exceed for any training set to reach L1 < epsilon; inf beyond double precision (use the log)."""
    with np.errstate(over="ignore"):
        result: Floats = np.exp(log_data_size_necessary(epsilon, tau, dimension))
    return result


def log_data_size_necessary_any_tau(epsilon: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """ln of what n has to exceed for any tau to have mean L1 < epsilon: `floor_over_tau` inverted.

    -d/2 ln(t (1 + t)) with bias(t) = epsilon; negative where nothing is required.
    """
    d = check_dimension(dimension)
    y = log_bias_inverse(epsilon, d)
    result: Floats = -d / 2 * (y + np.log(np.expm1(y)))
    return result[()]


def holder_lower_bound(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """E ||P_hat - P||_1 >= integral of (E W^2)^(3/2) (E W^4)^(-1/2), W = P_hat(x) - p(x) (PROOFS.md 4 c).

    Radial quadrature, 1e-8 relative; leaving out far tails keeps it a lower bound.
    """
    n, tau, d = np.broadcast_arrays(check_data_size(data_size), check_tau(tau), check_dimension(dimension))
    flat = [np.ravel(values) for values in (np.log(n), tau, d)]
    result = np.array([_holder(*one) for one in zip(*flat, strict=True)])
    return result.reshape(n.shape)[()]


def _holder(log_n: float, tau: float, dimension: float) -> float:
    """Hölder's bound at one setting: the integral over |x| of `_log_holder_density` times the chi density.

    By Hölder with exponents 3/2 and 3, E W^2 = E |W|^(2/3) |W|^(4/3) <= (E |W|)^(2/3) (E W^4)^(1/3), so at each x
    E |W| >= (E W^2)^(3/2) (E W^4)^(-1/2); the integral of E |W| over x is the mean L1 distance.
    """
    d, t = np.asarray(dimension), np.asarray(tau)
    r, half = _radii(tau, dimension)
    log_value = _log_holder_density(r * r, log_n, t, d) + radial.log_chi_density(r, dimension)
    value = np.exp(log_value)
    return min(float((value @ radial.WEIGHTS) @ half), 2.0)


def _radii(tau: float, dimension: float) -> tuple[Floats, Floats]:
    """Nodes of the panels in |x|, (K, nodes), and the panels' half widths, (K,): wide for q, closing in on q = p."""
    low, high, count = radial.spans(dimension)
    wide = high * np.sqrt(1 + tau)
    kink = float(np.sqrt(radial.crossing(np.asarray(tau), np.asarray(dimension))))
    close = np.concatenate([kink - 5.0 ** np.arange(-10, 3), kink + 5.0 ** np.arange(-10, 3), [kink]])
    even = [np.linspace(low, end, count + 1) for end in (high, wide)]
    _, middle, half = radial.panels(np.concatenate([*even, np.clip(close, low, wide)])[None, :])
    return middle[:, None] + half[:, None] * radial.NODES, half


def _log_holder_density(s: Floats, log_n: float, tau: Floats, d: Floats) -> Floats:
    """ln of (E W^2)^(3/2) (E W^4)^(-1/2) / p at |x|^2 = s, for W = Z - p and Z the mean of n draws of phi_tau(x - X).

    W = g + M with g = q - p and M the mean of n centred draws, whose central moments are mu_2, mu_3, mu_4. Then
        E W^2 = g^2 + mu_2/n,
        E W^4 = g^4 + 6 g^2 mu_2/n + 4 g mu_3/n^2 + (3 (n - 1) mu_2^2 + mu_4)/n^3,
        mu_2 = m_2 - q^2,  mu_3 = m_3 - 3 m_2 q + 2 q^3,  mu_4 = m_4 - 4 m_3 q + 6 m_2 q^2 - 3 q^4.
    Everything is divided by powers of q, and of the size of W/q (e^two in E W^2, e^four in E W^4), so that nothing
    overflows: the result is 3/2 ln(E W^2/(q e^two)^2) - 1/2 ln(E W^4/(q e^four)^4) + 3 two - 2 four + ln(q/p).
    """
    log_q = radial.log_ratio(s, tau, d)
    one, second, third, fourth = np.zeros_like(s), *(_log_moment(k, s, tau, d) for k in (2, 3, 4))
    two = np.maximum((second - log_n) / 2, np.maximum(-log_q, 0.0))
    four = np.maximum(two, (fourth - 3 * log_n) / 4)
    square = _gap(log_q, two) ** 2 + _scaled(((second, 1), (one, -1)), log_n + 2 * two)
    gap = _gap(log_q, four)
    mu2 = _scaled(((second, 1), (one, -1)), log_n + 2 * four)  # mu_2/n
    mu3 = _scaled(((third, 1), (second, -3), (one, 2)), 2 * log_n + 3 * four)  # mu_3/n^2
    mu4 = _scaled(((fourth, 1), (third, -4), (second, 6), (one, -3)), 3 * log_n + 4 * four)  # mu_4/n^3
    quartic = gap**4 + 6 * gap**2 * mu2 + 4 * gap * mu3 + 3 * (1 - np.exp(-log_n)) * mu2**2 + mu4
    result: Floats = 1.5 * np.log(square) - 0.5 * np.log(quartic) + 3 * two - 2 * four + log_q
    return result


def _log_moment(k: int, s: Floats, tau: Floats, dimension: Floats) -> Floats:
    """ln m_k/q^k at |x|^2 = s, m_k = E phi_tau(x - X)^k (PROOFS.md 2)."""
    prefactor = -(k - 1) * np.log(tau) - np.log(k) - np.log1p(tau / k) + k * np.log1p(tau)
    result: Floats = dimension / 2 * prefactor + s / 2 * (k / (1 + tau) - 1 / (1 + tau / k))
    return result


def _gap(log_q: Floats, offset: Floats) -> Floats:
    """(1 - p/q) e^-offset, offset >= -ln(q/p)."""
    near = np.abs(log_q) < 1
    close = -np.expm1(-np.where(near, log_q, 0.0)) * np.exp(-offset)
    result: Floats = np.where(near, close, np.exp(-offset) - np.exp(-log_q - offset))
    return result


def _scaled(terms: tuple[tuple[Floats, int], ...], offset: Floats) -> Floats:
    """Sum of coefficient * e^(log - offset) over (log, coefficient)."""
    total = np.zeros_like(offset)
    for log, coefficient in terms:
        total = total + coefficient * np.exp(log - offset)
    return total
