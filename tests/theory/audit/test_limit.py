"""The mean's distance from its target and the limit of tau: verdicts follow the formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from tests.theory.audit.mutation import mutation_test
from theory import audit, printed, repaired

MUTATIONS = [
    (15, "printed.kernel_mean",
     lambda v: (2 * v.sp.pi * v.tau / (1 + v.tau)) ** (v.d / 2) * v.sp.exp(-v.s / (2 * (1 + v.tau))), "holds"),
    (16, "printed.sup_gap", lambda v: 2 + v.tau, "holds"),
    (17, "printed.sup_gap", lambda v: v.tau * (v.x_u**2 + 1) / 32, "holds"),
    (17, "printed.sup_gap", lambda v: v.tau * (v.x_u**2 + 1) / 4, "holds with a fix"),
]  # fmt: skip


test_a_changed_formula_changes_the_verdict = mutation_test(MUTATIONS)


def test_the_integral_s_true_value_is_a_quadrature_s() -> None:
    """Step 15 in one dimension at tau = 0.3, x = 1: the corrected value, and there the printed one too."""
    tau, x = 0.3, 1.0
    measured, _ = quad(lambda y: math.exp(-((x - y) ** 2) / (2 * tau) - y**2 / 2), -np.inf, np.inf)
    corrected = math.sqrt(2 * math.pi * tau / (1 + tau)) * math.exp(-(x**2) / (2 * (1 + tau)))
    assert measured == pytest.approx(corrected, rel=1e-9)
    (finding,) = audit.audit((2,), steps=[15])
    (printed_value,) = finding.claimed[2]
    # In two dimensions one power of tau/(1 + tau) is missing, so its root is the ratio of the two values.
    assert printed_value.values["ratio at tau = 0.3, s = 1"] == pytest.approx(math.sqrt(1.3 / 0.3), rel=1e-9)


def test_the_true_bias_at_the_printed_limit_is_far_below_epsilon() -> None:
    for d in (2, 5):
        (finding,) = audit.audit((d,), steps=[17])
        (chain,) = finding.claimed[d]
        assert finding.verdict == "false" and chain.values["term/epsilon"] > 1 / 8
        exact = float(repaired.bias(0.99 * printed.tau_limit(0.5, d), d)) / 0.5
        assert chain.values["true_bias/epsilon"] == pytest.approx(exact, rel=1e-9) and exact < 1e-3
