"""Intervals become verdicts by one rule; settings that disagree are not averaged; Holm's correction by hand."""

from __future__ import annotations

import numpy as np
import pytest

from theory.inference.calibrate import power, units_to_decide
from theory.inference.contrast import student_from, student_interval
from theory.inference.evaluation import bounded_covariance, least_correlation, measured_covariance
from theory.inference.verdict import Evidence, as_prediction, brief_effect, holm, judge, judge_both, together, with_holm


def evidence(effect: float, se: float = 0.01):
    return judge(student_from(effect, se, 9), unit="error")


def test_the_rule() -> None:
    assert [evidence(x).verdict for x in (0.1, -0.1, 0.001)] == ["supported", "contradicted", "undecided"]
    single = judge(student_interval([0.3]), unit="error")
    assert single.verdict == "undecided" and "no interval over seeds" in single.note and single.p is None
    assert as_prediction(evidence(0.1)).verdict == "the bound predicts"


def test_settings_are_never_averaged() -> None:
    split = together({"smooth": evidence(0.1), "linear": evidence(-0.2)})
    assert split.verdict == "depends" and split.effect == -0.2 and "smooth" in split.note
    assert together({"a": evidence(0.1), "b": evidence(0.2)}).effect == 0.1
    assert together({"a": evidence(0.1), "b": evidence(0.05, 0.03)}).verdict == "undecided"  # b cannot tell
    shown = together({"a": evidence(0.1), "b": evidence(0.001)})  # b has no such effect
    assert shown.verdict == "depends" and shown.effect == 0.001
    assert together({"a": evidence(0.1), "b": judge(student_interval([0.0]), unit="error")}).verdict == "undecided"
    assert judge_both(evidence(0.1), evidence(-0.1)) == "contradicted"


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    scored = with_holm({"one": {"text": evidence(0.1), "paper": evidence(0.021)}})["one"]
    assert scored["paper"].p_holm == pytest.approx(scored["paper"].p)
    assert scored["text"].p_holm == pytest.approx(2 * scored["text"].p)


def test_words_for_one_sided_effects() -> None:
    assert brief_effect(evidence(0.1)).startswith("0.1 [")
    assert brief_effect(judge(student_interval([0.3]), unit="")) == "0.3"


def test_power_is_that_of_simulated_t_tests() -> None:
    rng, found = np.random.default_rng(0), 0
    for _ in range(1500):
        found += student_interval(rng.normal(1.0, 1.0, 8)).low > 0
    assert power(1.0, 1 / np.sqrt(8), 8) == pytest.approx(found / 1500, abs=0.04)
    needed = units_to_decide(0.5, 1 / np.sqrt(8), 8)
    assert power(0.5, 1 / np.sqrt(needed), needed) >= 0.8 > power(0.5, 1 / np.sqrt(needed - 1), needed - 1)
    assert units_to_decide(0.0, 0.1, 8) is None and np.isnan(power(1.0, 0.1, 1))


def test_the_bound_on_an_evaluation_set_holds_what_two_way_noise_gives() -> None:
    rng = np.random.default_rng(1)
    hard = np.clip(rng.beta(1, 2, 4000)[:, None] + rng.normal(0, 0.05, (4000, 3)), 0, 1)
    wrong = (rng.random((6, 4000, 3)) < hard).astype(float)
    found, bound = measured_covariance(wrong), bounded_covariance(wrong.mean((0, 1)), 4000, 0.75)
    contrast = np.array([1.0, -1.0, 0.0])
    assert contrast @ found @ contrast < contrast @ bound @ contrast
    assert found[0, 0] == pytest.approx(hard[:, 0].var() / 4000, rel=0.15)
    assert least_correlation(bound) == pytest.approx(0.75) and least_correlation(found) > 0.8


def case(verdict: str, low: float, high: float, at_most: float | None = None) -> Evidence:
    return Evidence(verdict=verdict, effect=(low + high) / 2, low=low, high=high, at_most=at_most)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cases", "verdict"),
    [
        ((case("supported", 0.05, 0.06), case("supported", 0.01, 0.02), case("undecided", -0.01, 0.055)), "undecided"),
        ((case("contradicted", -0.02, -0.01), case("negligible", -0.001, 0.003, 0.004)), "contradicted"),
        (
            (case("contradicted", -0.02, -0.01), case("negligible", -0.001, 0.003, 0.004), case("undecided", -1, 1)),
            "undecided",
        ),
        ((case("negligible", -0.001, 0.001, 0.002), case("negligible", -0.001, 0.003, 0.004)), "negligible"),
        ((case("supported", 0.05, 0.06), case("negligible", -0.001, 0.003, 0.004)), "depends"),
    ],
)
def test_settings_together_say_what_some_setting_says(cases: tuple[Evidence, ...], verdict: str) -> None:
    for order in (cases, cases[::-1]):
        found = together({str(at): each for at, each in enumerate(order)})
        assert found.verdict == verdict
        assert found.at_most == (0.004 if verdict == "negligible" else None)
    assert verdict != "negligible" or found.high == 0.003, "the least favourable to what speaks against the claim"


def test_a_case_without_an_interval_is_the_least_favourable_in_any_order() -> None:
    cases = [case("supported", 0.01, 0.02), case("undecided", float("nan"), float("nan"))]
    for order in (cases, cases[::-1]):
        assert np.isnan(together({str(at): each for at, each in enumerate(order)}).low)
