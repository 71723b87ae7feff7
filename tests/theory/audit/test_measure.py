"""Monte Carlo measurements against quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import trapezoid

from theory.audit import measure


def test_monte_carlo_is_seeded_and_agrees_with_quadrature() -> None:
    rng = [np.random.default_rng(4) for _ in range(2)]
    training = np.random.default_rng(1).standard_normal((20, 1))
    first, second = (measure.l1_distance(training, 0.05, 20_000, one) for one in rng)
    assert first == second
    x = np.linspace(-9, 9, 20_001)[:, None]
    gap = np.abs(np.exp(measure.log_mixture(x, training, 0.05)) - np.exp(measure.log_normal(x)))
    assert first[0] == pytest.approx(trapezoid(gap, x[:, 0]), abs=4 * first[1])
