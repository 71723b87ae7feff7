"""Steps about the sampling noise: Hoeffding at the centres, what it controls, and the data size it asks for."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from theory import formula, repaired
from theory.audit.ball import share_slack
from theory.audit.cells import log_at, log_grid_count
from theory.audit.step import AuditEvidence, AuditPoint, ProofStep, evidence


def _hoeffding_failure(deviation: Any) -> Any:
    """Two-sided failure probability at one centre, over the delta/(2 n_g) that is spent there."""
    v = formula.symbols()
    return v.sp.simplify(2 * v.sp.exp(-2 * v.n * deviation**2) / (v.delta / (2 * v.n_g)))


def _spends(ratio: Any, name: str) -> list[AuditEvidence]:
    return evidence(
        "symbolic", f"2 exp(-2 n t²) <= delta/(2 n_g) for {name} (ratio at most 1)", ratio <= 1, {"ratio": str(ratio)}
    )


def _hoeffding_printed(ground: AuditPoint) -> list[AuditEvidence]:
    return _spends(_hoeffding_failure(formula.expression("printed.hoeffding")), "the printed deviation")


def _hoeffding_corrected(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    deviation = v.sp.sqrt(v.sp.log(4 * v.n_g / v.delta) / (2 * v.n))
    return _spends(_hoeffding_failure(deviation), "sqrt(ln(4 n_g/delta)/(2n))")


def log_noise(ground: AuditPoint) -> dict[str, float]:
    """ln of the deviation (2) allows at a centre, of the largest mean it deviates from, and of its share in L1."""
    sp = formula.symbols().sp
    deviation = log_at("printed.hoeffding", ground, n_g=sp.exp(sp.Float(log_grid_count(ground), 40)))
    normaliser = -ground.dimension / 2 * (math.log(2 * math.pi) + ground.log_tau)
    signal = ground.dimension / 2 * (ground.log_tau - math.log1p(ground.tau))
    volume = ground.dimension * math.log(2 * ground.x_u)
    return {"log_deviation": deviation, "log_signal": signal, "log_l1": deviation + normaliser + volume}


def _controls(ground: AuditPoint) -> list[AuditEvidence]:
    found = log_noise(ground)
    return evidence(
        "numeric",
        "deviation (2) times normaliser times volume, its share in L1, is at most epsilon/4 (logarithms)",
        found["log_l1"] <= math.log(ground.epsilon / 4),
        found | {"log_epsilon/4": math.log(ground.epsilon / 4)},
    )


def _resolves(ground: AuditPoint) -> list[AuditEvidence]:
    found = log_noise(ground)
    return evidence(
        "numeric",
        "deviation (2) is smaller than the mean it deviates from (logarithms)",
        found["log_deviation"] <= found["log_signal"],
        found,
    )


def derived_bracket() -> Any:
    """What n >= (8/epsilon^2) ln(2 n_g/delta) asks for: the bracket of n > (16/epsilon^2)(...), ln n by its tangent.

    B is dropped and B' is n/sqrt(tau), as in the proof; ln n <= n/a + ln a - 1 at a = 16 d/epsilon^2.
    """
    v = formula.symbols()
    sp, d = v.sp, v.d
    count = formula.expression("printed.grid_count").subs({v.B: 0, v.B_prime: v.n / sp.sqrt(v.tau)})
    total = sp.expand(sp.expand_log(sp.log(2 * count / v.delta), force=True))
    slope = total.coeff(sp.log(v.n))
    rest = sp.expand(total - slope * sp.log(v.n))
    tangent = sp.expand_log(sp.log(16 * d / v.epsilon**2), force=True) - 1
    return sp.expand(rest + slope * tangent)


def _bracket_derived(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    gap = v.sp.expand(derived_bracket() - formula.expression("printed.data_size_bracket"))
    return evidence(
        "symbolic",
        "derived bracket - printed bracket = 0",
        gap == 0,
        {"difference": str(v.sp.collect(gap, v.sp.log(2)))},
    )


def _chain_satisfied(ground: AuditPoint) -> list[AuditEvidence]:
    epsilons = sorted({ground.epsilon, 1e-12, 1e-24, 1e-48, 1e-140}, reverse=True)
    ratios = {}
    for epsilon in epsilons:
        at = dataclasses.replace(ground, epsilon=epsilon)
        needed = 8 / epsilon**2 * (math.log(2 / at.delta) + log_grid_count(at))
        ratios[f"epsilon={epsilon:g}"] = at.data_size / needed
    return evidence(
        "numeric",
        "the printed n is at least the proof's own (8/epsilon²) ln(2 n_g/delta) (ratio, several epsilon)",
        min(ratios.values()) >= 1,
        ratios,
    )


def _delta_coefficient(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    log_delta = v.sp.log(v.delta)
    as_printed = v.sp.expand(formula.expression("printed.data_size_bracket")).coeff(log_delta)
    derived = derived_bracket().coeff(log_delta)
    same = v.sp.simplify((as_printed - derived).subs(v.d, ground.dimension)) == 0
    return evidence(
        "symbolic",
        "coefficient of ln delta, printed = derived",
        same,
        {"printed": str(as_printed), "derived": str(derived)},
    )


def _delta_harmless(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    log_delta = v.sp.log(v.delta)
    as_printed = v.sp.expand(formula.expression("printed.data_size_bracket")).coeff(log_delta)
    gap = ((as_printed - derived_bracket().coeff(log_delta)) * log_delta).subs(
        {v.d: ground.dimension, v.delta: v.sp.Float(ground.delta)}
    )
    return evidence(
        "symbolic",
        "the printed term asks for at least as much data as the union bound does",
        gap >= 0,
        {"printed_minus_derived": float(gap)},
    )


def _budget(ground: AuditPoint, noise: float, name: str) -> list[AuditEvidence]:
    quarter = ground.epsilon / 4
    slack = share_slack(ground.data_size, ground.delta)
    bias = float(repaired.bias(max(ground.tau, 1e-300), ground.dimension))
    total = 3 * quarter + slack + noise + bias
    return evidence(
        "numeric",
        f"outside P + outside P_hat + grid + {name} + bias < epsilon",
        total < ground.epsilon,
        {"total": total, "epsilon": ground.epsilon, "noise": noise, "slack": slack, "bias": bias},
    )


def _budget_of_chain(ground: AuditPoint) -> list[AuditEvidence]:
    noise = math.exp(min(log_noise(ground)["log_l1"], 700.0))
    return _budget(ground, noise, "noise as (2) controls it")


def _budget_at_least(ground: AuditPoint) -> list[AuditEvidence]:
    at_least = repaired.l1_lower_bound_log(math.log(ground.data_size), ground.log_tau, ground.dimension)
    bias = repaired.bias(max(ground.tau, 1e-300), ground.dimension)
    return _budget(ground, max(float(at_least - bias), 0.0), "noise at least (Lemma L)")


STEPS = (
    ProofStep(
        number=13,
        title="Hoeffding at one centre",
        place="appendix A, equation (2)",
        claim="with probability 1 − δ/(2n_g) the deviation is at most √(ln(2n_g/δ)/(2n))",
        corrected="√(ln(4n_g/δ)/(2n))",
        reason="The two-sided inequality costs a factor two in the logarithm; range [0, 1] is right for bare kernels.",
        claimed=_hoeffding_printed,
        corrected_test=_hoeffding_corrected,
    ),
    ProofStep(
        number=14,
        title="what equation (2) controls",
        place="appendix A, equation (2)",
        claim="(2) bounds ‖P_hat − E P_hat‖₁",
        corrected="multiply by (2πτ)^(-d/2) for the density and by the volume (2x_u)^d for L1",
        reason="Fatal: (2) bounds a mean of kernels of height 1 whose expectation is τ^(d/2), far below the deviation.",
        claimed=_controls,
        corrected_test=_resolves,
    ),
    ProofStep(
        number=18,
        title="the data size",
        place="Theorem 1",
        claim="n > (16/ε²)((d²+5d+6) ln 2 + (d²+d) ln x_u + d ln d − d ln ε − d ln δ − (d/2) ln τ) follows",
        corrected="(16/ε²)((d²+7d+1) ln 2 − d + (d²+d) ln x_u + d ln d − 3d ln ε − ln δ − (d/2) ln τ)",
        reason="Eliminating ln n from the proof's own inequality gives other coefficients, and more for small ε.",
        claimed=_bracket_derived,
        corrected_test=_chain_satisfied,
    ),
    ProofStep(
        number=19,
        title="the term in δ",
        place="Theorem 1",
        claim="−d ln δ",
        corrected="−ln δ",
        reason="A union bound spends δ once; the printed term is larger, which is harmless.",
        claimed=_delta_coefficient,
        corrected_test=_delta_harmless,
    ),
    ProofStep(
        number=20,
        title="the budget",
        place="appendix A",
        claim="the pieces of the error add up to less than ε",
        corrected="outside P ε/4, outside P_hat ε/4 + slack, grid ε/4 leave less than ε/4 for noise and bias",
        reason="It is never stated, and the noise alone exceeds ε.",
        claimed=_budget_of_chain,
        corrected_test=_budget_at_least,
    ),
)
