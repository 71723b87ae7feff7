"""Shifts that keep the population: kernels with P as stationary law, hence no bias (PROOFS.md 8).

The kernels of text replace instead of adding: x' = a x + sqrt(1 - a^2) z (`preserving`), a share of coordinates redrawn
from the marginal (`replacement`), the same from near neighbours (`neighbour_replacement`). For all of them
tau = E|x' - x|^2 / d, which ends at 2, where x' is an unrelated point of the population. An approximation error that
grows with tau (the bias of section 1) does not exist here: what is left is the deviation, which falls. Arguments are
scalars or arrays that broadcast against each other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit, gammaln, ndtr, ndtri

from theory import chi2, radial
from theory.errors import InputError
from theory.setting import Floats, check_data_size, check_dimension, flat

UNRELATED = 2.0  # E|x' - x|^2 / d of two independent points


def check_stationary_tau(value: npt.ArrayLike) -> Floats:
    """tau in [0, 2]: beyond, no kernel that keeps the population can move a point on average."""
    array = np.asarray(value, dtype=float)
    bad = ~((array >= 0) & (array <= UNRELATED))
    if np.any(bad):
        allowed = "a number in [0, 2]: this kernel keeps the population, and 2 is an unrelated point of it"
        raise InputError("tau", array[bad].flat[0].item(), allowed)
    return array


def preserving_correlation(tau: npt.ArrayLike) -> Floats:
    """a = 1 - tau/2 of x' = a x + sqrt(1 - a^2) z, so that E|x' - x|^2 = tau d; tau in [0, 2]."""
    result: Floats = 1 - check_stationary_tau(tau) / UNRELATED
    return result[()]


def equivalent_tau(tau: npt.ArrayLike) -> Floats:
    """The additive variance (1 - a^2)/a^2 whose mixture, shrunk by a, is the preserving one; inf at tau = 2."""
    a = preserving_correlation(tau)
    with np.errstate(divide="ignore"):
        result: Floats = np.asarray((1 - a) * (1 + a) / np.square(a))
    return result[()]


def deviation_sharp(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """Scarf's bound on E ||P_hat - q||_1 alone, additive kernel: sharp given mean, variance and sign (PROOFS.md 8).

    At most 2 and at most `deviation_exact_variance`; quadrature to about 1e-10 relative. tau may be inf: 0.
    """
    tau = np.asarray(tau, dtype=float)
    if np.any(~(tau > 0)):
        raise InputError("tau", tau[~(tau > 0)].flat[0].item(), "a variance > 0")
    shape, (n, t, d) = flat(check_data_size(data_size), tau, check_dimension(dimension))
    cells = zip(n.tolist(), t.tolist(), d.tolist(), strict=True)
    return np.array([0.0 if np.isinf(c) else _sharp(a, c, b) for a, c, b in cells]).reshape(shape)[()]


def _sharp(data_size: float, tau: float, dimension: float) -> float:
    """E over r = |x|/sqrt(1 + tau) of sqrt(w) where w <= 1, else 2w/(1 + w), w the variance of P_hat over q^2."""
    origin = -dimension / 2 * float(radial.log_shrinkage(np.asarray(tau)))
    low, high = max(0.0, np.sqrt(dimension) - 6.6), np.sqrt(2 * dimension) + 11.0
    turn = np.sqrt(max((2 + tau) * (np.log1p(data_size) - origin), 0.0))
    close = np.sqrt(origin * (2 + tau)) * 5.0 ** np.arange(12)  # where sqrt(w) bends near r = 0
    even = np.linspace(low, high, int(np.ceil(2.0 * (high - low))) + 1)
    _, middle, half = radial.panels(np.clip(np.concatenate([even, [turn], close]), low, high)[None, :])
    r = middle[:, None] + half[:, None] * radial.NODES
    excess = origin + r * r / (2 + tau)
    log_w = excess + np.log(-np.expm1(-excess)) - np.log(data_size)
    ratio = np.where(log_w <= 0, np.exp(np.minimum(log_w, 0.0) / 2), 2 * expit(log_w))
    value = ratio * np.exp(radial.log_chi_density(r, dimension))
    return min(float((value @ radial.WEIGHTS) @ half), 2.0)


def mean_bound_preserving(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """Upper bound on E ||P_hat - P||_1 for the preserving kernel: bias 0, deviation at `equivalent_tau`; tau in (0, 2].

    Decreasing in tau, 0 at tau = 2. The teacher's mean error on the mixture is its error on the population whatever
    tau, so no tau is too large for this kernel (PROOFS.md 8).
    """
    return deviation_sharp(data_size, equivalent_tau(tau), dimension)


def kept_probability(order: npt.ArrayLike, degree: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """Probability that `order` named coordinates all stay when a share `degree` of d is redrawn: an eigenvalue.

    Exactly floor(degree d) coordinates or one more change, as in text; about (1 - degree)^order for large d.
    """
    k, d = np.asarray(order, dtype=float), check_dimension(dimension)
    r = np.asarray(degree, dtype=float)
    if np.any(~((r >= 0) & (r <= 1))):
        raise InputError("degree", r.tolist(), "numbers in [0, 1]")
    changed = np.floor(r * d)
    share = r * d - changed
    result: Floats = (1 - share) * _all_kept(k, changed, d) + share * _all_kept(k, np.minimum(changed + 1, d), d)
    return result[()]


def _all_kept(order: Floats, changed: Floats, d: Floats) -> Floats:
    """C(d - order, changed) / C(d, changed), 0 where too few are kept."""
    order, changed, d = np.broadcast_arrays(order, changed, d)
    fits = changed <= d - order
    rest = np.maximum(d - order, 0.0)
    spare = np.maximum(rest - changed, 0.0)
    log = gammaln(rest + 1) - gammaln(spare + 1) + gammaln(d - changed + 1) - gammaln(d + 1)
    return np.where(fits, np.exp(log), 0.0)


def chi_square_preserving(data_size: npt.ArrayLike, tau: npt.ArrayLike, dimension: npt.ArrayLike) -> Floats:
    """E chi^2(P_hat || P) = ((1 - a^2)^-d - 1)/n, exact; its root bounds the mean L1 distance. inf at tau = 0."""
    a = preserving_correlation(tau)
    with np.errstate(divide="ignore"):
        log = -check_dimension(dimension) * np.log((1 - a) * (1 + a))
    result: Floats = np.expm1(log) / check_data_size(data_size)
    return result[()]


def chi_square_replacement(data_size: float, degree: float, dimension: int, vocabulary: float) -> float:
    """E chi^2(P_hat || P) for d independent tokens of `vocabulary` values each, a share `degree` redrawn; exact.

    Sum over orders k >= 1 of C(d, k) (V - 1)^k kept_probability(k)^2, over n: the marginals do not matter. It is the
    squared L2(P) distance, so its root bounds the mean L1 distance. inf for a continuous coordinate (vocabulary inf)
    and a degree below 1: there a kept coordinate is an atom, and the L1 distance is 2 whatever n.
    """
    check_data_size(data_size)
    d = int(check_dimension(dimension))
    if vocabulary < 1:
        raise InputError("vocabulary", vocabulary, "a number >= 1")
    k = np.arange(1, d + 1)
    kept = np.asarray(kept_probability(k, degree, d))
    if not np.isfinite(vocabulary):
        return float("inf") if np.any(kept > 0) else 0.0
    if vocabulary == 1:
        return 0.0
    positive = kept > 0
    k, kept = k[positive], kept[positive]
    log_count = gammaln(d + 1) - gammaln(k + 1) - gammaln(d - k + 1)
    return float(np.exp(log_count + k * np.log(vocabulary - 1) + 2 * np.log(kept)).sum() / data_size)


def neighbour_correlation(width: float) -> float:
    """Correlation of a N(0, 1) coordinate with its neighbour: rank moved by at most `width` of the ranks, reflected.

    u = Phi(x) goes to u + width V, V uniform in [-1, 1], reflected at 0 and 1, which keeps N(0, 1). Width 1 is an
    independent draw (0), width towards 0 the point itself (1). The mean over V is in closed form, as -phi(Phi^-1(u)) is
    the integral of Phi^-1; the mean over u is a quadrature to about 1e-9.
    """
    if not 0 < width <= 1:
        raise InputError("neighbour_width", width, "a share of the ranks in (0, 1]")
    bends = ndtri(np.clip([width, 1 - width], 1e-16, 1 - 1e-16))
    edges = np.sort(np.concatenate([np.linspace(-9, 9, 181), bends]))
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    x = middle[:, None] + half[:, None] * chi2.NODES
    u = ndtr(x)
    inner = (_summed(u + width) - _summed(u - width)) / (2 * width)
    value = x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * inner
    return float(np.clip((value @ chi2.WEIGHTS) @ half, 0.0, 1.0))


def _summed(v: Floats) -> Floats:
    """Integral of the reflected quantile function from 0 to v, v in [-1, 2]."""
    inside = np.where(v < 0, -v, np.where(v > 1, v - 1, v))
    at = np.where(v > 1, 1 - inside, inside)
    density = np.exp(-(ndtri(np.clip(at, 0.0, 1.0)) ** 2) / 2) / np.sqrt(2 * np.pi)
    result: Floats = np.where((v < 0) | (v > 1), density, -density)
    return result


def degree_of_tau(tau: npt.ArrayLike, *, neighbour_width: float = 1.0) -> Floats:
    """Degree of a replacement kernel that moves by tau: tau / (2 (1 - correlation)); InputError beyond degree 1."""
    full = UNRELATED * (1 - neighbour_correlation(neighbour_width))
    array = np.asarray(tau, dtype=float)
    bad = ~((array >= 0) & (array <= full * (1 + 1e-9)))
    if np.any(bad):
        found, allowed = array[bad].flat[0].item(), f"a number in [0, {full:.4g}], which changes every coordinate"
        raise InputError("tau", found, allowed)
    result: Floats = np.minimum(array / full, 1.0)
    return result[()]


def dependence_divergence(correlation: float, changed: npt.ArrayLike, dimension: int) -> Floats:
    """KL(P || P with `changed` coordinates made independent), P = N(0, equal correlations), unit variances.

    (1/2)(ln det of the kept block - ln det of all): 0 for independent coordinates, the total correlation for
    changed = d. Correlations in [0, 1).
    """
    if not 0 <= correlation < 1:
        raise InputError("correlation", correlation, "a number in [0, 1)")
    d, kept = float(check_dimension(dimension)), float(dimension) - np.asarray(changed, dtype=float)
    result: Floats = np.asarray((_log_det(kept, correlation) - _log_det(np.asarray(d), correlation)) / 2)
    return np.maximum(result, 0.0)[()]


def _log_det(size: Floats, correlation: float) -> Floats:
    some = np.maximum(size, 1.0)
    return np.where(size > 0, (some - 1) * np.log1p(-correlation) + np.log1p((some - 1) * correlation), 0.0)


def dependence_bias_bound(correlation: float, degree: npt.ArrayLike, dimension: int) -> Floats:
    """Upper bound on ||E P_hat - P||_1 when a share `degree` of dependent coordinates is redrawn (PROOFS.md 8).

    The smaller of Pinsker's sqrt(2 KL) and Bretagnolle and Huber's 2 sqrt(1 - e^-KL) at each number of changed
    coordinates, averaged. Zero if and only if the coordinates are independent or nothing is changed.
    """
    d = float(check_dimension(dimension))
    r = np.asarray(degree, dtype=float)
    if np.any(~((r >= 0) & (r <= 1))):
        raise InputError("degree", r.tolist(), "numbers in [0, 1]")
    low = np.floor(r * d)
    share = r * d - low
    at_low, at_high = (_l1_of(dependence_divergence(correlation, c, dimension)) for c in (low, np.minimum(low + 1, d)))
    result: Floats = np.asarray((1 - share) * at_low + share * at_high)
    return result[()]


def _l1_of(divergence: Floats) -> Floats:
    result: Floats = np.minimum(np.sqrt(2 * divergence), 2 * np.sqrt(-np.expm1(-divergence)))
    return result
