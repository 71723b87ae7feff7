"""The power law of best shifts: exact, covered, and silent where curves are flat."""

from __future__ import annotations

import numpy as np
import pytest

from tests.theory.inference.worlds import TAUS, bowl, noisy
from theory.errors import InputError
from theory.inference.curve import ShiftErrorCurve
from theory.inference.power_law import power_law


def law_optima(count: int, noise: float, seed: int) -> list:
    sizes = (100, 300, 1000, 3000)
    return [noisy(bowl(2 * n**-0.5), count, noise, seed + n, n).optimum(draws=500) for n in sizes]


def test_power_law_of_exact_curves() -> None:
    sizes = (100, 1000, 10_000)
    optima = [
        ShiftErrorCurve(shift=TAUS, error=bowl(2 * n**-0.4), error_se=np.zeros(15), data_size=n).optimum()
        for n in sizes
    ]
    law = power_law(optima)
    assert law.exponent == pytest.approx(-0.4, abs=1e-9) and law.log_constant == pytest.approx(np.log(2), abs=1e-8)
    assert law(1000) == pytest.approx(2 * 1000**-0.4) and law.residual < 1e-8


def test_power_law_interval_covers_and_narrows() -> None:
    laws = [power_law(law_optima(12, 0.03, 10_000 * seed)) for seed in range(60)]
    assert sum(law.exponent_low <= -0.5 <= law.exponent_high for law in laws) >= 54
    assert np.median([law.exponent_high - law.exponent_low for law in laws]) < 0.3


def test_where_an_end_of_the_grid_may_be_the_best_the_interval_still_covers() -> None:
    """Curves that are flat at small n: their drawn best taus lie mid-grid, and those alone cover 88 to 93 %."""
    rng, holds, worlds = np.random.default_rng(1), 0, 120
    ends, depths = 0, ((30, 0.0003), (100, 0.001), (300, 0.003), (1000, 0.01), (3000, 0.02))
    for _ in range(worlds):
        optima = [
            noisy(bowl(0.01, depth), 8, 0.01, int(rng.integers(2**31)), n).optimum(draws=300) for n, depth in depths
        ]
        law = power_law(optima)
        holds += law.exponent_low <= 0 <= law.exponent_high
        ends += any(optimum.ends_possible[0] for optimum in optima)
    assert holds >= 0.95 * worlds and ends > 0.2 * worlds


def test_a_best_shift_between_the_last_two_grid_points_is_covered() -> None:
    """The last point is the only candidate there; alone it held the exponent in half of the worlds."""
    rng, grid, held, first, worlds = np.random.default_rng(0), np.geomspace(0.02, 8, 7), 0, 0, 60
    for _ in range(worlds):
        optima = []
        for size in (100, 1000, 10_000):
            best = 7 * (size / 100) ** -0.4
            table = 0.02 * np.log(grid / best) ** 2 + 0.006 * rng.standard_normal((5, 7)) + rng.normal(0, 0.02, (5, 1))
            optima.append(ShiftErrorCurve.from_replicates(grid, table, size).optimum(draws=300))
        law = power_law(optima)
        held += law.exponent_low <= -0.4 <= law.exponent_high
        first += optima[0].low <= 7 <= optima[0].high
    assert held >= 0.92 * worlds and first >= 0.92 * worlds


def test_power_law_of_flat_curves_says_nothing() -> None:
    optima = [noisy(np.full(15, 0.3), 12, 0.03, n, n).optimum() for n in (100, 1000, 10_000)]
    law = power_law(optima)
    assert law.exponent_high - law.exponent_low > 1


def test_a_best_shift_of_zero_and_a_single_size_have_no_law() -> None:
    one = ShiftErrorCurve(shift=TAUS, error=bowl(0.1), error_se=np.zeros(15), data_size=10).optimum()
    with pytest.raises(InputError, match="two different"):
        power_law([one, one])
    degree = np.array([0, 0.1, 0.5])
    curve = ShiftErrorCurve(shift=degree, error=degree, error_se=np.zeros(3), data_size=50, shift_name="degree")
    with pytest.raises(InputError, match="no augmentation"):
        power_law([one, curve.optimum()])
    with pytest.raises(InputError, match="level"):
        power_law([one, one], level=1.5)


def test_optima_at_the_edge_are_marked() -> None:
    at = [
        ShiftErrorCurve(shift=TAUS, error=bowl(best), error_se=np.zeros(15), data_size=n).optimum()
        for n, best in ((100, 0.1), (1000, 1e-9))
    ]
    assert power_law(at).at_edge.tolist() == [False, True]
