"""The statement itself: lambda follows the counterexample, and what the theorem never uses."""

from __future__ import annotations

import pytest

from tests.theory.audit.mutation import mutation_test, verdict
from theory import audit, printed
from theory.audit import statement

MUTATIONS = [
    (1, "printed.p_aug_mass", lambda v: v.sp.Integer(1), "holds"),
    (24, "printed.data_size_required", lambda v: v.B + v.m, "holds"),
    (23, "printed.tau_limit", lambda v: v.epsilon_t, "holds"),
]  # fmt: skip


test_a_changed_formula_changes_the_verdict = mutation_test(MUTATIONS)


def test_a_law_of_mass_one_needs_no_new_normaliser_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed, "log_total_mass", lambda tau, d: 0.0)
    assert verdict(1) == "holds with a fix"


def test_lambda_follows_the_counterexample(monkeypatch: pytest.MonkeyPatch) -> None:
    found = statement.constants_counterexample(0.6)
    assert found == {"gap": 0.6, "lambda_printed": 0.0, "lambda_correct": 0.6, "teacher_gap": 0.6}
    monkeypatch.setattr(statement, "constants_counterexample", lambda gap: found | {"gap": 0.1})
    assert verdict(22) == "holds"


def test_the_discrepancy_equals_the_l1_distance_on_atoms() -> None:
    (finding,) = audit.audit((2,), steps=[3])
    (no_slack,) = finding.corrected_test[2]
    assert no_slack.holds  # sup over events of 2 |P(A) - Q(A)| is L1 itself, for every pair of laws
    assert no_slack.values["largest_ratio"] == pytest.approx(1, abs=1e-12)
    assert no_slack.values["smallest_ratio"] == pytest.approx(1, abs=1e-12)
