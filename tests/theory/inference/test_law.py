"""The joint law recovers how gain and optimum move with the data size, and says where no form fits."""

from __future__ import annotations

import numpy as np
import pytest

from tests.theory.inference.worlds import curves
from theory.errors import InputError
from theory.inference.law import FORMS, NONE, fit_law


def test_a_gain_that_shrinks_at_a_fixed_optimum() -> None:
    def mean(degree: np.ndarray, size: float) -> np.ndarray:
        return 0.3 + (size / 1000) ** -0.3 * (0.3 * (degree - 0.4) ** 2)

    law = fit_law(curves(10, np.random.default_rng(0), mean=mean, noise=0.003))
    assert law.fits and law.form in ("parabola, its depth a power of n", "parabola, its terms linear in log n")
    assert law.best == pytest.approx(0.4, abs=0.06) and law.best_move.low <= 0 <= law.best_move.high
    assert law.gain == pytest.approx(0.048 * (law.data_sizes / 1000) ** -0.3, rel=0.35) and law.gain_move.high < 0


def test_an_optimum_that_moves() -> None:
    def mean(degree: np.ndarray, size: float) -> np.ndarray:
        return 0.3 + 0.3 * (degree - (0.9 - 0.15 * np.log10(size))) ** 2

    law = fit_law(curves(10, np.random.default_rng(1), mean=mean, noise=0.003))
    assert law.best_move.high < 0 and law.best_move.effect == pytest.approx(-0.15 / 0.8, abs=0.05)


def test_flat_curves_are_flat() -> None:
    flat = fit_law(curves(12, np.random.default_rng(2)))
    assert flat.scores["flat"] >= max(flat.scores[form] for form in FORMS) - 0.02 and flat.fits
    jagged = fit_law(
        curves(10, np.random.default_rng(3), mean=lambda d, n: 0.3 + 0.1 * (np.round(10 * d) == 3), noise=0.002)
    )
    assert not jagged.fits and jagged.scores[NONE] == max(jagged.scores.values())


def test_one_data_size_has_no_law() -> None:
    with pytest.raises(InputError, match="data sizes"):
        fit_law(curves(5, np.random.default_rng(4))[:1])
