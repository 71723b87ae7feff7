"""The rules on curves of known truth: right where there is an effect, and hardly ever wrong where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from tests.theory.inference.worlds import DEGREES, curves, degree_bowl
from theory.inference import effects, optima
from theory.inference.curve import ShiftErrorCurve
from theory.inference.verdict import Evidence

SLOW = pytest.mark.slow


def judged(a: list[ShiftErrorCurve], b: list[ShiftErrorCurve]) -> dict[str, Evidence]:
    """Every rule that finds something only where something depends on the degree; limits at the tolerance itself."""
    pairs = list(zip(a, b, strict=True))
    return {
        "helps": effects.some_shift_helps(a),
        "extreme": effects.extreme_hurts(a),
        "inverted u": effects.inverted_u(a),
        "regret": effects.regret_below(a, lambda size: 0.3, 0.0),
        "rival": effects.rule_beats(a, lambda size: 0.5, 0.1),
        "lower": effects.lower_error(pairs),
        "no gain": effects.no_gain(pairs, 0.0),
        "larger gain": effects.larger_gain(pairs),
        "gain falls": effects.gain_falls_with_size([a]),
        "larger shift": optima.larger_best_shift(pairs),
        "shift falls": optima.falls_with_size([a]),
    }


@pytest.mark.parametrize(
    ("count", "shared", "worlds"),
    [(3, 0.005, 60)] + [pytest.param(r, s, 1000, marks=SLOW) for r in (3, 5, 16) for s in (0.0, 0.005)],
)
def test_null_worlds_support_nothing(count: int, shared: float, worlds: int) -> None:
    rng = np.random.default_rng([count, worlds])
    false: dict[str, int] = {}
    for _ in range(worlds):
        for name, found in judged(curves(count, rng, shared=shared), curves(count, rng, shared=shared)).items():
            false[name] = false.get(name, 0) + (found.verdict == "supported")
    assert max(false.values()) <= max(0.05 * worlds, 4), false


def test_an_inverted_u_is_seen_and_its_size_is_right() -> None:
    a = curves(8, np.random.default_rng(0), mean=degree_bowl)
    u, helps, extreme = effects.inverted_u(a), effects.some_shift_helps(a), effects.extreme_hurts(a)
    assert {u.verdict, helps.verdict, extreme.verdict} == {"supported"}
    assert helps.low < 0.3 * 0.16 - 0.3 * 0.01 < helps.high and u.units == 8 and u.looks == 3
    falling = curves(8, np.random.default_rng(1), mean=lambda degree, size: 0.3 - 0.1 * degree, noise=0.002)
    assert effects.inverted_u(falling).verdict == effects.extreme_hurts(falling).verdict == "contradicted"


@pytest.mark.parametrize(
    ("count", "shared", "worlds"),
    [(5, 0.0, 60)] + [pytest.param(r, s, 1000, marks=SLOW) for r in (3, 5, 16) for s in (0.0, 0.002)],
)
def test_a_loss_of_the_margin_is_hardly_ever_called_negligible(count: int, shared: float, worlds: int) -> None:
    margin, rng = 0.02, np.random.default_rng([count, worlds])

    def one_best(degree: np.ndarray, size: float) -> np.ndarray:
        return 0.3 - margin * (degree == 0.3)

    false = {"extreme": 0, "inverted u": 0}
    for _ in range(worlds):
        world = curves(count, rng, shared=shared, mean=one_best)
        false["extreme"] += effects.extreme_hurts(world, margin=margin).verdict == "negligible"
        false["inverted u"] += effects.inverted_u(world, margin=margin).verdict == "negligible"
    assert max(false.values()) <= max(0.025 * worlds, 3), false


def test_a_loss_below_the_margin_is_negligible_where_the_noise_lets_it_be_seen() -> None:
    flat = curves(12, np.random.default_rng(6), noise=0.001)
    for rule in (effects.extreme_hurts, effects.inverted_u):
        assert rule(flat).verdict == "undecided" and rule(flat).at_most is None
        found = rule(flat, margin=0.005)
        assert found.verdict == "negligible" and 0 < found.at_most < 0.005 and found.high < 0.005
        assert rule(flat, margin=1e-5).verdict == "undecided"
        assert rule(curves(3, np.random.default_rng(7)), margin=0.005).verdict == "undecided"
    falling = curves(8, np.random.default_rng(8), mean=lambda degree, size: 0.3 - 0.1 * degree, noise=0.002)
    assert effects.extreme_hurts(falling, margin=0.005).verdict == "contradicted"
    bowl = curves(8, np.random.default_rng(9), mean=degree_bowl, noise=0.002)
    assert effects.inverted_u(bowl, margin=0.005).verdict == "supported"


def test_an_inverted_u_needs_three_shifts() -> None:
    two = [curve.only(curve.names, curve.shift[:2]) for curve in curves(3, np.random.default_rng(0))]
    assert effects.inverted_u(two).note == "needs three or more shifts"
    assert effects.inverted_u([]).note == effects.NO_RUNS


def test_two_replicates_decide_little_and_single_runs_are_read_over_rows() -> None:
    rng = np.random.default_rng(2)
    pairs = [effects.some_shift_helps(curves(2, rng)).verdict for _ in range(60)]
    assert pairs.count("supported") <= 5 and effects.some_shift_helps(curves(2, rng)).units == 2
    rows = [
        ShiftErrorCurve(
            shift=DEGREES,
            error=degree_bowl(DEGREES, size) + 0.001 * rng.standard_normal(5),
            error_se=np.full(5, 0.004),
            data_size=size,
            shift_name="degree",
        )
        for size in (100, 200, 400, 800)
    ]
    found = effects.some_shift_helps(rows)
    assert found.verdict == "supported" and found.note == "one run a cell: over 4 rows" and found.units == 4
    alone = effects.some_shift_helps(rows[:1])
    assert alone.verdict == "undecided" and np.isnan(alone.low) and "no interval over seeds" in alone.note


def test_a_rule_is_held_to_its_tolerance_and_to_its_rival() -> None:
    a = curves(8, np.random.default_rng(3), mean=degree_bowl, noise=0.002)
    assert effects.regret_below(a, lambda n: 0.3, 0.01).verdict == "supported"
    assert effects.regret_below(a, lambda n: 0.8, 0.01).verdict == "contradicted"
    assert effects.rule_beats(a, lambda n: 0.3, 0.8).verdict == "supported"
    assert effects.rule_beats(a, lambda n: 0.4, 0.9).verdict == "not measured"


def test_two_shifts_that_are_alike_are_shown_to_be_within_a_margin_and_others_are_not() -> None:
    flat = curves(12, np.random.default_rng(4), noise=0.002)
    assert effects.rule_beats(flat, lambda n: 0.5, 0.3).verdict == "undecided"
    alike = effects.rule_beats(flat, lambda n: 0.5, 0.3, margin=0.005)
    assert alike.verdict == "negligible" and alike.at_most == pytest.approx(alike.high) and alike.at_most < 0.005
    assert effects.rule_beats(flat, lambda n: 0.5, 0.4, margin=0.005).verdict == "undecided", "40 % was not measured"
    noisy = effects.rule_beats(curves(3, np.random.default_rng(5), noise=0.02), lambda n: 0.5, 0.3, margin=0.005)
    assert noisy.verdict == "undecided" and noisy.at_most is None
    better = curves(8, np.random.default_rng(3), mean=degree_bowl, noise=0.002)
    assert effects.rule_beats(better, lambda n: 0.3, 0.8, margin=0.005).verdict == "supported"


def test_no_gain_is_shown_not_assumed() -> None:
    a, b = (curves(12, np.random.default_rng(seed), noise=0.001) for seed in (4, 4))
    noisy = curves(3, np.random.default_rng(5))
    assert effects.no_gain(list(zip(a, b, strict=True)), 0.005).verdict == "supported"
    assert effects.no_gain(list(zip(a, noisy, strict=True)), 0.0001).verdict == "undecided"


def test_the_gain_falls_with_the_data() -> None:
    def mean(degree: np.ndarray, size: float) -> np.ndarray:
        return 0.3 - (0.05 - 0.01 * np.log10(size)) * (degree > 0)

    found = effects.gain_falls_with_size([curves(8, np.random.default_rng(6), mean=mean, noise=0.002)])
    assert found.verdict == "supported" and found.low < 0.01 < found.high


def test_what_is_not_there_is_not_measured() -> None:
    assert effects.some_shift_helps([]).verdict == effects.lower_error([]).verdict == "not measured"
    assert optima.larger_best_shift([]).verdict == optima.falls_with_size([]).verdict == "not measured"
