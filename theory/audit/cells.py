"""Steps about the grid: the Lipschitz bound, the error of a cell, the size and number of cells."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theory import formula
from theory.audit.step import AuditEvidence, AuditPoint, ProofStep, evidence


def log_at(name: str, ground: AuditPoint, **extra: Any) -> float:
    """ln of a printed formula at the ground's setting, with many digits; extra symbols by name."""
    v = formula.symbols()
    sp = v.sp
    found = formula.expression(name)
    values = {
        v.d: ground.dimension,
        v.n: sp.Integer(int(ground.data_size)),
        v.tau: sp.exp(sp.Float(ground.log_tau, 40)),
        v.epsilon: sp.Float(ground.epsilon, 40),
        v.delta: sp.Float(ground.delta, 40),
        v.x_u: sp.Float(ground.x_u, 40),
        v.B: (2 * sp.pi) ** (-sp.Rational(ground.dimension, 2)) * sp.exp(-sp.Rational(1, 2)),
    }
    values |= {getattr(v, symbol): value for symbol, value in extra.items()}
    return float(sp.log(found.subs(values)).evalf(30))


def log_grid_count(ground: AuditPoint) -> float:
    """ln n_g as printed, at the ground."""
    v = formula.symbols()
    slope = formula.expression("printed.lipschitz")
    return log_at(
        "printed.grid_count",
        ground,
        B_prime=slope.subs(v.n, int(ground.data_size)).subs(v.tau, v.sp.exp(v.sp.Float(ground.log_tau, 40))),
    )


def log_slopes(ground: AuditPoint) -> dict[str, float]:
    """ln of the steepest slope of the proper P_hat over B': next to an isolated point, and with all points at one."""
    steepest = -ground.dimension / 2 * (math.log(2 * math.pi) + ground.log_tau) - 0.5 - ground.log_tau / 2
    printed_bound = log_at("printed.lipschitz", ground)
    return {
        "log_isolated_point": steepest - math.log(ground.data_size) - printed_bound,
        "log_coincident_points": steepest - printed_bound,
    }


def _lipschitz(ground: AuditPoint) -> list[AuditEvidence]:
    ratios = log_slopes(ground)
    return evidence(
        "numeric",
        "the steepest slope of P_hat over all training sets is at most B' (logarithm of the ratio <= 0)",
        max(ratios.values()) <= 1e-9,
        ratios,
    )


def mean_distance_to_centre(dimension: int) -> float:
    """Mean distance of a uniform point of the unit cube to its centre, to 1e-10; 1/4 in dimension 1.

    E sqrt(S) = (1/(2 sqrt(pi))) times the integral over t > 0 of (1 - E e^(-tS)) t^(-3/2), S = |x - c|^2.
    """
    from scipy.special import erf

    x, half = np.linspace(-30, 30, 6001), 0.01  # t = e^x; the integrand falls like e^(-|x|/2) at both ends
    t = np.exp(x)
    small = -np.log1p(-t / 12 + t**2 / 160)  # -ln E e^(-t u^2), u uniform on (-1/2, 1/2), for small t
    log_mean = np.where(t < 1e-4, -small, np.log(np.sqrt(np.pi / t) * erf(np.sqrt(t) / 2)))
    inside = -np.expm1(dimension * log_mean) / np.sqrt(t)
    step = 2 * half / 2
    tails = 2 * math.exp(-15) + dimension / 12 * 2 * math.exp(-15)
    return float((inside.sum() * step + tails) / (2 * math.sqrt(math.pi)))


def _cell_error(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    allowed = formula.expression("printed.cell_error").subs({v.B: 0, v.B_prime: 1, v.V: 1, v.r: 1})
    mean = mean_distance_to_centre(ground.dimension)
    return evidence(
        "numeric",
        "worst cell error, mean distance to the centre of a unit cube, is at most the printed constant",
        mean <= float(allowed),
        {"mean_distance": mean, "printed": float(allowed), "safe": math.sqrt(ground.dimension / 12)},
    )


def _grid_total(ground: AuditPoint) -> list[AuditEvidence]:
    mean = mean_distance_to_centre(ground.dimension)
    total = mean * 2 * ground.epsilon / 4
    return evidence(
        "numeric",
        "at the printed grid size the worst total error stays at most epsilon/4",
        total <= ground.epsilon / 4,
        {"total": total, "epsilon/4": ground.epsilon / 4},
    )


def _total_is_quarter(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    total = formula.expression("printed.cell_error").subs(v.r, formula.expression("printed.cell_size"))
    rest = v.sp.simplify(total.subs(v.V, (2 * v.x_u) ** v.d) - v.epsilon / 4)
    return evidence("symbolic", "(B + B')/2 (2 x_u)^d r - epsilon/4 = 0", rest == 0, {"difference": str(rest)})


def _count_equals(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    side = (2 * v.x_u / formula.expression("printed.cell_size")) ** v.d
    ratio = v.sp.simplify((formula.expression("printed.grid_count") / side).subs(v.d, ground.dimension))
    return evidence("symbolic", "printed n_g / (2 x_u/r)^d = 1", ratio == 1, {"ratio": str(ratio)})


def _count_is_enough(ground: AuditPoint) -> list[AuditEvidence]:
    v = formula.symbols()
    tau = v.sp.exp(v.sp.Float(ground.log_tau, 40))
    slope = formula.expression("printed.lipschitz").subs({v.n: int(ground.data_size), v.tau: tau})
    log_cells = math.log(2 * ground.x_u) - log_at("printed.cell_size", ground, B_prime=slope)
    needed = ground.dimension * float(np.logaddexp(log_cells, 0.0))
    counted = log_grid_count(ground)
    return evidence(
        "numeric",
        "the number of cells, rounded up, is at most the printed n_g (logarithms)",
        needed <= counted,
        {"log_needed": needed, "log_printed": counted},
    )


STEPS = (
    ProofStep(
        number=9,
        title="Lipschitz bound of P_hat",
        place="appendix A",
        claim="Lip(P_hat) ≤ B' = (n/√τ) e^(-1/2)",
        corrected="(2πτ)^(-d/2) e^(-1/2)/√τ for the proper P_hat",
        reason="B' bounds the sum of bare kernels; the normaliser, by far the largest factor, is missing.",
        claimed=_lipschitz,
        corrected_test=_lipschitz,
    ),
    ProofStep(
        number=10,
        title="error of a cell",
        place="appendix A",
        claim="cell error ≤ ½(B+B')Vr",
        corrected="√(d/12)(B+B')Vr, or ½ with the Lipschitz bound in sup-norm",
        reason="The mean distance to the centre of a unit cube grows like √(d/12) and passes ½ at d = 4.",
        claimed=_cell_error,
        corrected_test=_grid_total,
    ),
    ProofStep(
        number=11,
        title="grid size",
        place="appendix A",
        claim="r = ε/(2(B+B')(2x_u)^d) makes the total at most ε/4",
        corrected="as printed, given step 10",
        reason="Algebra.",
        claimed=_total_is_quarter,
        corrected_test=_total_is_quarter,
    ),
    ProofStep(
        number=12,
        title="number of cells",
        place="appendix A",
        claim="(2x_u/r)^d = (4(B+B')(2x_u)^(d+1)/ε)^d ≤ n_g",
        corrected="(2x_u/r)^d = (2(B+B')(2x_u)^(d+1)/ε)^d; the union bound needs an upper bound on the number",
        reason="The equality is off by 2^d on the safe side, and n_g depends on n through B'.",
        claimed=_count_equals,
        corrected_test=_count_is_enough,
    ),
)
