"""How claims ask their sources: settings are never averaged, predictions are no evidence, silence has a reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from kdshift import claim_rules as rules
from kdshift.curve_sources import Sources, paper_source
from kdshift.source import CurveGroup, Source
from theory.inference.curve import ShiftErrorCurve
from theory.inference.effects import extreme_hurts, lower_error

TAU = np.r_[0.0, np.geomspace(0.01, 1.0, 7)]
DEGREES = np.array([0.0, 0.1, 0.3, 0.5, 0.8])
SIZES = (100, 400, 1600)
Best = Callable[[float], float]


def nothing(name: str) -> Source:
    return Source(name=name, command="")


def sources(**given: object) -> Sources:
    plain = {"theory": nothing("theory"), "presets": {}, "text": nothing("text"), "paper": nothing("paper")}
    return Sources(**{**plain, **given})  # type: ignore[arg-type]


def simulated(best: Best, seed: int = 0) -> list[ShiftErrorCurve]:
    """Error against tau: worse without augmented data, a parabola in log tau about best(n) else."""
    rng, made = np.random.default_rng(seed), []
    for size in SIZES:
        mean = np.r_[0.6, 0.2 + 0.02 * np.log(TAU[1:] / best(size)) ** 2]
        made.append(ShiftErrorCurve.from_replicates(TAU, mean + 1e-3 * rng.standard_normal((5, 8)), size))
    return made


def in_text(best: float, *, noise: float = 5e-4, seed: int = 0, degrees: np.ndarray = DEGREES) -> list[ShiftErrorCurve]:
    rng = np.random.default_rng(seed)
    mean = 0.3 + 0.2 * (degrees - best) ** 2
    return [
        ShiftErrorCurve.from_replicates(
            degrees, mean + noise * rng.standard_normal((5, len(degrees))), size, "degree", evaluation="test"
        )
        for size in SIZES
    ]


def both(kd: Best, copied: Best, task: str) -> dict[CurveGroup, list[ShiftErrorCurve]]:
    return {
        CurveGroup(variant="isotropic", task=task): simulated(kd),
        CurveGroup(supervision="copied_label", variant="isotropic", task=task): simulated(copied, 1),
    }


def test_a_sign_that_depends_on_the_penalty_is_not_averaged() -> None:
    def preset(name: str, curves: dict[CurveGroup, list[ShiftErrorCurve]]) -> Source:
        return Source(name="simulation", command=name, curves=curves, variant="isotropic")

    chosen = both(lambda n: 0.3, lambda n: 0.1, "smooth")
    given = both(lambda n: 0.3, lambda n: 0.1, "smooth, penalty 0.01")
    weak = both(lambda n: 0.1, lambda n: 0.3, "smooth, penalty 1e-06")
    presets = {
        "copied-labels-smaller-tau": preset("a", chosen),
        "copied-labels-by-penalty": preset("b", {**given, **weak}),
    }
    found = rules.best_of_distillation(sources(presets=presets))["simulation"]
    assert found.verdict == "depends"
    cases = {name: case.verdict for name, case in found.cases}
    assert cases == {
        "smooth": "supported",
        "smooth, penalty 0.01": "supported",
        "smooth, penalty 1e-06": "contradicted",
    }
    agreed = {**presets, "copied-labels-by-penalty": preset("b", given)}
    assert rules.best_of_distillation(sources(presets=agreed))["simulation"].verdict == "supported"


def test_a_bound_predicts_and_is_no_evidence() -> None:
    exact = ShiftErrorCurve(shift=TAU[1:], error=(np.log(TAU[1:]) + 2) ** 2, error_se=np.zeros(7), data_size=100)
    theory = Source(name="theory", command="", curves={CurveGroup(variant="isotropic"): [exact]}, variant="isotropic")
    row = rules.everywhere(sources(theory=theory), rules.some_shift_helps)
    assert row["theory"].verdict == "the bound predicts" and row["theory"].p is None
    assert {row[name].verdict for name in ("simulation", "text", "paper")} == {"not measured"}


def test_the_distance_is_the_primary_outcome_and_accuracy_stands_beside_it() -> None:
    light = Source(name="text", command="", curves={CurveGroup(task="static"): in_text(0.4)})
    swept = Source(name="text", command="", curves={CurveGroup(task="tweets bilstm"): in_text(0.0, noise=0.05)})
    found = rules.in_text(sources(light=light, text=swept), rules.some_shift_helps)
    assert found.verdict == "supported" and found.note.startswith("distance to the teacher")
    assert "accuracy in sweeps: " in found.note
    assert rules.in_text(sources(text=swept), rules.some_shift_helps).effect is not None
    assert rules.gain_in_distance(sources(light=light))["text"].verdict == "supported"
    assert "has not been run" in rules.gain_in_distance(sources())["text"].note


def test_other_augmenters_stand_in_the_note_and_not_in_the_verdict() -> None:
    curves = {
        CurveGroup(task="static"): in_text(1.0),
        CurveGroup(task="static", variant="random"): in_text(0.3, seed=1),
        CurveGroup(task="static", variant="random", supervision="copied_label"): in_text(1.0, seed=2),
    }
    light = Source(name="text", command="", curves=curves)
    row = rules.everywhere(sources(light=light), lambda source: extreme_hurts(source()), others=True)
    assert row["text"].verdict != "supported"
    assert "; by random: supported 0.0" in row["text"].note and "by knn" not in row["text"].note
    alone = rules.everywhere(sources(light=light), lambda source: extreme_hurts(source()))
    assert "by random" not in alone["text"].note and alone["text"].effect == row["text"].effect


@pytest.mark.parametrize(("noise", "verdict"), [(0.2, "undecided"), (0.02, "depends")])
def test_a_student_that_cannot_tell_decides_nothing_and_one_that_is_shown_to_differ_disagrees(
    noise: float, verdict: str
) -> None:
    curves = {CurveGroup(task="static"): in_text(0.4), CurveGroup(task="linear"): in_text(0.0, noise=noise, seed=3)}
    found = rules.in_text(sources(light=Source(name="text", command="", curves=curves)), rules.some_shift_helps)
    assert found.verdict == verdict and {name for name, _ in found.cases} == {"static", "linear"}


def test_more_copied_labels_do_not_help_is_shown_by_equivalence() -> None:
    same = in_text(0.4, degrees=DEGREES[1:])
    less = in_text(0.4, seed=1, degrees=DEGREES[1:])
    copied = CurveGroup(supervision="copied_label", task="t")
    text = Source(
        name="text",
        command="",
        curves={copied: same, CurveGroup(supervision="copied_label", amount="4x", task="t"): less},
    )
    assert rules.no_help_for_copies(sources(text=text))["text"].verdict == "supported"
    simulation = Source(
        name="simulation",
        command="",
        curves={
            CurveGroup(variant="isotropic", amount=amount): [
                ShiftErrorCurve.from_replicates(
                    curve.shift, (curve.replicates if curve.replicates is not None else 0) - gain, curve.data_size
                )
                for curve in simulated(lambda n: 0.1)
            ]
            for amount, gain in (("4x", 0.0), ("8x", 0.01), ("online", 0.05))
        },
        variant="isotropic",
    )
    row = rules.more_data(sources(presets={"more-data": simulation}), rules.TEACHER, lower_error)
    assert row["simulation"].effect == pytest.approx(0.05), "online against the smallest amount"


def test_cheap_against_translated_is_at_equal_steps_and_says_so() -> None:
    curves = {
        CurveGroup(task="t"): in_text(0.4, degrees=DEGREES[1:]),
        CurveGroup(variant="back-translation", amount="4x", task="t"): in_text(0.9, degrees=np.array([1.0])),
    }
    found = rules.cheap_beats_synthesised(sources(text=Source(name="text", command="", curves=curves)))["text"]
    assert found.verdict == "contradicted" and found.note.startswith("against 4x")
    assert "not charged" in found.note
    alone = Source(name="text", command="", curves={CurveGroup(task="t"): in_text(0.4)})
    assert rules.cheap_beats_synthesised(sources(text=alone))["text"].note == "no back-translation runs here"


def test_fresh_texts_decide_where_they_can_and_the_first_study_stands_beside() -> None:
    """The first study sees a U at 0.5, the fresh one at 0.8 (no U); of random replacement only the first has curves."""
    first = {CurveGroup(task="t"): in_text(0.5), CurveGroup(variant="random", task="t"): in_text(0.1)}
    light = Source(name="text", command="c", curves=first)
    fresh = Source(name="text", command="c", curves={CurveGroup(task="t"): in_text(0.8, seed=1)})
    found = sources(light=light, fresh=fresh, light_error=light, fresh_error=fresh)
    alone = sources(light=light, light_error=light)
    decided = rules.in_text(found, rules.extreme_hurts)
    assert rules.in_text(alone, rules.extreme_hurts).verdict == "supported"
    assert decided.verdict != "supported" and "fresh texts" in decided.note
    assert "first study: supported" in decided.note
    earlier = rules.random_before_knn(found)["text"]
    assert earlier.verdict == "supported" and "fresh" not in earlier.note, "it has no random replacement"
    regret = [rules.on_degrees(each, rules.rule_is_good)["text"] for each in (alone, found)]
    assert [each.verdict for each in regret] == ["supported", "contradicted"]
    assert "first study: supported" in regret[1].note
    assert rules.gain_in_distance(found)["text"].note.startswith("distance to the teacher, fresh texts")


def test_the_rule_is_scored_against_the_best_and_against_a_constant() -> None:
    right = in_text(0.5, noise=1e-4)
    assert rules.rule_is_good(right[:1]).verdict == "supported", "50 % below ten thousand examples"
    assert rules.rule_beats_constant(right[:1]).verdict == "supported"
    wrong = in_text(0.1, noise=1e-4)
    assert rules.rule_is_good(wrong).verdict == "contradicted"
    row = rules.on_degrees(sources(paper=paper_source()), rules.rule_is_good)
    assert row["theory"].verdict == row["simulation"].verdict == "not measured" and row["paper"].effect is not None


def test_the_guarantee_is_refuted_by_lemma_l_without_a_measurement() -> None:
    row = rules.guarantee(sources())
    assert row["theory"].verdict == "contradicted" and row["theory"].effect == pytest.approx(0.5 - 1.94659, abs=1e-3)
    assert row["simulation"].verdict == "not measured"


def test_more_copies_are_compared_on_light_students_where_a_study_has_them() -> None:
    """Four copies are better by 0.02 in distance; copied labels differ by 0.001 of error, less than half a point."""

    def arms(supervision: str, saved: float) -> dict[CurveGroup, list[ShiftErrorCurve]]:
        (curve, *_) = in_text(0.5)
        assert curve.replicates is not None
        amounts = {"1x": 0.0, "online": saved / 2, "4x": saved}
        return {
            CurveGroup(supervision=supervision, amount=amount, task="static"): [
                ShiftErrorCurve.from_replicates(DEGREES, curve.replicates - less, 100, "degree", evaluation="test")
            ]
            for amount, less in amounts.items()
        }

    light = Source(name="text", command="c", curves=arms("teacher", 0.02))
    errors = Source(name="text", command="c", curves=arms("copied_label", 0.001))
    found = sources(light=light, light_error=errors)
    kd = rules.more_data(found, rules.TEACHER, lower_error)["text"]
    assert kd.verdict == "supported" and kd.effect == pytest.approx(0.02) and "4x against 1x" in kd.note
    copied = rules.no_help_for_copies(found)["text"]
    assert copied.verdict == "supported" and copied.effect == pytest.approx(rules.TOLERANCE - 0.001)
    assert rules.more_data(sources(), rules.TEACHER, lower_error)["text"].verdict == "not measured"
