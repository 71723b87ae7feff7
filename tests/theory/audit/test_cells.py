"""The grid of cells: the exact mean distance to a cube's centre, and verdicts that follow the formulas."""

from __future__ import annotations

import pytest

from tests.theory.audit.mutation import mutation_test
from theory.audit import cells

MUTATIONS = [
    (9, "printed.lipschitz", lambda v: (2 * v.sp.pi * v.tau) ** (-v.d / 2) / v.sp.sqrt(v.tau * v.sp.E), "holds"),
    (10, "printed.cell_error", lambda v: (v.B + v.B_prime) * v.V * v.r / 3, "holds with a fix"),
    (11, "printed.cell_size", lambda v: v.epsilon / (3 * (v.B + v.B_prime) * (2 * v.x_u) ** v.d), "false"),
    (12, "printed.grid_count",
     lambda v: (2 * (v.B + v.B_prime) * (2 * v.x_u) ** (v.d + 1) / v.epsilon) ** v.d, "holds"),
    (12, "printed.grid_count", lambda v: ((v.B + v.B_prime) * (2 * v.x_u) ** (v.d + 1) / v.epsilon) ** v.d, "false"),
]  # fmt: skip


test_a_changed_formula_changes_the_verdict = mutation_test(MUTATIONS)


def test_mean_distance_to_the_centre_of_a_cube() -> None:
    known = {1: 0.25, 2: 0.3826, 3: 0.4803, 4: 0.5609, 5: 0.6312, 10: 0.9033}
    for d, mean in known.items():
        assert cells.mean_distance_to_centre(d) == pytest.approx(mean, abs=6e-5)
    assert cells.mean_distance_to_centre(1) == pytest.approx(0.25, abs=1e-7)
