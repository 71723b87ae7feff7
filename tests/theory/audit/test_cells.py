"""The exact mean distance to a cube's centre."""

from __future__ import annotations

import pytest

from theory.audit import cells


def test_mean_distance_to_the_centre_of_a_cube() -> None:
    known = {1: 0.25, 2: 0.3826, 3: 0.4803, 4: 0.5609, 5: 0.6312, 10: 0.9033}
    for d, mean in known.items():
        assert cells.mean_distance_to_centre(d) == pytest.approx(mean, abs=6e-5)
    assert cells.mean_distance_to_centre(1) == pytest.approx(0.25, abs=1e-7)
