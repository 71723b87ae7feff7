"""The sampling noise: verdicts follow the formulas, and the derived data size satisfies the proof's own inequality."""

from __future__ import annotations

import math

import pytest

from tests.theory.audit.mutation import change, mutation_test, verdict
from theory import audit, formula
from theory.audit import noise
from theory.audit.cells import log_grid_count

MUTATIONS = [
    (13, "printed.hoeffding", lambda v: v.sp.sqrt(v.sp.log(4 * v.n_g / v.delta) / (2 * v.n)), "holds"),
    (14, "printed.hoeffding", lambda v: v.sp.sqrt(v.sp.log(2 * v.n_g / v.delta) / (2 * v.n)) * 1e-6 * v.tau,
     "holds"),
    (19, "printed.data_size_bracket", lambda v: -v.sp.log(v.delta), "holds"),
    (19, "printed.data_size_bracket", lambda v: -v.sp.log(v.delta) / 2, "false"),
]  # fmt: skip


test_a_changed_formula_changes_the_verdict = mutation_test(MUTATIONS)


def test_the_derived_data_size_makes_step_18_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    derived = noise.derived_bracket()
    change(monkeypatch, "printed.data_size_bracket", lambda v: derived)
    assert verdict(18) == "holds"


def test_the_derived_bracket_is_what_the_corrected_claim_says() -> None:
    v = formula.symbols()
    sp, d = v.sp, v.d
    said = (d**2 + 7 * d + 1) * sp.log(2) - d + (d**2 + d) * sp.log(v.x_u) + d * sp.log(d)
    said += -3 * d * sp.log(v.epsilon) - sp.log(v.delta) - d / 2 * sp.log(v.tau)
    assert sp.expand(noise.derived_bracket() - said) == 0


def test_noise_is_the_printed_deviation_in_logarithms() -> None:
    at = audit.AuditPoint(dimension=2, epsilon=0.5, delta=0.1, seed=0)
    found = noise.log_noise(at)
    deviation = math.sqrt((math.log(2 / at.delta) + log_grid_count(at)) / (2 * at.data_size))
    assert found["log_deviation"] == pytest.approx(math.log(deviation), rel=1e-9)
    # The kernel's height is 1, its mean tau/(1 + tau) in two dimensions: the noise drowns it by orders of magnitude.
    assert found["log_signal"] == pytest.approx(math.log(at.tau / (1 + at.tau)), rel=1e-9)
    assert found["log_deviation"] - found["log_signal"] > math.log(1000)
