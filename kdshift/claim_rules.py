"""How each claim asks each source: which curves, which effect, and what a source has no say in.

Serves `kdshift.claims`. Effects and verdicts are those of `theory.inference`; a source's tasks, students and truths are
judged one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kdshift.curve_sources import MAIN_PRESET, Sources
from kdshift.source import CurveGroup, Source
from theory import repaired
from theory.degree import rule_of_thumb
from theory.inference import effects, optima
from theory.inference.aligned import Pairs
from theory.inference.contrast import exact_contrasts, student_from
from theory.inference.curve import ShiftErrorCurve
from theory.inference.verdict import (
    Evidence,
    as_prediction,
    brief_effect,
    judge,
    judge_greatest,
    together,
    unmeasured,
)
from theory.printed import data_size_required, tau_limit

TOLERANCE = 0.005
CONSTANT = 0.4
SILENT = "the theorem labels every augmented point by the teacher: it says nothing of copied labels"
NO_NUMBERS = "only a figure without printed numbers"
NO_TOKENS = "the model has no tokens"
BY_LABELS = ("copied-labels-smaller-tau", "copied-labels-by-penalty")
ASKED = (MAIN_PRESET, "more-data", *BY_LABELS)  # the simulated presets that claims read
TEACHER, COPIED = CurveGroup(), CurveGroup(supervision="copied_label")
Measure = Callable[[Source], Evidence]
Row = Mapping[str, Evidence]


def everywhere(sources: Sources, measure: Measure, *, others: bool = False) -> Row:
    """One measure of the distillation curves of all four sources; theory's is a prediction. others: of `in_text`."""
    return {
        "theory": as_prediction(measure(sources.theory)),
        "simulation": in_parts(sources.simulation(MAIN_PRESET), measure),
        "text": in_text(sources, measure, others=others),
        "paper": measure(sources.paper),
    }


def in_parts(source: Source, measure: Measure) -> Evidence:
    """A measure of every task, student or truth of a source, never averaged over them."""
    return together({name: measure(part) for name, part in source.parts().items()})


def in_text(sources: Sources, measure: Measure, *, others: bool = False) -> Evidence:
    """Text: distance to the teacher where light students have it (design: the primary outcome), else accuracy.

    Where both are there, accuracy stands in the note. others: what the measure says of the other augmenters' curves
    stands there as well; the verdict is of the paper's main one, kNN.
    """
    accuracy = in_parts(sources.text, measure)
    distance = _asked_again(sources.light, sources.fresh, measure, "distance to the teacher")
    if distance.effect is None:
        return accuracy
    beside = _beside("accuracy in sweeps", accuracy)
    variants = {key.variant for key in sources.light.curves if key.supervision == "teacher"} - {sources.light.variant}
    for variant in sorted(variants) if others else ():
        first, fresh = (replace(source, variant=variant) for source in (sources.light, sources.fresh))
        again = in_parts(fresh, measure)
        beside += _beside(f"by {variant}", in_parts(first, measure) if again.effect is None else again)
    return replace(distance, note=distance.note + beside)


def _asked_again(first: Source, fresh: Source, measure: Measure, lead: str) -> Evidence:
    """What light students say: those on fresh texts where they can, with what the first study said in the note.

    A claim that the first study suggested, or left undecided, and that is then asked of more texts has been looked at
    twice; students on texts that it did not have decide at the level that is stated. The test texts are the same, and
    their noise is in the intervals.
    """
    before, again = in_parts(first, measure), in_parts(fresh, measure)
    if before.effect is None and again.effect is None:
        return before
    if again.effect is None:
        return replace(before, note=_noted(lead, before))
    return replace(again, note=_noted(f"{lead}, fresh texts", again) + _beside("first study", before))


def _beside(name: str, found: Evidence) -> str:
    """What another measurement says, to be put behind a note; nothing where there is none."""
    return "" if found.effect is None else f"; {name}: {found.verdict} {brief_effect(found)}"


def _noted(lead: str, found: Evidence) -> str:
    """What was measured, and behind it the note of the evidence."""
    return f"{lead}: {found.note}" if found.note else lead


def some_shift_helps(source: Source) -> Evidence:
    """Some positive shift beats the smallest."""
    return effects.some_shift_helps(source())


def inverted_u(source: Source) -> Evidence:
    """Error falls, then rises; by less than half a point is negligible."""
    return effects.inverted_u(source(), margin=TOLERANCE)


def extreme_hurts(source: Source) -> Evidence:
    """The largest shift loses against the best; less than half a point is negligible."""
    return effects.extreme_hurts(source(), margin=TOLERANCE)


