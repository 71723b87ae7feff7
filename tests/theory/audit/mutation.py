"""Verdicts before and after a formula is changed, for the tests of every room of steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from theory import audit, formula

FOUND = {
    1: "false", 2: "holds with a fix", 3: "holds", 4: "holds with a fix", 5: "holds", 6: "holds with a fix",
    7: "holds", 8: "false", 9: "false", 10: "holds", 11: "holds", 12: "holds with a fix", 13: "holds with a fix",
    14: "false", 15: "false", 16: "holds with a fix", 17: "false", 18: "false", 19: "holds with a fix", 20: "false",
    21: "false", 22: "holds with a fix", 23: "holds with a fix", 24: "holds with a fix", 25: "false",
    26: "holds with a fix", 27: "holds with a fix",
}  # fmt: skip


def verdict(step: int, dimension: int = 2, **options: Any) -> str:
    return audit.audit((dimension,), steps=[step], **options)[0].verdict


def change(monkeypatch: pytest.MonkeyPatch, name: str, build: Callable[[Any], Any]) -> None:
    """Replace the expression of a formula."""
    monkeypatch.setitem(formula.FORMULAS, name, dataclasses.replace(formula.FORMULAS[name], build=build))


def mutation_test(mutations: Sequence[tuple[int, str, Callable[[Any], Any], str]]) -> Callable[..., None]:
    """The test of a room's mutations (step, formula, its changed expression, the verdict that follows)."""

    @pytest.mark.parametrize(("step", "name", "build", "expected"), mutations)
    def test_a_changed_formula_changes_the_verdict(
        monkeypatch: pytest.MonkeyPatch, step: int, name: str, build: Callable[[Any], Any], expected: str
    ) -> None:
        change(monkeypatch, name, build)
        assert verdict(step) == expected != FOUND[step]

    return test_a_changed_formula_changes_the_verdict
