"""Steps about the ball that holds most of the mass: its radius, x_u, and the points and mass outside."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theory import chi2, formula, printed
from theory.audit.measure import sample_mixture
from theory.audit.step import AuditEvidence, AuditPoint, ProofStep, evidence


def true_square(ground: AuditPoint) -> float:
    """The squared radius outside which a standard Gaussian has mass epsilon/4."""
    from scipy.special import gammainccinv

    return float(2 * gammainccinv(ground.dimension / 2, ground.epsilon / 4))


def _outside(square: float, dimension: int) -> float:
    return float(chi2.survival(np.asarray(square), np.asarray(float(dimension))))


def _ball_radius_exact(ground: AuditPoint) -> list[AuditEvidence]:
    radius = float(printed.ball_radius(ground.epsilon, ground.dimension))
    outside = _outside(radius**2, ground.dimension)
    return evidence(
        "numeric",
        "the ball of the printed radius has mass 1 - epsilon/4",
        abs(outside / (ground.epsilon / 4) - 1) < 1e-6,
        {
            "printed_radius": radius,
            "true_radius": math.sqrt(true_square(ground)),
            "mass_outside": outside,
            "epsilon/4": ground.epsilon / 4,
        },
    )


def _ball_radius_squared(ground: AuditPoint) -> list[AuditEvidence]:
    square = float(printed.ball_radius(ground.epsilon, ground.dimension))
    outside = _outside(square, ground.dimension)
    return evidence(
        "numeric",
        "read as a squared radius it leaves at most epsilon/4 outside",
        outside <= ground.epsilon / 4,
        {"squared_radius": square, "true_squared_radius": true_square(ground), "mass_outside": outside},
    )


def _x_u_bounds_ball(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    gap = formula.expression("printed.x_u") - formula.expression("printed.ball")
    low, high = interval(gap.subs({v.d: ground.dimension, v.epsilon: v.sp.Rational(str(ground.epsilon))}))
    return evidence(
        "certified", "x_u - ball formula > 0, in interval arithmetic", low > 0, {"at_least": low, "at_most": high}
    )


def interval(expression: Any) -> tuple[float, float]:
    """Bounds of a constant SymPy expression of sums, products, powers, logarithms, pi and e, by mpmath intervals."""
    from mpmath import iv
    from sympy import Add, E, Mul, Pow, Rational, exp, log, pi

    iv.dps = 40

    def enclose(node: Any) -> Any:
        if node in (pi, E):
            return iv.pi if node == pi else iv.e
        if isinstance(node, Rational):
            return iv.mpf(int(node.p)) / iv.mpf(int(node.q))
        parts = [enclose(part) for part in node.args]
        if isinstance(node, Add):
            return sum(parts[1:], parts[0])
        if isinstance(node, Mul):
            return math.prod(parts[1:], start=parts[0])
        if isinstance(node, Pow):
            return parts[0] ** parts[1]
        assert isinstance(node, (exp, log)), f"no interval for {node}"
        return iv.exp(parts[0]) if isinstance(node, exp) else iv.log(parts[0])

    found = enclose(expression)
    return math.nextafter(float(found.a), -math.inf), math.nextafter(float(found.b), math.inf)


def _x_u_needed(ground: AuditPoint) -> list[AuditEvidence]:
    outside = _outside(ground.x_u, ground.dimension)
    return evidence(
        "numeric",
        "a radius as large as x_u is needed: the ball of radius sqrt(x_u) leaves more than epsilon/4",
        outside > ground.epsilon / 4,
        {
            "mass_outside_sqrt_x_u": outside,
            "x_u": ground.x_u,
            "x_u/true_radius": ground.x_u / math.sqrt(true_square(ground)),
        },
    )


def _x_u_enough(ground: AuditPoint) -> list[AuditEvidence]:
    outside = _outside(ground.x_u**2, ground.dimension)
    return evidence(
        "numeric",
        "the ball of radius x_u leaves at most epsilon/4 outside",
        outside <= ground.epsilon / 4,
        {"mass_outside": outside, "x_u": ground.x_u},
    )


def share_slack(n: float, delta: float) -> float:
    """The printed slack on the share of training points outside: sqrt(2/n ln(2/delta))."""
    return math.sqrt(2 / n * math.log(2 / delta))


def _share_outside(ground: AuditPoint, slack: float, name: str) -> list[AuditEvidence]:
    from scipy.special import bdtrc

    n, share = int(min(ground.data_size, 1e9)), ground.epsilon / 4
    failure = float(bdtrc(math.floor(n * (share + slack)), n, share)) if share + slack < 1 else 0.0
    return evidence(
        "numeric",
        f"P(share outside > epsilon/4 + {name}) <= delta/2, exact binomial tail",
        failure <= ground.delta / 2,
        {"probability": failure, "delta/2": ground.delta / 2, "slack": slack},
    )


def _share_printed(ground: AuditPoint) -> list[AuditEvidence]:
    return _share_outside(ground, share_slack(ground.data_size, ground.delta), "sqrt(2/n ln(2/delta))")


def _share_hoeffding(ground: AuditPoint) -> list[AuditEvidence]:
    slack = math.sqrt(math.log(2 / ground.delta) / (2 * ground.data_size))
    return _share_outside(ground, slack, "sqrt(ln(2/delta)/(2n))")


def _mixture_outside(ground: AuditPoint) -> list[AuditEvidence]:
    """Share of P_hat's mass outside the ball at tau = 1/2 for one large seeded sample, against the printed bound."""
    rng, d, n, tau = ground.rng(8), ground.dimension, 20_000, 0.5
    draws = min(200_000, 2_000_000 // d)
    training = rng.standard_normal((n, d))
    outside = np.sum(sample_mixture(training, tau, draws, rng) ** 2, axis=1) > true_square(ground)
    share, error = float(outside.mean()), float(outside.std() / math.sqrt(draws))
    allowed = ground.epsilon / 4 + share_slack(n, ground.delta)
    return evidence(
        "monte carlo",
        "mass of P_hat outside the ball <= epsilon/4 + sqrt(2/n ln(2/delta)) at tau = 0.5, n = 20000",
        share - 3 * error <= allowed,
        {"mass_outside": share, "standard_error": error, "allowed": allowed},
    )


def _mixture_mean_outside(ground: AuditPoint) -> list[AuditEvidence]:
    square = true_square(ground)
    taus = [max(ground.tau, 1e-6), 0.1, 0.5]
    outside = [_outside(square / (1 + tau), ground.dimension) for tau in taus]
    return evidence(
        "numeric",
        "E of P_hat's mass outside, P(|x|² > R²/(1+tau)), is at most epsilon/4",
        all(mass <= ground.epsilon / 4 for mass in outside),
        {f"tau={tau:.3g}": mass for tau, mass in zip(taus, outside, strict=True)},
    )


STEPS = (
    ProofStep(
        number=4,
        title="radius of the ball",
        place="appendix A",
        claim="a ball with mass 1 − ε/4 has radius 4 ln(8(2π)^(d/2)/(εΓ(d/2)) ((d−2)/e)^(d/2−1))",
        corrected="that number bounds the squared radius from above, even without (2π)^(d/2)",
        reason="The bound comes from the density of |x|² with an unnormalised p, so it speaks of |x|², not of |x|.",
        claimed=_ball_radius_exact,
        corrected_test=_ball_radius_squared,
    ),
    ProofStep(
        number=5,
        title="radius and x_u",
        place="appendix A",
        claim="4 ln(8(2π)^(d/2)/(εΓ(d/2)) ((d−2)/e)^(d/2−1)) ≤ 2d ln(2πd) + 12 ln 2 − 4 ln ε = x_u",
        corrected="as printed, d ≥ 2",
        reason="The gap 2d ln d + 4 ln Γ(d/2) − (2d−4)(ln(d−2)−1) is positive and does not depend on ε.",
        claimed=_x_u_bounds_ball,
        corrected_test=_x_u_bounds_ball,
    ),
    ProofStep(
        number=6,
        title="x_u as a radius",
        place="appendix A",
        claim="the cube around the ball has side 2x_u",
        corrected="side 2√x_u is enough",
        reason="x_u bounds the squared radius; as a radius it is valid, since x_u ≥ 1, and enters τ to the power d+2.",
        claimed=_x_u_needed,
        corrected_test=_x_u_enough,
    ),
    ProofStep(
        number=7,
        title="training points outside the ball",
        place="appendix A",
        claim="with probability 1 − δ/2 at most a share ε/4 + √((2/n) ln(2/δ)) of the training points lies outside",
        corrected="ε/4 + √(ln(2/δ)/(2n)) already",
        reason="Hoeffding's inequality, one-sided, gives half of the printed slack.",
        claimed=_share_printed,
        corrected_test=_share_hoeffding,
    ),
    ProofStep(
        number=8,
        title="mixture mass outside the ball",
        place="appendix A",
        claim="that share bounds the mass of P_hat outside the ball",
        corrected="E P_hat(|x| > R) = P(|x|² > R²/(1+τ))",
        reason="Kernels centred inside leak across the sphere.",
        claimed=_mixture_outside,
        corrected_test=_mixture_mean_outside,
    ),
)
