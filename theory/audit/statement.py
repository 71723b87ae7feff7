"""Steps of the statement itself: the augmented law, the discrepancy, lambda, and what the theorem never uses."""

from __future__ import annotations

from itertools import product

import numpy as np

from theory import formula, printed, repaired
from theory.audit.step import AuditEvidence, AuditPoint, ProofStep, evidence


def _mass_is_one(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    mass = v.sp.simplify(formula.expression("printed.p_aug_mass").subs(v.d, ground.dimension))
    one = v.sp.simplify(mass - 1) == 0
    return evidence("symbolic", "total mass - 1 = 0", one, {"mass": str(mass)})


def _mass_leaves_epsilon(ground: AuditPoint) -> list[AuditEvidence]:
    mass = float(np.exp(printed.log_total_mass(max(ground.tau, 1e-300), ground.dimension)))
    return evidence(
        "numeric",
        "at the limit, 1 - mass <= ||P_aug - P||_1 leaves room below epsilon for some training set",
        1 - mass < ground.epsilon,
        {"mass": mass, "l1_at_least": 1 - mass, "epsilon": ground.epsilon},
    )


def _sample_law_is_close(ground: AuditPoint) -> list[AuditEvidence]:
    """L1 between the law of a sample and a smooth density on ever finer cells of the first coordinate."""
    n = 1000
    x = np.sort(ground.rng(2).standard_normal(n))
    width = 1e-9  # cells around the sample's points: together they hold at most n * width of a bounded density
    smooth = n * width / float(np.sqrt(2 * np.pi))
    distance = 2 * (1 - smooth) if np.all(np.diff(x) > width) else 0.0
    return evidence(
        "monte carlo",
        "||law of the sample - a density bounded by p's maximum||_1 < epsilon",
        distance < ground.epsilon,
        {"l1_at_least": distance, "epsilon": ground.epsilon, "sample_size": n, "standard_error": 0.0},
    )


def _population_is_meant(ground: AuditPoint) -> list[AuditEvidence]:
    bias = float(repaired.bias(max(ground.tau, 1e-300), ground.dimension))
    return evidence(
        "numeric",
        "with P for P_train the mean of P_hat is within epsilon: ||E P_hat - P||_1 < epsilon",
        bias < ground.epsilon,
        {"bias": bias, "epsilon": ground.epsilon},
    )


def _discrepancy(ground: AuditPoint, factor: float) -> list[AuditEvidence]:
    """sup over all events of 2 |P(A) - Q(A)| against factor * L1, by enumeration on eight atoms."""
    rng = ground.rng(3)
    p, q = rng.dirichlet(np.ones(8), size=(2, 200))
    events = np.array(list(product((0, 1), repeat=8)))
    largest = 2 * np.abs((p - q) @ events.T).max(axis=1)
    l1 = np.abs(p - q).sum(axis=1)
    return evidence(
        "numeric",
        f"2 sup_A |P(A) - Q(A)| <= {factor:g} L1 for 200 pairs of laws on eight atoms, all 256 events",
        np.all(largest <= factor * l1 * (1 + 1e-12)),
        {"largest_ratio": float((largest / l1).max()), "smallest_ratio": float((largest / l1).min())},
    )


def _no_slack(ground: AuditPoint) -> list[AuditEvidence]:
    return _discrepancy(ground, 1.0)


def _loose(ground: AuditPoint) -> list[AuditEvidence]:
    return _discrepancy(ground, 2.0)


def constants_counterexample(teacher_gap: float) -> dict[str, float]:
    """f = 0, g = teacher_gap everywhere, H = {0, 1}: errors on target and source, both versions of lambda."""
    target = np.array([0.0, 1.0])  # E|h - f|
    source = np.abs(np.array([0.0, 1.0]) - teacher_gap)  # E|h - g| under any input law
    best_joint = float(np.min(source + target))
    best_target = float(np.min(target))
    gap = float(np.max(target - source))
    return {"gap": gap, "lambda_printed": 2 * best_target, "lambda_correct": best_joint, "teacher_gap": teacher_gap}


def _lambda(ground: AuditPoint, name: str) -> list[AuditEvidence]:
    found = constants_counterexample(min(1.0, ground.epsilon + 0.1))
    return evidence(
        "numeric",
        f"f = 0, g constant, H = {{0, 1}}, any n and tau: error gap < epsilon + {name}",
        found["gap"] < ground.epsilon + found[name],
        found | {"epsilon": ground.epsilon},
    )


def _lambda_printed(ground: AuditPoint) -> list[AuditEvidence]:
    return _lambda(ground, "lambda_printed")


def _lambda_correct(ground: AuditPoint) -> list[AuditEvidence]:
    return _lambda(ground, "lambda_correct")


def _teacher_error_is_free(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    used = formula.expression("printed.data_size_required").free_symbols
    used |= formula.expression("printed.tau_limit").free_symbols
    present = v.epsilon_t in used
    statement = "epsilon_t enters a condition of the theorem"
    names = ", ".join(sorted(symbol.name for symbol in used))
    return evidence("symbolic", statement, present, {"symbols_used": names})


def _transfer_with_teacher(ground: AuditPoint) -> list[AuditEvidence]:
    """E_P|h - f| <= E_Q|h - g| + L1/2 + E_Q|g - f| on random finite spaces, all at once."""
    rng = ground.rng(23)
    p, q = rng.dirichlet(np.ones(12), size=(2, 500))
    h, f = rng.random((2, 500, 12))
    g = np.clip(f + rng.uniform(-0.3, 0.3, f.shape), 0, 1)
    left = (p * np.abs(h - f)).sum(axis=1)
    right = (q * np.abs(h - g)).sum(axis=1) + np.abs(p - q).sum(axis=1) / 2 + (q * np.abs(g - f)).sum(axis=1)
    return evidence(
        "numeric",
        "E_P|h - f| <= E_Q|h - g| + L1/2 + E_Q|g - f| for 500 random (P, Q, h, f, g)",
        np.all(left <= right + 1e-12),
        {"least_slack": float((right - left).min())},
    )


def _lipschitz_enters(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    used = formula.expression("printed.data_size_required").free_symbols
    return [
        AuditEvidence(
            statement=f"{name} enters the data-size condition",
            kind="symbolic",
            holds=symbol in used,
            values={"symbols_used": ", ".join(sorted(free.name for free in used))},
        )
        for name, symbol in (("B", v.B), ("m", v.m))
    ]


def _lipschitz_is_known(ground: AuditPoint) -> list[AuditEvidence]:
    sp = formula.symbols().sp
    r, d = sp.Symbol("r", positive=True), ground.dimension
    slope = (2 * sp.pi) ** (-sp.Rational(d, 2)) * r * sp.exp(-(r**2) / 2)
    (top,) = sp.solve(sp.diff(slope, r), r)
    largest = sp.simplify(slope.subs(r, top) - (2 * sp.pi) ** (-sp.Rational(d, 2)) * sp.exp(-sp.Rational(1, 2)))
    return evidence(
        "symbolic",
        "B needs no assumption: Lip(p) = (2 pi)^(-d/2) e^(-1/2)",
        largest == 0,
        {"lipschitz": float(slope.subs(r, top)), "at_radius": float(top)},
    )


STEPS = (
    ProofStep(
        number=1,
        title="the augmented law",
        place="section 4.2",
        claim="P_aug(x') = (1/n) sqrt(1/((2π)^d τ)) Σ exp(-|x'-x_i|²/2τ) is a distribution",
        corrected="(1/n) (2πτ)^(-d/2) Σ exp(-|x'-x_i|²/2τ)",
        reason="The mass is τ^((d-1)/2): the normaliser of a Gaussian of variance τ in d dimensions is τ^(-d/2).",
        claimed=_mass_is_one,
        corrected_test=_mass_leaves_epsilon,
    ),
    ProofStep(
        number=2,
        title="P_train",
        place="appendix A, first line",
        claim="P_train, the law of D_train, is compared with P_aug",
        corrected="read P_train as the population density P",
        reason="D_train is a finite sample, at L1 distance 2 from every density; all later lines use P = N(0, I).",
        claimed=_sample_law_is_close,
        corrected_test=_population_is_meant,
    ),
    ProofStep(
        number=3,
        title="discrepancy and L1",
        place="appendix A, first line",
        claim="d_HΔH ≤ 2 ‖P_train − P_aug‖₁",
        corrected="d_HΔH ≤ ‖P − P_hat‖₁",
        reason="True and loose by a factor of two: 2 sup |P(A) − Q(A)| is L1 itself for two distributions.",
        claimed=_loose,
        corrected_test=_no_slack,
    ),
    ProofStep(
        number=22,
        title="lambda",
        place="Theorem 1",
        claim="λ = ε_T(h*) + ε_T(h*)",
        corrected="λ = ε_S(h*) + ε_T(h*), h* the joint minimiser",
        reason="With the target error twice, a teacher that is wrong everywhere contradicts the conclusion.",
        claimed=_lambda_printed,
        corrected_test=_lambda_correct,
    ),
    ProofStep(
        number=23,
        title="the teacher's error",
        place="Theorem 1",
        claim="the assumption |g − f| < ε_t is used",
        corrected="E_P|h−f| ≤ E_P_hat|h−g| + ½‖P_hat−P‖₁ + E_P_hat|g−f|",
        reason="ε_t is in no condition and no conclusion; it belongs on the right-hand side.",
        claimed=_teacher_error_is_free,
        corrected_test=_transfer_with_teacher,
    ),
    ProofStep(
        number=24,
        title="B and m",
        place="Theorem 1",
        claim="the Lipschitz bound B and the sizes m are used",
        corrected="B = (2π)^(-d/2) e^(-1/2) is known; the result is about m = ∞",
        reason="Neither appears in the conditions; m names two different sizes, and B is a constant of N(0, I).",
        claimed=_lipschitz_enters,
        corrected_test=_lipschitz_is_known,
    ),
)
