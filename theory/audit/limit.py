"""Steps about the mean: the Gaussian integral, its distance from the target, and the limit of tau."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from theory import formula, printed, repaired
from theory.audit.cells import log_at
from theory.audit.step import AuditEvidence, AuditPoint, ProofStep, evidence


@lru_cache(maxsize=1)
def _integral_one_dimension() -> Any:
    """The integral of exp(-(x - y)^2/(2 tau)) exp(-y^2/2) over y as a function of s = x^2.

    With the exponent -a y^2 + b y + c it is sqrt(pi/a) exp(b^2/(4 a) + c).
    """
    v = formula.symbols()
    sp = v.sp
    x, y = sp.symbols("x y", real=True)
    exponent = sp.Poly(-((x - y) ** 2) / (2 * v.tau) - y**2 / 2, y)
    a, b, c = -exponent.coeff_monomial(y**2), exponent.coeff_monomial(y), exponent.coeff_monomial(1)
    return (sp.sqrt(sp.pi / a) * sp.exp(sp.simplify(b**2 / (4 * a) + c))).subs(x, sp.sqrt(v.s))


def _kernel_integral(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    sp = v.sp

    def expanded(expression: Any) -> Any:
        return sp.expand_log(sp.log(expression), force=True)

    one = _integral_one_dimension()
    shape = expanded(one) - expanded(one.subs(v.s, 0))  # the exponent, which adds over coordinates to s = |x|^2
    true = v.d * expanded(one.subs(v.s, 0)) + shape
    log_ratio = sp.simplify((expanded(formula.expression("printed.kernel_mean")) - true).subs(v.d, ground.dimension))
    at = float(sp.exp(log_ratio.subs({v.tau: sp.Rational(3, 10), v.s: 1})).evalf())
    return evidence(
        "symbolic",
        "ln of the printed value of the integral - ln of its value = 0",
        log_ratio == 0,
        {"log_ratio": str(log_ratio), "ratio at tau = 0.3, s = 1": at},
    )


def _mean_tends_to_target(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    mass = formula.expression("printed.p_aug_mass").subs(v.d, ground.dimension)
    ratio = v.sp.simplify(mass * (1 + v.tau) ** (-v.sp.Rational(ground.dimension, 2)))
    limit = v.sp.limit(ratio, v.tau, 0, "+")
    return evidence(
        "symbolic",
        "E of the printed P_aug at 0, over p(0), tends to 1 as tau -> 0",
        limit == 1,
        {"limit": str(limit), "ratio": str(ratio)},
    )


def _sup_gap_as_printed(ground: AuditPoint) -> list[AuditEvidence]:
    """The left-hand side with the true integral (expectation under N(0, I)), at x = 0 where it is largest."""
    d = ground.dimension
    log_mean = float(printed.log_total_mass(max(ground.tau, 1e-300), d)) - d / 2 * math.log(2 * math.pi)
    gap = abs(math.expm1(log_mean - d / 2 * math.log1p(ground.tau)))
    allowed = math.exp(log_at("printed.sup_gap", ground))
    return evidence(
        "numeric",
        "sup |P_aug's mean - exp(-|x|²/(2(1+tau)))| <= tau (x_u² + 1)/2",
        gap <= allowed,
        {"gap_at_0": gap, "allowed": allowed},
    )


def _sup_gap_intended(ground: AuditPoint) -> list[AuditEvidence]:
    """sup over |x| <= x_u of |(1 + tau)^(-d/2) exp(-s/(2(1 + tau))) - exp(-s/2)| against the printed bound."""
    d, found = ground.dimension, []
    for tau in (max(ground.tau, 1e-300), 0.1):
        s = np.concatenate([np.linspace(0, min(40.0 * d, ground.x_u**2), 40_001), [ground.x_u**2]])
        log_ratio = s * tau / (2 * (1 + tau)) - d / 2 * np.log1p(tau)
        gap = np.exp(np.maximum(log_ratio, 0.0) - s / 2) * -np.expm1(-np.abs(log_ratio))
        allowed = tau * (ground.x_u**2 + 1) / 2
        found.append(
            AuditEvidence(
                statement=f"with (2 pi tau)^(-d/2) and target exp(-|x|²/2): sup over |x| <= x_u <= bound, {tau=:.3g}",
                kind="numeric",
                holds=bool(gap.max() <= allowed),
                values={"gap": float(gap.max()), "allowed": allowed},
            )
        )
    return found


def _bias_term(ground: AuditPoint) -> tuple[float, dict[str, float]]:
    """ln of the chain's bias term, sup gap times volume, at the printed limit of tau; and the true bias there."""
    v = formula.symbols()
    limit = v.sp.exp(v.sp.Float(float(printed.log_tau_limit(ground.epsilon, ground.dimension)), 40))
    log_term = log_at("printed.sup_gap", ground, tau=limit) + ground.dimension * math.log(2 * ground.x_u)
    true = float(repaired.bias(max(ground.tau, 1e-300), ground.dimension))
    over = math.exp(min(log_term - math.log(ground.epsilon), 700.0))
    return log_term, {"term/epsilon": over, "true_bias/epsilon": true / ground.epsilon}


def _limit_from_chain(ground: AuditPoint) -> list[AuditEvidence]:
    log_term, values = _bias_term(ground)
    return evidence(
        "numeric",
        "at the printed limit, sup gap times volume is at most epsilon/8",
        log_term <= math.log(ground.epsilon / 8),
        values,
    )


def _limit_within_epsilon(ground: AuditPoint) -> list[AuditEvidence]:
    log_term, values = _bias_term(ground)
    return evidence(
        "numeric",
        "at the printed limit, sup gap times volume is below epsilon at least",
        log_term < math.log(ground.epsilon),
        values,
    )


STEPS = (
    ProofStep(
        number=15,
        title="the Gaussian integral",
        place="appendix A, after (2)",
        claim="∫ exp(-|x−x'|²/2τ) exp(-|x'|²/2) dx' = √(τ(2π)^d/(1+τ)) exp(-|x|²/(2(1+τ)))",
        corrected="(2πτ/(1+τ))^(d/2) exp(-|x|²/(2(1+τ)))",
        reason="The integral factorises over d coordinates; the printed value has one coordinate's power of τ/(1+τ).",
        claimed=_kernel_integral,
        corrected_test=_mean_tends_to_target,
    ),
    ProofStep(
        number=16,
        title="distance of the mean from the target",
        place="appendix A",
        claim="‖√(1/((2π)^dτ)) E exp(-|x−x'|²/2τ) − exp(-|x|²/(2(1+τ)))‖_∞ ≤ τ(x_u²+1)/2",
        corrected="(1+τ)^(-d/2) exp(-s/(2(1+τ))) against exp(-s/2), times (2π)^(-d/2), s ≤ x_u²",
        reason="The target is p and the exponent is d/2; for that the bound holds on the ball.",
        claimed=_sup_gap_as_printed,
        corrected_test=_sup_gap_intended,
    ),
    ProofStep(
        number=17,
        title="the limit of τ",
        place="Theorem 1",
        claim="τ < 2^(d−3) ε/x_u^(d+2) keeps the bias term small",
        corrected="2^(−d−3) ε/x_u^(d+2)",
        reason="Sup gap times volume gives 2^(−d−3): a sign slip. The true bias is tiny there, by accident.",
        claimed=_limit_from_chain,
        corrected_test=_limit_within_epsilon,
    ),
)
