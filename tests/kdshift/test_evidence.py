"""The rule that turns curves into verdicts, on synthetic curves whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from kdshift import evidence
from theory.inference.curve import ShiftErrorCurve

SHIFT = np.array([0.0, 0.1, 0.3, 0.5, 0.8])
TAU = np.geomspace(0.01, 3, 9)


def degree_curve(error: np.ndarray, noise: float, data_size: float = 1000, seed: int = 0, replicates: int = 12):
    rng = np.random.default_rng(seed)
    table_RS = error + noise * rng.standard_normal((replicates, len(error)))
    return ShiftErrorCurve.from_replicates(SHIFT, table_RS, data_size=data_size, shift_name="degree")


def tau_curve(data_size: float, exponent: float, seed: int = 0, noise: float = 1e-3):
    best = data_size**exponent
    error = 0.2 + 0.05 * (np.log(TAU) - np.log(best)) ** 2
    rng = np.random.default_rng(seed)
    table_RS = error + noise * rng.standard_normal((16, len(TAU)))
    return ShiftErrorCurve.from_replicates(TAU, table_RS, data_size=data_size, shift_name="tau")


U = 0.2 + 0.3 * (SHIFT - 0.35) ** 2


def test_an_inverted_u_is_seen_and_its_size_is_right() -> None:
    found = evidence.inverted_u([degree_curve(U, 1e-4)])
    assert found.verdict == "supported"
    assert found.effect == pytest.approx(min(U[0], U[-1]) - U.min(), abs=5e-4)


def test_a_falling_curve_contradicts_the_inverted_u() -> None:
    falling = 0.3 - 0.1 * SHIFT
    assert evidence.inverted_u([degree_curve(falling, 1e-4)]).verdict == "contradicted"
    assert evidence.extreme_hurts([degree_curve(falling, 1e-4)]).verdict == "contradicted"
    assert evidence.some_shift_helps([degree_curve(falling, 1e-4)]).verdict == "supported"


def test_noise_is_undecided() -> None:
    flat = np.full_like(SHIFT, 0.25)
    verdicts = [evidence.extreme_hurts([degree_curve(flat, 0.02, seed=seed)]).verdict for seed in range(20)]
    assert verdicts.count("undecided") >= 15


def test_the_fall_of_the_best_tau_is_measured() -> None:
    curves = [tau_curve(n, -0.25, seed=int(n)) for n in (100, 400, 1600, 6400)]
    found = evidence.falls_with_size([curves])
    assert found.verdict == "supported"
    assert found.low < 0.25 < found.high or found.effect == pytest.approx(0.25, abs=0.06)
    rising = [tau_curve(n, -0.25, seed=int(n)) for n in (100, 400, 1600, 6400)]
    swapped = [
        ShiftErrorCurve.from_replicates(TAU, curve.replicates, data_size=other.data_size, shift_name="tau")
        for curve, other in zip(rising, reversed(rising), strict=True)
    ]
    assert evidence.falls_with_size([swapped]).verdict == "contradicted"


def test_comparisons_of_best_shifts_and_of_errors_have_a_sign() -> None:
    left, right = degree_curve(0.2 + (SHIFT - 0.1) ** 2, 1e-4), degree_curve(0.25 + (SHIFT - 0.5) ** 2, 1e-4, seed=3)
    assert evidence.larger_best_shift([(right, left)]).verdict == "supported"
    assert evidence.larger_best_shift([(left, right)]).verdict == "contradicted"
    lower, upper = degree_curve(U, 1e-4), degree_curve(U + 0.03, 1e-4, seed=5)
    saved = evidence.lower_error([(lower, upper)])
    assert saved.verdict == "supported" and saved.effect == pytest.approx(0.03, abs=1e-3)
    assert evidence.lower_error([(upper, lower)]).verdict == "contradicted"
    assert evidence.lower_error([]).verdict == "not measured"


def test_the_rule_of_thumb_is_held_to_its_tolerance() -> None:
    curve = degree_curve(U, 1e-4)
    assert evidence.regret_below([curve], lambda n: 0.3, 0.005).verdict == "supported"
    assert evidence.regret_below([curve], lambda n: 0.8, 0.005).verdict == "contradicted"