def falls_with_size(source: Source) -> Evidence:
    """The best shift falls with the data size, within tasks."""
    return optima.falls_with_size(source.by_task())


def gain_falls_with_size(source: Source) -> Evidence:
    """What a shift is worth falls with the data size, within tasks."""
    return effects.gain_falls_with_size(source.by_task())


def more_data(sources: Sources, setting: CurveGroup, measure: Callable[[Pairs], Evidence]) -> Row:
    """Online against the smallest offline amount; in text, four copies of every text against one.

    Text: light students on a bank where there are such arms, in distance to the teacher for distillation and in error
    for copied labels, whose claim is about points; sweeps (online against 4x) otherwise.
    """
    simulated = sources.simulation("more-data")
    amounts = _amounts(simulated)
    online = replace(setting, variant="isotropic")
    least = replace(online, amount=amounts[0] if amounts else "1x")
    mute = "the bound's sample term falls with more draws, whoever labels them" if setting is TEACHER else SILENT
    return {
        "theory": unmeasured(mute),
        "simulation": in_parts(simulated, lambda source: measure(source.pairs(online, least))),
        "text": _more_copies(sources, setting, measure),
        "paper": unmeasured(NO_NUMBERS),
    }


def _more_copies(sources: Sources, setting: CurveGroup, measure: Callable[[Pairs], Evidence]) -> Evidence:
    swept = in_parts(sources.text, lambda source: measure(source.pairs(setting, replace(setting, amount="4x"))))
    light = sources.light if setting is TEACHER else sources.light_error
    copies = _amounts(light)
    if len(copies) < 2:
        return swept
    most, least = (replace(setting, amount=amount) for amount in (copies[-1], copies[0]))
    found = in_parts(light, lambda source: measure(source.pairs(most, least)))
    outcome = "distance to the teacher" if setting is TEACHER else "error of light students"
    compared = _noted(f"{outcome}, {most.amount} against {least.amount}", found)
    return replace(found, note=compared + _beside("accuracy in sweeps", swept))


def no_help_for_copies(sources: Sources) -> Row:
    """The claim is a negative: equivalence, the saving is shown to be below half a point."""
    return more_data(sources, COPIED, lambda pairs: effects.no_gain(pairs, TOLERANCE))


def gains_of_both(sources: Sources) -> Row:
    """Distillation's gain over no shift minus fine-tuning's, at equal shifts."""

    def measure(source: Source) -> Evidence:
        return effects.larger_gain(source.pairs(TEACHER, COPIED))

    return {
        "theory": unmeasured(SILENT),
        "simulation": unmeasured("every simulated student sees augmented points"),
        "text": in_text(sources, measure),
        "paper": measure(sources.paper),
    }


def best_of_distillation(sources: Sources) -> Row:
    """The best shift of distillation against that of copied labels; the simulation, by truth and penalty."""

    def measure(source: Source) -> Evidence:
        kernel = {"variant": source.variant}
        return optima.larger_best_shift(source.pairs(replace(TEACHER, **kernel), replace(COPIED, **kernel)))

    cases = {truth: measure(part) for preset in BY_LABELS for truth, part in sources.simulation(preset).parts().items()}
    return {
        "theory": unmeasured(SILENT),
        "simulation": together(cases),
        "text": in_text(sources, measure),
        "paper": measure(sources.paper),
    }


def random_before_knn(sources: Sources) -> Row:
    """kNN's best degree minus random replacement's."""

    def measure(source: Source) -> Evidence:
        return optima.larger_best_shift(source.pairs(TEACHER, replace(TEACHER, variant="random")))

    return {
        "theory": unmeasured("the theorem knows one kernel, the isotropic Gaussian"),
        "simulation": unmeasured("its kernels are compared at equal tau; the claim is about equal shares of tokens"),
        "text": in_text(sources, measure),
        "paper": measure(sources.paper),
    }


def cheap_beats_synthesised(sources: Sources) -> Row:
    """Online kNN against back-translation, after the same steps.

    The paper's sentence is about equal time. A run's seconds count the making of its copies, so runs with a budget
    (`max_minutes`, which scales the schedule) could answer it; runs of equal steps, as the tables have, cannot.
    """

    def measure(source: Source) -> Evidence:
        translated = [replace(TEACHER, variant="back-translation", amount=amount) for amount in ("8x", "4x", "1x")]
        for each in translated:
            if pairs := source.pairs(TEACHER, each):
                return replace(effects.lower_error(pairs), note=f"against {each.amount}, translating not charged")
        return unmeasured("no back-translation runs here")

    return {
        "theory": unmeasured("the theorem has no cost"),
        "simulation": unmeasured("the model has no cost"),
        "text": in_parts(sources.text, measure),
        "paper": unmeasured(NO_NUMBERS),
    }


