"""The ball that holds most of the mass: intervals enclose, verdicts follow the formulas."""

from __future__ import annotations

import math

import pytest
import sympy as sp

from tests.theory.audit.mutation import mutation_test, verdict
from theory import audit, printed
from theory.audit import ball

MUTATIONS = [
    (5, "printed.x_u", lambda v: 2 * v.d * v.sp.log(2 * v.sp.pi * v.d) + 7 * v.sp.log(2) - 4 * v.sp.log(v.epsilon),
     "false"),
]  # fmt: skip


test_a_changed_formula_changes_the_verdict = mutation_test(MUTATIONS)


def test_intervals_enclose() -> None:
    low, high = ball.interval(sp.log(sp.pi) * sp.sqrt(2) + sp.exp(-sp.Rational(1, 2)) - sp.E / 7)
    exact = float((sp.log(sp.pi) * sp.sqrt(2) + sp.exp(-sp.Rational(1, 2)) - sp.E / 7).evalf(40))
    assert low <= exact <= high and high - low < 1e-14


def test_numeric_mutations_change_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    true = math.sqrt(ball.true_square(audit.AuditPoint(dimension=2, epsilon=0.5, delta=0.1, seed=0)))
    monkeypatch.setattr(printed, "ball_radius", lambda e, d: true)
    assert verdict(4) == "holds"
    monkeypatch.setattr(printed, "ball_radius", lambda e, d: true**2 / 2)
    assert verdict(4) == "false"
    monkeypatch.setattr(ball, "share_slack", lambda n, delta: 0.1 / math.sqrt(n))
    assert verdict(7) == "holds with a fix"
    monkeypatch.setattr(printed, "x_u", lambda e, d: 1.0)  # so small that no smaller ball is enough
    assert verdict(6) == "holds"


def test_the_true_square_leaves_a_quarter_of_epsilon() -> None:
    """In two dimensions P(|x|^2 > s) = exp(-s/2)."""
    at = audit.AuditPoint(dimension=2, epsilon=0.5, delta=0.1, seed=0)
    assert ball.true_square(at) == pytest.approx(-2 * math.log(0.5 / 4), rel=1e-12)
