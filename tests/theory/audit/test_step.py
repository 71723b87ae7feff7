"""The audit: what it finds, and that verdicts follow the formulas: mutate one and its verdict changes."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from theory import audit, formula, printed, repaired
from theory.audit import ball, statement
from theory.errors import InputError

FOUND = {
    1: "false", 2: "holds with a fix", 3: "holds", 4: "holds with a fix", 5: "holds", 6: "holds with a fix",
    7: "holds", 8: "false", 9: "false", 10: "holds", 11: "holds", 12: "holds with a fix", 13: "holds with a fix",
    14: "false", 15: "false", 16: "holds with a fix", 17: "false", 18: "false", 19: "holds with a fix", 20: "false",
    21: "false", 22: "holds with a fix", 23: "holds with a fix", 24: "holds with a fix", 25: "false",
    26: "holds with a fix", 27: "holds with a fix",
}  # fmt: skip


@pytest.fixture(scope="module")
def findings() -> dict[int, audit.Finding]:
    return {finding.number: finding for finding in audit.audit((2, 4))}


def verdict(step: int, dimension: int = 2, **options) -> str:
    return audit.audit((dimension,), steps=[step], **options)[0].verdict


def change(monkeypatch: pytest.MonkeyPatch, name: str, build) -> None:
    """Replace the expression of a formula."""
    monkeypatch.setitem(formula.FORMULAS, name, dataclasses.replace(formula.FORMULAS[name], build=build))


def test_there_are_27_steps_and_verdicts_are_these(findings) -> None:
    assert sorted(findings) == list(range(1, 28))
    assert {number: found.by_dimension[2] for number, found in findings.items()} == FOUND
    assert findings[10].by_dimension[4] == "false" and findings[10].verdict == "false"


def test_every_step_has_evidence_and_words(findings) -> None:
    for finding in findings.values():
        assert finding.claim and finding.corrected and finding.reason.count(". ") <= 1
        for evidence in (*finding.claimed[2], *finding.corrected_test[2]):
            assert evidence.values and evidence.kind in ("symbolic", "certified", "numeric", "monte carlo")
            if evidence.kind == "monte carlo":
                assert "standard_error" in evidence.values


def test_the_counterexample(findings) -> None:
    every_set, measured = findings[21].claimed[2]
    assert every_set.values["data_size"] == 3404
    assert every_set.values["l1_at_least"] == pytest.approx(1.94659, abs=1e-5)
    assert every_set.values["log_data_size_necessary"] == pytest.approx(math.log(4.09e5), abs=2e-3)
    assert measured.values["l1_distance"] == pytest.approx(1.9705, abs=4 * measured.values["standard_error"] + 2e-3)
    assert measured.values["l1_distance"] > every_set.values["l1_at_least"]
    proved, seen = findings[25].claimed[2]
    assert proved.values["gap_at_least"] == pytest.approx(0.9733, abs=1e-4)
    assert seen.values["gap"] + 3 * seen.values["standard_error"] > proved.values["gap_at_least"]
    assert seen.values["ball_radius"] == pytest.approx(0.00367, abs=1e-5)


def test_the_printed_theorem_fails_for_every_small_tau() -> None:
    for d, epsilon in ((2, 0.1), (2, 1e-2), (3, 0.5), (5, 0.5), (768, 0.5)):
        for decades in (0, 1, 5):
            log_tau = float(printed.log_tau_limit(epsilon, d)) + math.log(0.99) - decades * math.log(10)
            n = math.floor(printed.data_size_required(epsilon, 0.1, log_tau, d)) + 1
            assert repaired.l1_lower_bound_log(math.log(n), log_tau, d) > epsilon


MUTATIONS = [
    (1, "printed.p_aug_mass", lambda v: v.sp.Integer(1), "holds"),
    (5, "printed.x_u", lambda v: 2 * v.d * v.sp.log(2 * v.sp.pi * v.d) + 7 * v.sp.log(2) - 4 * v.sp.log(v.epsilon),
     "false"),
    (9, "printed.lipschitz", lambda v: (2 * v.sp.pi * v.tau) ** (-v.d / 2) / v.sp.sqrt(v.tau * v.sp.E), "holds"),
    (10, "printed.cell_error", lambda v: (v.B + v.B_prime) * v.V * v.r / 3, "holds with a fix"),
    (11, "printed.cell_size", lambda v: v.epsilon / (3 * (v.B + v.B_prime) * (2 * v.x_u) ** v.d), "false"),
    (12, "printed.grid_count",
     lambda v: (2 * (v.B + v.B_prime) * (2 * v.x_u) ** (v.d + 1) / v.epsilon) ** v.d, "holds"),
    (12, "printed.grid_count", lambda v: ((v.B + v.B_prime) * (2 * v.x_u) ** (v.d + 1) / v.epsilon) ** v.d, "false"),
    (13, "printed.hoeffding", lambda v: v.sp.sqrt(v.sp.log(4 * v.n_g / v.delta) / (2 * v.n)), "holds"),
    (14, "printed.hoeffding", lambda v: v.sp.sqrt(v.sp.log(2 * v.n_g / v.delta) / (2 * v.n)) * 1e-6 * v.tau,
     "holds"),
    (15, "printed.kernel_mean",
     lambda v: (2 * v.sp.pi * v.tau / (1 + v.tau)) ** (v.d / 2) * v.sp.exp(-v.s / (2 * (1 + v.tau))), "holds"),
    (16, "printed.sup_gap", lambda v: 2 + v.tau, "holds"),
    (17, "printed.sup_gap", lambda v: v.tau * (v.x_u**2 + 1) / 32, "holds"),
    (17, "printed.sup_gap", lambda v: v.tau * (v.x_u**2 + 1) / 4, "holds with a fix"),
    (19, "printed.data_size_bracket", lambda v: -v.sp.log(v.delta), "holds"),
    (19, "printed.data_size_bracket", lambda v: -v.sp.log(v.delta) / 2, "false"),
    (24, "printed.data_size_required", lambda v: v.B + v.m, "holds"),
    (23, "printed.tau_limit", lambda v: v.epsilon_t, "holds"),
    (26, "printed.tau_limit", lambda v: 1 / v.n, "holds"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "name", "build", "expected"), MUTATIONS)
def test_a_changed_formula_changes_the_verdict(monkeypatch, step: int, name: str, build, expected: str) -> None:
    before = FOUND[step]
    change(monkeypatch, name, build)
    assert verdict(step) == expected != before


def test_a_correct_data_size_makes_steps_18_and_21_hold(monkeypatch) -> None:
    from theory.audit import noise

    derived = noise.derived_bracket()
    change(monkeypatch, "printed.data_size_bracket", lambda v: derived)
    assert verdict(18) == "holds"
    monkeypatch.setattr(printed, "data_size_required", lambda e, delta, log_tau, d: np.exp(-d / 2 * log_tau) * 400)
    monkeypatch.setattr(printed, "log_tau_limit", lambda e, d: np.float64(math.log(0.05)))
    assert verdict(21) == "holds" and verdict(25) == "holds"


def test_numeric_mutations_change_verdicts(monkeypatch) -> None:
    true = math.sqrt(ball.true_square(audit.AuditPoint(dimension=2, epsilon=0.5, delta=0.1, seed=0)))
    monkeypatch.setattr(printed, "ball_radius", lambda e, d: true)
    assert verdict(4) == "holds"
    monkeypatch.setattr(printed, "ball_radius", lambda e, d: true**2 / 2)
    assert verdict(4) == "false"
    monkeypatch.setattr(ball, "share_slack", lambda n, delta: 0.1 / math.sqrt(n))
    assert verdict(7) == "holds with a fix"
    monkeypatch.setattr(printed, "x_u", lambda e, d: 1.0)
    assert verdict(6) == "false" or verdict(6) == "holds"
    monkeypatch.setattr(printed, "log_total_mass", lambda tau, d: 0.0)
    assert verdict(1) == "holds with a fix"


def test_lambda_follows_the_counterexample(monkeypatch) -> None:
    found = statement.constants_counterexample(0.6)
    assert found == {"gap": 0.6, "lambda_printed": 0.0, "lambda_correct": 0.6, "teacher_gap": 0.6}
    monkeypatch.setattr(statement, "constants_counterexample", lambda gap: found | {"gap": 0.1})
    assert verdict(22) == "holds"


def test_high_dimensions_and_other_settings() -> None:
    for finding in audit.audit((768,), epsilon=0.1, delta=0.01):
        assert finding.verdict == ("false" if finding.number == 10 else finding.verdict)
    assert audit.audit((768,), steps=[21])[0].verdict == "false"


def test_markdown_and_records(findings) -> None:
    text = audit.markdown(list(findings.values()))
    assert text.count("\n") == 29 and "holds (d = 2); false (d = 4)" in text
    record = findings[21].record()
    assert record["verdict"] == "false" and record["evidence"][0]["values"]["l1_at_least"] > 1.9


def test_mistakes_are_input_errors() -> None:
    for bad in ({"dimensions": (1,)}, {"epsilon": 1.5}, {"delta": 0}, {"steps": [28]}):
        with pytest.raises(InputError):
            audit.audit(**({"dimensions": (2,)} | bad))
