"""Interval arithmetic encloses."""

from __future__ import annotations

from theory.audit import ball


def test_intervals_enclose() -> None:
    import sympy as sp

    low, high = ball.interval(sp.log(sp.pi) * sp.sqrt(2) + sp.exp(-sp.Rational(1, 2)) - sp.E / 7)
    exact = float((sp.log(sp.pi) * sp.sqrt(2) + sp.exp(-sp.Rational(1, 2)) - sp.E / 7).evalf(40))
    assert low <= exact <= high and high - low < 1e-14
