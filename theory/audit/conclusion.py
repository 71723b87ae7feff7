"""Steps of the conclusion: the L1 distance, every hypothesis, and what is read into the theorem about tau."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from theory import formula, repaired
from theory.audit.measure import l1_distance, sample_mixture
from theory.audit.step import AuditEvidence, AuditPoint, ProofStep, evidence
from theory.risk import outside_mass
from theory.setting import Floats

MEASURABLE = 3e4  # n * d up to which the audit also measures by Monte Carlo


def _measured(ground: AuditPoint) -> bool:
    return ground.data_size * ground.dimension <= MEASURABLE and ground.tau > 1e-200


def _every_set(ground: AuditPoint) -> list[AuditEvidence]:
    at_least = float(repaired.l1_lower_bound_log(math.log(ground.data_size), ground.log_tau, ground.dimension))
    y = float(repaired.log_bias_inverse(ground.epsilon, ground.dimension))
    return evidence(
        "numeric",
        "Lemma L: the least ||P_hat - P||_1 of any training set is below epsilon",
        at_least < ground.epsilon,
        {
            "l1_at_least": at_least,
            "epsilon": ground.epsilon,
            "data_size": ground.data_size,
            "log_tau": ground.log_tau,
            "log_data_size_necessary": -ground.dimension / 2 * (y + ground.log_tau),
        },
    )


def _measured_distance(ground: AuditPoint) -> list[AuditEvidence]:
    found = _every_set(ground)
    if _measured(ground):
        rng = ground.rng(21)
        training = rng.standard_normal((int(ground.data_size), ground.dimension))
        distance, error = l1_distance(training, ground.tau, 2000, rng)
        found.append(
            AuditEvidence(
                statement="||P_hat - P||_1 of one seeded training set is below epsilon",
                kind="monte carlo",
                holds=distance - 3 * error < ground.epsilon,
                values={"l1_distance": distance, "standard_error": error, "epsilon": ground.epsilon},
            )
        )
    return found


def _log_square_over_tau(ground: AuditPoint) -> tuple[float, float]:
    """Best u of Lemma L, |x - x_i|^2 <= tau u, and ln kappa."""
    log_kappa = 2 / ground.dimension * math.log(ground.data_size) + ground.log_tau
    return ground.dimension * -log_kappa / -math.expm1(log_kappa), log_kappa


def _inside_balls(points: Floats, training: Floats, square: float) -> npt.NDArray[np.bool_]:
    nearest = np.full(len(points), np.inf)
    for start in range(0, len(training), 2000):
        gaps = points[:, None, :] - training[None, start : start + 2000, :]
        nearest = np.minimum(nearest, np.einsum("knd,knd->kn", gaps, gaps).min(axis=1))
    return np.asarray(nearest <= square)


def _balls_measured(ground: AuditPoint) -> list[AuditEvidence]:
    """f = g = 0, h = 1 outside small balls around the training points: error on P and on P_hat."""
    found = _balls_proved(ground)
    if _measured(ground):
        rng, draws = ground.rng(25), 1000
        training = rng.standard_normal((int(ground.data_size), ground.dimension))
        square = ground.tau * _log_square_over_tau(ground)[0]
        target = ~_inside_balls(rng.standard_normal((draws, ground.dimension)), training, square)
        source = ~_inside_balls(sample_mixture(training, ground.tau, draws, rng), training, square)
        gap = float(target.mean() - source.mean())
        error = math.sqrt((target.var() + source.var()) / draws)
        found.append(
            AuditEvidence(
                statement="f = g = 0, lambda = 0, h = 1 outside balls around the points: error gap < epsilon",
                kind="monte carlo",
                holds=gap - 3 * error < ground.epsilon,
                values={
                    "gap": gap,
                    "standard_error": error,
                    "error_target": float(target.mean()),
                    "error_source": float(source.mean()),
                    "ball_radius": math.sqrt(square),
                },
            )
        )
    return found


def _balls_proved(ground: AuditPoint) -> list[AuditEvidence]:
    at_least = repaired.l1_lower_bound_log(math.log(ground.data_size), ground.log_tau, ground.dimension) / 2
    return evidence(
        "numeric",
        "for every training set that gap, at least half of Lemma L's bound, is below epsilon",
        float(at_least) < ground.epsilon,
        {"gap_at_least": float(at_least), "epsilon": ground.epsilon},
    )


def _best_tau_printed(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    limit = formula.expression("printed.tau_limit").free_symbols
    conclusion = {v.epsilon}  # the bound is epsilon + lambda
    return evidence(
        "symbolic",
        "the conclusion epsilon + lambda depends on tau, or the limit of tau on n",
        v.n in limit or v.tau in conclusion,
        {"symbols_of_limit": ", ".join(sorted(symbol.name for symbol in limit))},
    )


def _best_tau_repaired(ground: AuditPoint) -> list[AuditEvidence]:
    sizes = np.array([1e2, 1e3, 1e4, 1e5, 1e6])
    name, best = "Scarf's bound", np.asarray(repaired.tau_star(sizes, ground.dimension))
    known = np.isfinite(best)
    if known.sum() < 2:
        name, best = "the exact squared error", np.asarray(repaired.tau_star_mise(sizes, ground.dimension))
        known = np.isfinite(best)
    return evidence(
        "numeric",
        f"the best tau of {name} falls as n grows",
        np.all(np.diff(best[known]) < 0),
        {f"n={n:.0e}": float(tau) for n, tau in zip(sizes[known], best[known], strict=True)},
    )


def _outside(ground: AuditPoint, radius: float) -> tuple[bool, dict[str, float | str]]:
    taus = np.array([0.1, 0.3, 1.0])
    mass = np.asarray(outside_mass(taus, ground.dimension, radius))
    grows = bool(np.all(np.diff(mass) > 0))
    return grows, {f"tau={tau:g}": float(value) for tau, value in zip(taus, mass, strict=True)}


def _teacher_everywhere(ground: AuditPoint) -> list[AuditEvidence]:
    grows, values = _outside(ground, math.inf)
    return evidence(
        "numeric", "assumed for all x, the mass where |g - f| < epsilon_t may fail grows with tau", grows, values
    )


def _teacher_in_ball(ground: AuditPoint) -> list[AuditEvidence]:
    radius = 1.5 * math.sqrt(ground.dimension)
    grows, values = _outside(ground, radius)
    return evidence(
        "numeric",
        "assumed inside a radius, the mass where |g - f| < epsilon_t may fail grows with tau",
        grows,
        {"radius": radius} | values,
    )


STEPS = (
    ProofStep(
        number=21,
        title="the L1 distance",
        place="appendix A, last lines",
        claim="‖P_hat − P‖₁ < ε with probability at least 1 − δ",
        corrected="E‖P_hat − P‖₁ ≤ bias + (1+2/τ)^(d/4)/√n; n of order τ^(-d/2) is necessary for every set",
        reason="n balls of radius √τ hold most of P_hat and almost nothing of P when nτ^(d/2) is small.",
        claimed=_measured_distance,
        corrected_test=_every_set,
    ),
    ProofStep(
        number=25,
        title="every hypothesis",
        place="Theorem 1",
        claim="ε_T(h) − ε_S(h) < ε + λ for any h ∈ H",
        corrected="ε_T(h) − ε_S(h) ≤ ½‖P_hat − P‖₁ + E_P_hat|g − f|",
        reason="A class with balls around the training points sees the whole L1 distance.",
        claimed=_balls_measured,
        corrected_test=_balls_proved,
    ),
    ProofStep(
        number=26,
        title="the best τ and n",
        place="section 4.2, takeaways",
        claim="the best τ is given by n; smaller data prefers higher τ",
        corrected="true of the repaired bound: its minimiser falls as n grows",
        reason="The printed theorem gives one ε for every τ of an interval whose upper end does not depend on n.",
        claimed=_best_tau_printed,
        corrected_test=_best_tau_repaired,
    ),
    ProofStep(
        number=27,
        title="higher τ and the teacher",
        place="section 4.2, takeaways",
        claim="higher τ breaks |g − f| < ε_t",
        corrected="assume |g − f| ≤ ε_t only for |x| ≤ R: the mass outside is P(|x|² > R²/(1+τ))",
        reason="Assumed for all x, no τ can break it; with a finite radius the mass outside grows with τ.",
        claimed=_teacher_everywhere,
        corrected_test=_teacher_in_ball,
    ),
)
