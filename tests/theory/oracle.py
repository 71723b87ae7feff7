"""The independent oracle: every number again in mpmath, from the definitions, at 40 digits and more.

It shares no code with the package: distribution functions are mpmath's incomplete gamma functions, integrals are
mpmath quadratures of the two-moment bound as it is defined, inverses are bracketed there.
"""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import numpy.typing as npt

DIGITS = 40


def number(value: float) -> mp.mpf:
    """The double `value`, exactly."""
    return mp.mpf(float(value))


def cdf(s: mp.mpf, d: int) -> mp.mpf:
    """P(chi^2_d <= s); through the upper tail where that is the smaller."""
    if s > d:
        return 1 - mp.gammainc(mp.mpf(d) / 2, s / 2, mp.inf, regularized=True)
    return mp.gammainc(mp.mpf(d) / 2, 0, s / 2, regularized=True)


def survival(s: mp.mpf, d: int) -> mp.mpf:
    """P(chi^2_d > s)."""
    return mp.gammainc(mp.mpf(d) / 2, s / 2, mp.inf, regularized=True)


def x_u(epsilon: float, d: int) -> mp.mpf:
    return 2 * d * mp.log(2 * mp.pi * d) + 12 * mp.log(2) - 4 * mp.log(number(epsilon))


def log_tau_limit(epsilon: float, d: int) -> mp.mpf:
    return mp.log(mp.mpf(2) ** (d - 3) * number(epsilon)) - (d + 2) * mp.log(x_u(epsilon, d))


def printed_data_size(epsilon: float, delta: float, log_tau: float, d: int) -> mp.mpf:
    e, x = number(epsilon), x_u(epsilon, d)
    bracket = mp.log(mp.mpf(2) ** (d * d + 5 * d + 6) * x ** (d * d + d) * mp.mpf(d) ** d)
    bracket -= d * mp.log(e * number(delta)) + mp.mpf(d) / 2 * number(log_tau)
    return 16 / e**2 * bracket


def ball(epsilon: float, d: int) -> mp.mpf:
    inside = 8 * (2 * mp.pi) ** (mp.mpf(d) / 2) / (number(epsilon) * mp.gamma(mp.mpf(d) / 2))
    power = mp.mpf(1) if d == 2 else (mp.mpf(d - 2) / mp.e) ** (mp.mpf(d) / 2 - 1)
    return 4 * mp.log(inside * power)


def bias_of_log(y: mp.mpf, d: int) -> mp.mpf:
    """2 [F(r^2) - F(r^2/(1+tau))], y = ln(1 + tau)."""
    tau = mp.expm1(y)
    square = d * (1 + tau) / tau * y
    return 2 * (cdf(square, d) - cdf(square / (1 + tau), d))


def bias(tau: float, d: int) -> mp.mpf:
    with mp.workdps(DIGITS + 30):
        return bias_of_log(mp.log1p(number(tau)), d)


def bias_slope(d: int) -> mp.mpf:
    half = mp.mpf(d) / 2
    return 2 * half**half * mp.exp(-half) / mp.gamma(half)


def lemma_l(n: float, tau: float, d: int) -> mp.mpf:
    with mp.workdps(DIGITS + 30):
        kappa = number(n) ** (mp.mpf(2) / d) * number(tau)
        return bias_of_log(-mp.log(kappa), d) if kappa < 1 else mp.mpf(0)


def deviation(n: float, tau: float, d: int) -> mp.mpf:
    return (1 + 2 / number(tau)) ** (mp.mpf(d) / 4) / mp.sqrt(number(n))


def concentration(n: float, delta: float) -> mp.mpf:
    return mp.sqrt(2 * mp.log(1 / number(delta)) / number(n))


