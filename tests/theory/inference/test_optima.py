"""Where the best shift lies: differences, falls with the data size, censoring at a grid's edge."""

from __future__ import annotations

import numpy as np
import pytest

from tests.theory.inference.worlds import SIZES, TAUS, bowl, curves, degree_bowl, noisy
from theory.inference import optima
from theory.inference.curve import ShiftErrorCurve


def test_where_the_best_shift_lies() -> None:
    def high(degree: np.ndarray, size: float) -> np.ndarray:
        return degree_bowl(degree, size, 0.45)

    def low(degree: np.ndarray, size: float) -> np.ndarray:
        return degree_bowl(degree, size, 0.2)

    def moving(degree: np.ndarray, size: float) -> np.ndarray:
        return degree_bowl(degree, size, 0.8 - 0.15 * np.log10(size))

    a, b = (curves(6, np.random.default_rng(7), mean=mean, noise=0.001) for mean in (high, low))
    assert optima.larger_best_shift(list(zip(a, b, strict=True))).effect == pytest.approx(0.25, abs=0.05)
    assert optima.larger_best_shift(list(zip(b, a, strict=True))).verdict == "contradicted"
    falls = optima.falls_with_size([curves(6, np.random.default_rng(8), mean=moving, noise=0.001)])
    assert falls.verdict == "supported" and falls.effect == pytest.approx(0.15, abs=0.05)


def test_an_optimum_at_the_edge_is_left_out_or_one_sided() -> None:
    def edge(degree: np.ndarray, size: float) -> np.ndarray:
        return degree_bowl(degree, size, 1.5 if size == SIZES[0] else 0.5)

    inner = curves(6, np.random.default_rng(9), mean=degree_bowl, noise=0.001)
    outer = curves(6, np.random.default_rng(10), mean=edge, noise=0.001)
    found = optima.larger_best_shift(list(zip(outer, inner, strict=True)))
    assert "n = 220: at least 0.8" in found.note and found.effect < 0.2
    low = curves(6, np.random.default_rng(11), mean=lambda degree, size: degree_bowl(degree, size, 0.1), noise=0.001)
    only = optima.larger_best_shift([(outer[0], low[0])])
    assert only.verdict == "supported" and np.isinf(only.high) and only.low > 0.1
    assert optima.larger_best_shift([(low[0], outer[0])]).verdict == "contradicted"
    near = optima.larger_best_shift([(outer[0], inner[0])])
    assert near.verdict == "undecided", "it may lie between the last two grid points"


def test_best_taus_are_compared_in_logarithms_and_without_tau_0() -> None:
    """The ratio 3, and the exponent -1/2, by construction; tau = 0 stands in the grid and takes no part."""

    def with_none(curve: ShiftErrorCurve) -> ShiftErrorCurve:
        assert curve.replicates is not None
        table = np.hstack([np.full((len(curve.replicates), 1), 0.1), curve.replicates])
        return ShiftErrorCurve.from_replicates(np.r_[0.0, curve.shift], table, curve.data_size)

    above, below = (
        [with_none(noisy(bowl(best), 6, 0.002, seed, size)) for seed, size in enumerate(SIZES)] for best in (0.3, 0.1)
    )
    found = optima.larger_best_shift(list(zip(above, below, strict=True)))
    assert found.verdict == "supported" and found.effect == pytest.approx(np.log(3), abs=0.05)
    assert found.note == "no augmented data is better still at n = 220, 1,098, 21,966"
    falling = [with_none(noisy(bowl(2 * size**-0.5), 6, 0.002, 9, size)) for size in SIZES]
    assert optima.falls_with_size([falling]).effect == pytest.approx(0.5, abs=0.03)


def test_single_runs_are_read_over_rows() -> None:
    def row(best: float, size: float) -> ShiftErrorCurve:
        return ShiftErrorCurve(shift=TAUS, error=bowl(best), error_se=np.full(15, 1e-4), data_size=size)

    pairs = [(row(0.2 * factor, size), row(0.1, size)) for factor, size in zip((0.9, 1.0, 1.1), SIZES, strict=True)]
    found = optima.larger_best_shift(pairs)
    assert found.units == 3 and found.verdict == "supported" and "over 3 rows" in found.note


def test_single_runs_beyond_the_grid_have_no_interval() -> None:
    """One run's seed may have put its best at the edge: what the evaluation set adds is not all of its noise."""

    def row(best: float) -> ShiftErrorCurve:
        degrees = np.linspace(0, 0.8, 9)
        error = 0.3 + (degrees - best) ** 2
        return ShiftErrorCurve(
            shift=degrees, error=error, error_se=np.full(9, 1e-4), data_size=100, shift_name="degree"
        )

    found = optima.larger_best_shift([(row(0.3), row(1.2))])
    assert found.verdict == "undecided" and found.effect is not None and found.effect < -0.3
    assert "at least 0.8" in found.note and "no interval over seeds" in found.note


def test_exact_curves_have_no_noise() -> None:
    exact = [
        ShiftErrorCurve(shift=TAUS, error=bowl(2 / size**0.4), error_se=np.zeros(15), data_size=size) for size in SIZES
    ]
    found = optima.falls_with_size([exact])
    assert found.effect == pytest.approx(0.4) and found.p == 0.0 and found.runs == 0


def test_a_flat_curve_has_no_best_shift_and_one_end_that_may_be_best_stands_for_itself() -> None:
    """Both best at no shift: one steep, one nearly flat, whose drawn best shifts lie in the middle of the grid."""

    def nearly_flat(degree: np.ndarray, size: float) -> np.ndarray:
        return 0.3 + 0.002 * degree

    def steep(degree: np.ndarray, size: float) -> np.ndarray:
        return 0.3 + 0.1 * degree

    found = []
    for world in range(20):
        rng = np.random.default_rng(world)
        pairs = list(zip(curves(8, rng, mean=nearly_flat), curves(8, rng, mean=steep), strict=True))
        found.append(optima.larger_best_shift(pairs))
    assert sum(each.verdict == "supported" for each in found) <= 1
    assert any("no best shift to speak of" in each.note for each in found)


def test_a_steeper_curve_for_more_data_is_no_fall_of_the_best_shift() -> None:
    def steeper(degree: np.ndarray, size: float) -> np.ndarray:
        return 0.3 + 0.0003 * size**0.6 * degree

    rng = np.random.default_rng(0)
    found = [optima.falls_with_size([curves(8, rng, mean=steeper)]).verdict for _ in range(20)]
    assert found.count("supported") <= 1