def on_degrees(sources: Sources, measure: Callable[[Sequence[ShiftErrorCurve]], Evidence]) -> Row:
    """A measure of the rule of thumb, which is about shares of tokens."""
    return {
        "theory": unmeasured("the theorem knows tau, not tokens"),
        "simulation": unmeasured(NO_TOKENS),
        "text": _in_accuracy(sources, lambda source: measure(source())),
        "paper": measure(sources.paper()),
    }


def _in_accuracy(sources: Sources, measure: Measure) -> Evidence:
    """Text, in accuracy (the claim speaks of points): of light students where there are any, else of sweeps."""
    light = _asked_again(sources.light_error, sources.fresh_error, measure, "light students")
    return in_parts(sources.text, measure) if light.effect is None else light


def rule_is_good(curves: Sequence[ShiftErrorCurve]) -> Evidence:
    """The rule's degree is within the tolerance of the best."""
    return effects.regret_below(curves, lambda size: float(rule_of_thumb(size)), TOLERANCE)


def rule_beats_constant(curves: Sequence[ShiftErrorCurve]) -> Evidence:
    """The rule's degree has a lower error than 40 % everywhere; by less than half a point is negligible."""
    return effects.rule_beats(curves, lambda size: float(rule_of_thumb(size)), CONSTANT, margin=TOLERANCE)


def gain_in_distance(sources: Sources) -> Row:
    """Some shift brings the student nearer to its teacher on held-out originals."""
    distance = _asked_again(sources.light, sources.fresh, some_shift_helps, "distance to the teacher")
    nothing = unmeasured("kdshift empirical curves has not been run")
    return {
        "theory": unmeasured("its bound is on this distance: see the first claim"),
        "simulation": unmeasured("its error is this distance: see the first claim"),
        "text": nothing if distance.effect is None else distance,
        "paper": unmeasured("not reported"),
    }


def worth_as_many_real_texts(sources: Sources) -> Row:
    """Some degree of kNN brings a student nearer to its teacher than n real unlabelled texts do."""
    found = in_parts(sources.against_real, some_shift_helps)
    nothing = unmeasured("kdshift empirical curves with `unlabelled` has not been run")
    return {
        "theory": unmeasured("the theorem knows no unlabelled texts"),
        "simulation": unmeasured("its teacher answers augmented points alone"),
        "text": nothing
        if found.effect is None
        else replace(found, unit="distance after n real texts - at best degree"),
        "paper": unmeasured("not tried in the paper"),
    }


def guarantee(sources: Sources) -> Row:
    """epsilon minus the distance at settings that meet both printed conditions: a proved inequality, not a shape."""
    dimension, epsilon, delta = 2, 0.5, 0.1
    tau = 0.99 * float(tau_limit(epsilon, dimension))
    size = np.ceil(float(data_size_required(epsilon, delta, np.log(tau), dimension)))
    floor = float(repaired.l1_lower_bound(size, tau, dimension))
    note = f"at least {floor:.4f} for every training set (d = {dimension}, n = {size:.0f}, epsilon = {epsilon})"
    exact = exact_contrasts(np.array([epsilon - floor]))
    return {
        "theory": replace(judge_greatest(exact, unit="epsilon - L1", note=note), p=None),
        "simulation": _measured_guarantee(sources),
        "text": unmeasured("the printed limit of tau cannot be met by tokens"),
        "paper": unmeasured("the theorem is not tried in the paper"),
    }


def _measured_guarantee(sources: Sources) -> Evidence:
    """The mean over settings, each with the training sets it was measured on."""
    table = sources.counterexample
    if table is None or not len(table):
        return unmeasured("kdshift simulate run theorem1-counterexample has not been run")
    gap = float((table["epsilon"] - table["l1_distance"]).mean())
    se = float(np.sqrt((table["l1_distance_se"].to_numpy(float) ** 2).sum())) / len(table)
    found = student_from(gap, se, float(table["replicates"].min()) - 1)
    return judge(found, unit="epsilon - measured L1", runs=int(table["replicates"].sum()))


def _amounts(source: Source) -> list[str]:
    """The offline amounts that a source has curves of, the least first."""
    return sorted({key.amount for key in source.curves if key.amount != "online"}, key=_amount)


def _amount(label: str) -> float:
    return float(label.removesuffix("x"))