def densities(s: mp.mpf, n: mp.mpf, tau: mp.mpf, d: int) -> tuple[mp.mpf, mp.mpf, mp.mpf]:
    """p, q and the variance v of the mixture's density at |x|^2 = s."""
    half = mp.mpf(d) / 2
    p = (2 * mp.pi) ** -half * mp.exp(-s / 2)
    q = (2 * mp.pi * (1 + tau)) ** -half * mp.exp(-s / (2 * (1 + tau)))
    second = (4 * mp.pi * tau) ** -half * (2 * mp.pi * (1 + tau / 2)) ** -half * mp.exp(-s / (2 + tau))
    return p, q, (second - q * q) / n


def scarf_pointwise(s: mp.mpf, n: mp.mpf, tau: mp.mpf, d: int) -> mp.mpf:
    p, q, v = densities(s, n, tau, d)
    if 2 * p * q >= q * q + v:
        return mp.sqrt(v + (q - p) ** 2)
    return p + q - 2 * p * q * q / (q * q + v)


def radial(function, n: float, tau: float, d: int, *, digits: int = 20) -> mp.mpf:
    """Integral over R^d of a radial function(s, n, tau, d), with panels that resolve p, q and the kinks."""
    with mp.workdps(digits):
        n_, tau_ = number(n), number(tau)
        area = 2 * mp.pi ** (mp.mpf(d) / 2) / mp.gamma(mp.mpf(d) / 2)
        kink = mp.sqrt(d * (1 + tau_) / tau_ * mp.log1p(tau_))
        marks = {mp.mpf(0), kink, *_switches(n_, tau_, d)}
        for scale in (mp.mpf(1), mp.sqrt(1 + tau_)):
            centre = mp.sqrt(d) * scale
            marks |= {centre + scale * mp.mpf(step) for step in (-9, -7, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7, 10)}
        marks |= {kink + sign * mp.mpf(4) ** -k for k in range(14) for sign in (-1, 1)}
        if d > 30:
            marks |= {mp.sqrt(d) + mp.mpf(k) / 6 for k in range(-40, 41)}
        points = sorted(mark for mark in marks if mark >= 0)
        return mp.quad(lambda r: area * r ** (d - 1) * function(r * r, n_, tau_, d), points, maxdegree=4)


def _switches(n: mp.mpf, tau: mp.mpf, d: int) -> list[mp.mpf]:
    """r where 2 p q = q^2 + v, by bisection of logarithms; none if it holds nowhere."""

    def gap(s: mp.mpf) -> mp.mpf:
        p, q, v = densities(s, n, tau, d)
        return mp.log(2 * p * q) - mp.log(q * q + v)

    if gap(mp.mpf(0)) <= 0:
        return []
    low, high = mp.mpf(0), mp.mpf(d)
    while gap(high) > 0 and high < 1e8:
        high *= 2
    for _ in range(70):
        middle = (low + high) / 2
        low, high = (middle, high) if gap(middle) > 0 else (low, middle)
    return [mp.sqrt(low)]


def scarf(n: float, tau: float, d: int) -> mp.mpf:
    return radial(scarf_pointwise, n, tau, d)


def deviation_exact_variance(n: float, tau: float, d: int) -> mp.mpf:
    """Integral of sqrt(v) (heavier tails than p and q: the panels reach sqrt(2 + tau))."""
    with mp.workdps(20):
        n_, tau_, scale = number(n), number(tau), mp.sqrt(2 + number(tau))
        area = 2 * mp.pi ** (mp.mpf(d) / 2) / mp.gamma(mp.mpf(d) / 2)
        points = sorted(
            {max(mp.mpf(0), mp.sqrt(d) * scale + scale * mp.mpf(k) / 2) for k in range(-20, 21)} | {mp.mpf(0)}
        )
        points = sorted({*points, *(scale * mp.mpf(4) ** -k for k in range(10))})
        return mp.quad(lambda r: area * r ** (d - 1) * mp.sqrt(densities(r * r, n_, tau_, d)[2]), points, maxdegree=4)


