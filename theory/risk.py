"""The student's risk against tau when the teacher is trusted only inside a radius: the inverted U (PROOFS.md 5).

The paper's third takeaway (section 4.2): too small a tau loses the bound, too large a one leaves the region where the
teacher is right. Here |g - f| <= teacher_epsilon for |x| <= trust_radius and at most 1 outside. On every training set
and for all students h at once: E_P|h - f| <= E_Phat|h - g| + bound, and the bound has three terms, each a function of
tau: distance (falls, then rises), teacher (rises), sample (what probability 1 - delta and a finite draw cost).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import xlog1py

from theory import chi2
from theory.bounds import mean_bound
from theory.errors import InputError, unknown_name
from theory.setting import (
    Floats,
    check_data_size,
    check_delta,
    check_dimension,
    check_tau,
    check_teacher_epsilon,
    check_trust_radius,
    flat,
)
from theory.solve import minimise, root

Outside = Literal["kl", "bernstein", "hoeffding"]


@dataclass(frozen=True, kw_only=True)
class RiskTerms:
    """The risk bound and its terms, all of the settings' common shape.

    `distance`: half the mean bound on L1. `teacher`: mean of |g - f| on the mixture at most. `sample`: the rest, what
    holding with probability 1 - delta costs, and m draws. They add up to `bound`, the smaller of `joint` and `split`.
    `outside`: the mean share of the mixture outside the trust radius.
    """

    distance: Floats
    teacher: Floats
    sample: Floats
    bound: Floats
    joint: Floats
    split: Floats
    outside: Floats


def outside_mass(tau: npt.ArrayLike, dimension: npt.ArrayLike, trust_radius: npt.ArrayLike) -> Floats:
    """Mean mixture mass outside the trust radius, P(|x|^2 > R^2/(1 + tau)); exact, increasing in tau."""
    radius, tau = check_trust_radius(trust_radius), check_tau(tau)
    return chi2.survival(radius**2 / (1 + tau), check_dimension(dimension))[()]


def outside_mass_bound(
    outside: npt.ArrayLike, data_size: npt.ArrayLike, delta: npt.ArrayLike, *, method: Outside = "kl"
) -> Floats:
    """What the mixture's mass outside the trust radius exceeds with probability at most delta, given its mean.

    It is a mean of n independent numbers in [0, 1]. `kl` (Chernoff) is the smallest and rounds up, by less than 1e-9
    relative; `bernstein` and `hoeffding` are closed forms. All at most 1.
    """
    mean = np.clip(np.asarray(outside, dtype=float), 0.0, 1.0)
    budget = -np.log(check_delta(delta)) / check_data_size(data_size)
    mean, budget = np.broadcast_arrays(mean, budget)
    if method == "kl":
        return _kl_inverse(mean.ravel(), budget.ravel()).reshape(mean.shape)[()]
    if method == "bernstein":
        excess = np.sqrt(2 * mean * (1 - mean) * budget) + (1 - mean) * budget / 3
    elif method == "hoeffding":
        excess = np.sqrt(budget / 2)
    else:
        raise unknown_name("method", method, ("kl", "bernstein", "hoeffding"))
    result: Floats = np.minimum(mean + excess, 1.0)[()]
    return result


def _kl_inverse(mean: Floats, budget: Floats) -> Floats:
    """The largest w with kl(w || mean) <= budget, rounded up."""
    mean = np.maximum(mean, 1e-300)
    budget = budget * (1 + 1e-9) + 1e-14 * (mean + budget)  # above the rounding errors of `excess`
    inside = (-np.log(mean) > budget) & (mean < 1)
    result = np.ones_like(mean)
    if np.any(inside):
        p = mean[inside]

        def excess(x: Floats, p: Floats, target: Floats) -> Floats:
            w = np.exp(x)
            return np.asarray(target - w * (x - np.log(p)) - xlog1py(1 - w, -w) + (1 - w) * np.log1p(-p))

        result[inside] = np.exp(root(excess, np.log(p), np.zeros_like(p), [p, budget[inside]]))
    return result


def risk_terms(
    tau: npt.ArrayLike,
    data_size: npt.ArrayLike,
    dimension: npt.ArrayLike,
    trust_radius: npt.ArrayLike,
    teacher_epsilon: npt.ArrayLike,
    delta: npt.ArrayLike,
    *,
    augmented_size: float | None = None,
    hypotheses: float = 1,
    rademacher: float = 0.0,
    outside: Outside = "kl",
) -> RiskTerms:
    """Upper bound on E_P|h - f| minus the student's own distance to the teacher, with probability >= 1 - delta.

    joint: McDiarmid on distance + teacher together. split: McDiarmid on the distance, `outside` (a method of
    `outside_mass_bound`) on the teacher, half of delta each. Online augmentation (`augmented_size` None): the distance
    is E_Phat|h - g|, for all h. With m = `augmented_size` draws from the mixture: the distance is the mean over the
    draws, half of delta pays sqrt(ln(2 hypotheses/delta)/(2 m)) for a class of `hypotheses` students (1: a student
    fixed beforehand), and 2 `rademacher`, the class's Rademacher complexity on the draws, for a trained one.
    """
    tau, n, d = check_tau(tau), check_data_size(data_size), check_dimension(dimension)
    epsilon, delta = check_teacher_epsilon(teacher_epsilon), check_delta(delta)
    draws = np.zeros(())
    if augmented_size is not None:
        if hypotheses < 1:
            raise InputError("hypotheses", hypotheses, "a number >= 1")
        delta = delta / 2
        log_union = np.log(hypotheses) - np.log(delta)
        draws = np.sqrt(log_union / (2 * check_data_size(augmented_size))) + 2 * rademacher
    distance = mean_bound(n, tau, d) / 2
    share = outside_mass(tau, d, trust_radius)
    teacher = epsilon + (1 - epsilon) * share
    joint = distance + teacher + np.sqrt(-2 * np.log(delta) / n) + draws
    tail = outside_mass_bound(share, n, delta / 2, method=outside)
    split = distance + np.sqrt(-2 * np.log(delta / 2) / n) / 2 + epsilon + (1 - epsilon) * tail + draws
    bound = np.minimum(joint, split)
    values = np.broadcast_arrays(distance, teacher, bound - distance - teacher, bound, joint, split, share)
    names = ("distance", "teacher", "sample", "bound", "joint", "split", "outside")
    return RiskTerms(**{name: value[()] for name, value in zip(names, values, strict=True)})


def mean_risk_bound(
    tau: npt.ArrayLike,
    data_size: npt.ArrayLike,
    dimension: npt.ArrayLike,
    trust_radius: npt.ArrayLike,
    teacher_epsilon: npt.ArrayLike,
) -> Floats:
    """J(tau) = mean_bound/2 + teacher_epsilon + (1 - teacher_epsilon) outside_mass: the mean over training sets."""
    epsilon = check_teacher_epsilon(teacher_epsilon)
    share = outside_mass(tau, dimension, trust_radius)
    result: Floats = mean_bound(data_size, tau, dimension) / 2 + epsilon + (1 - epsilon) * share
    return result


def best_tau(
    data_size: npt.ArrayLike,
    dimension: npt.ArrayLike,
    trust_radius: npt.ArrayLike = np.inf,
    teacher_epsilon: npt.ArrayLike = 0.0,
    delta: float | None = None,
    *,
    outside: Outside = "kl",
) -> Floats:
    """argmin over tau of the risk bound, to about 1e-6 relative; NaN ("vacuous") without an interior minimum below 1.

    Minimises `mean_risk_bound`, or with `delta` the bound of `risk_terms`. Never larger than at an infinite trust
    radius (proved), but not monotone in the radius: d = 5, n = 1000 gives .240, .228, .236 at R = 2.01, 2.46, 2.91.
    """
    shape, (n, d, radius, epsilon) = flat(
        check_data_size(data_size),
        check_dimension(dimension),
        check_trust_radius(trust_radius),
        check_teacher_epsilon(teacher_epsilon),
    )
    n, d, radius, epsilon = (values[:, None] for values in (n, d, radius, epsilon))

    def objective(x: Floats) -> Floats:
        tau = np.exp(x)
        if delta is None:
            return mean_risk_bound(tau, n, d, radius, epsilon)
        return risk_terms(tau, n, d, radius, epsilon, delta, outside=outside).bound

    silverman = (2 / (d + 4) * (np.log(4) - np.log(d + 2) - np.log(n)))[:, 0]
    grid = silverman[:, None] + np.linspace(-8, 8, 65)
    value = objective(grid)
    best = np.argmin(value, axis=1)
    row = np.arange(len(best))
    exists = (best > 0) & (best < grid.shape[1] - 1) & (value[row, best] < 1 - 1e-9)
    at = np.clip(best, 1, grid.shape[1] - 2)
    x, _ = minimise(objective, grid[row, at - 1], grid[row, at + 1], points=9, rounds=9)
    return np.where(exists, np.exp(x), np.nan).reshape(shape)[()]
