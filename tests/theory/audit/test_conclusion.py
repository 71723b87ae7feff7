"""The conclusion: the L1 distance, every hypothesis, and what is read into the theorem about tau."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.theory.audit.mutation import mutation_test, verdict
from theory import audit, printed, repaired

MUTATIONS = [
    (26, "printed.tau_limit", lambda v: 1 / v.n, "holds"),
]  # fmt: skip


test_a_changed_formula_changes_the_verdict = mutation_test(MUTATIONS)


@pytest.fixture(scope="module")
def findings() -> dict[int, audit.Finding]:
    return {finding.number: finding for finding in audit.audit((2,), steps=[21, 25, 27])}


def test_the_counterexample(findings: dict[int, audit.Finding]) -> None:
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


def test_a_data_size_of_the_right_order_makes_steps_21_and_25_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed, "data_size_required", lambda e, delta, log_tau, d: np.exp(-d / 2 * log_tau) * 400)
    monkeypatch.setattr(printed, "log_tau_limit", lambda e, d: np.float64(math.log(0.05)))
    assert verdict(21) == "holds" and verdict(25) == "holds"


def test_mass_outside_the_trusted_ball_is_a_chi_square_tail(findings: dict[int, audit.Finding]) -> None:
    """|x|^2/(1 + tau) is chi-square with 2 degrees of freedom, whose tail is exp(-s/2)."""
    (inside,) = findings[27].corrected_test[2]
    square = inside.values["radius"] ** 2
    for tau in (0.1, 0.3, 1.0):
        assert inside.values[f"tau={tau:g}"] == pytest.approx(math.exp(-square / 2 / (1 + tau)), rel=1e-9)
    (everywhere,) = findings[27].claimed[2]
    assert {value for name, value in everywhere.values.items() if name.startswith("tau=")} == {0.0}