def deviation_clipped(n: float, tau: float, d: int) -> mp.mpf:
    """Integral of min(sqrt(m_2/n), 2q): both pieces Gaussian, split at their crossing."""
    n_, tau_, half = number(n), number(tau), mp.mpf(d) / 2
    bracket = mp.log(4 * n_) + half * mp.log(tau_ * (2 + tau_) / (1 + tau_) ** 2)
    cut = (1 + tau_) * (2 + tau_) * max(bracket, mp.mpf(0))
    inside = (1 + 2 / tau_) ** (half / 2) / mp.sqrt(n_) * cdf(cut / (2 + tau_), d)
    return inside + 2 * survival(cut / (1 + tau_), d)


def holder(n: float, tau: float, d: int) -> mp.mpf:
    """Integral of (E W^2)^(3/2) (E W^4)^(-1/2), W = P_hat - p."""

    def integrand(s: mp.mpf, n_: mp.mpf, tau_: mp.mpf, d_: int) -> mp.mpf:
        p, q, v = densities(s, n_, tau_, d_)
        half = mp.mpf(d_) / 2

        def moment(k: int) -> mp.mpf:
            height = (2 * mp.pi * tau_) ** (-half * (k - 1)) * mp.mpf(k) ** -half
            wide = 1 + tau_ / k
            return height * (2 * mp.pi * wide) ** -half * mp.exp(-s / (2 * wide))

        m2, m3, m4 = moment(2), moment(3), moment(4)
        mu2, mu3 = m2 - q * q, m3 - 3 * q * m2 + 2 * q**3
        mu4 = m4 - 4 * q * m3 + 6 * q * q * m2 - 3 * q**4
        b = q - p
        square = b * b + v
        quartic = b**4 + 6 * b * b * v + 4 * b * mu3 / n_**2 + (3 * (n_ - 1) * mu2**2 + mu4) / n_**3
        return square ** mp.mpf("1.5") / mp.sqrt(quartic)

    return radial(integrand, n, tau, d, digits=30)


def outside_mass(tau: float, d: int, radius: float) -> mp.mpf:
    return survival(number(radius) ** 2 / (1 + number(tau)), d)


def kl_inverse(mean: float, budget: float) -> mp.mpf:
    """The largest w with kl(w || mean) <= budget."""
    p, c = number(mean), number(budget)

    def kl(w: mp.mpf) -> mp.mpf:
        rest = (1 - w) * mp.log((1 - w) / (1 - p)) if w < 1 else mp.mpf(0)
        return w * mp.log(w / p) + rest

    low, high = p, mp.mpf(1)
    if kl(high) <= c:
        return high
    for _ in range(150):
        middle = (low + high) / 2
        low, high = (middle, high) if kl(middle) <= c else (low, middle)
    return low


def log_mise(n: float, tau: float, d: int) -> mp.mpf:
    with mp.workdps(80):
        t, half = number(tau), -mp.mpf(d) / 2
        spread = ((4 * mp.pi * t) ** half - (4 * mp.pi * (1 + t)) ** half) / number(n)
        return mp.log(spread + (4 * mp.pi * (1 + t)) ** half - 2 * (2 * mp.pi * (2 + t)) ** half + (4 * mp.pi) ** half)


def close(value: float, exact: mp.mpf, relative: float) -> bool:
    """Whether `value` is within `relative` of `exact` (inf stands for what exceeds double precision)."""
    if exact > mp.mpf(10) ** 308:
        return value == float("inf")
    if abs(exact) < mp.mpf(10) ** -300:
        return abs(value) < 1e-299
    return bool(abs(number(value) - exact) <= relative * abs(exact))


def log_printed_density(points: npt.ArrayLike, training: npt.ArrayLike, tau: float) -> npt.NDArray[np.float64]:
    """ln of the printed P_aug (section 4.2) at `points` (K, d), for training points (n, d); in double precision."""
    x, centres = np.atleast_2d(np.asarray(points, float)), np.atleast_2d(np.asarray(training, float))
    squares = np.sum((x[:, None, :] - centres[None, :, :]) ** 2, axis=-1)
    factor = -0.5 * (x.shape[1] * math.log(2 * math.pi) + math.log(tau))
    return np.logaddexp.reduce(-squares / (2 * tau), axis=1) - math.log(len(centres)) + factor
