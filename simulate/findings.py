"""What a preset's curves say of its finding: one rule a finding, each an effect of `theory.inference` with its verdict.

    kdshift simulate run PRESET --out DIR        (verdict.txt, and the sentence under the table)

Truths and kernels are settings: they are judged one by one and never averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simulate.tau_curves import CurveKey, Curves, groups, select, theory_exponent
from theory.errors import InputError, unknown_name
from theory.inference import effects, optima
from theory.inference.contrast import LEVEL
from theory.inference.curve import ShiftErrorCurve
from theory.inference.verdict import Evidence, Verdict, brief_effect, judge_both, together

Pair = tuple[ShiftErrorCurve, ShiftErrorCurve]
MARGIN = 0.005  # error that more copied labels may save and still be said not to help


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A preset's finding, the evidence for it, and the numbers in one sentence.

    notes: what stands in the sentence in brackets behind a number.
    """

    finding: str
    outcome: Verdict
    sentence: str
    notes: tuple[str, ...] = ()

    def line(self, mark: str | None = None) -> str:
        """One line for people; mark: what stands for each note, None: the notes themselves."""
        sentence = self.sentence
        for note in self.notes if mark is not None else ():
            sentence = sentence.replace(_bracketed(note), str(mark))
        return f"{self.finding}: {self.outcome}. {sentence}"


def inverted_u(found: Curves) -> Finding:
    """Teacher's labels: some interior tau has a lower error than both ends of the grid, in the mean over data sizes."""
    cases = {_named(key, found): effects.inverted_u(group) for key, group in groups(_taught(found)).items()}
    alone = [effects.inverted_u([curve]).verdict for curve in _taught(found).values()]
    count = f"{alone.count('supported')} of {len(alone)} curves show it by themselves"
    return _finding("error falls, then rises with tau", cases, f"the better end loses {{}} of error; {count}")


def smaller_data_larger_tau(found: Curves) -> Finding:
    """Teacher's labels: the exponent of the best tau in n is negative, for every truth."""
    taught = groups(_taught(found))
    cases = {_named(key, found): optima.falls_with_size([group]) for key, group in taught.items()}
    if all(case.effect is None for case in cases.values()):
        raise InputError("data_size", sorted({k.data_size for k in found}), "at least two data sizes for this verdict")
    theory = ", ".join(sorted({f"{-theory_exponent(key.dimension):.2f}" for key in taught}))
    sentence = f"best tau falls as n to the power of minus {{}} (theory, a teacher right everywhere: {theory})"
    return _finding("smaller data prefers a larger tau", cases, sentence)


def copied_labels_smaller_tau(found: Curves) -> Finding:
    """The teacher's labels prefer a larger tau than copied ones, for every truth and penalty, over data sizes."""
    cases = ratios(found, "supervision", "teacher", "copied_label")
    return _finding(
        "KD prefers a larger tau than copied labels", cases, "log of best tau, KD's over copied labels': {}"
    )


def untrusted_outside_smaller_tau(found: Curves) -> Finding:
    """The smallest trust radius prefers a smaller tau than the largest one."""
    radii = sorted({key.trust_radius for key in found})
    cases = ratios(_taught(found), "trust_radius", radii[-1], radii[0])
    sentence = f"log of best tau, at R = {radii[-1]:g} over R = {radii[0]:g}: {{}}"
    return _finding("an untrusted outside moves the optimum down", cases, sentence)


def kernel_moves_optimum(found: Curves) -> Finding:
    """Some kernel's best tau differs from the isotropic one's, either way (Bonferroni over the kernels)."""
    others = sorted({key.kernel for key in found} - {"isotropic"})
    level = 1 - (1 - LEVEL) / max(len(others), 1)
    judged = {
        kernel: optima.larger_best_shift(_pairs(_taught(found), "kernel", kernel, "isotropic"), level=level)
        for kernel in others
    }
    moved = [kernel for kernel, case in judged.items() if case.verdict in ("supported", "contradicted")]
    parts = "; ".join(f"{kernel} {_with_note(case)}" for kernel, case in judged.items())
    return Finding(
        finding="the kernel's shape moves the optimum",
        outcome="supported" if moved else "undecided",
        sentence=f"log of best tau over the isotropic kernel's: {parts}",
        notes=_notes(judged.values()),
    )


def more_data_helps_kd(found: Curves) -> Finding:
    """More augmented data saves error with the teacher's labels, and none to speak of with copied ones.

    The most against the least augmented data, in the mean over taus and data sizes, paired by replicate; "none to speak
    of" is equivalence within 0.005 of error.
    """
    order = list(dict.fromkeys(key.amount for key in found))
    pairs = {}
    for supervision in ("teacher", "copied_label"):
        pairs[supervision] = _pairs(select(found, supervision=supervision), "amount", order[-1], order[0])
        if not pairs[supervision]:
            raise InputError("supervision", supervision, "teacher and copied_label in the grid for this verdict")
    kd, copied = effects.lower_error(pairs["teacher"]), effects.no_gain(pairs["copied_label"], MARGIN)
    return Finding(
        finding="more augmented data helps KD and not copied labels",
        outcome=judge_both(kd, copied),
        sentence=(
            f"error saved from the least to the most augmented data: KD {brief_effect(kd)} ({kd.verdict}), copied "
            f"labels {brief_effect(effects.lower_error(pairs['copied_label']))} (not by {MARGIN:g}: {copied.verdict})"
        ),
    )


RULES: dict[str, Callable[[Curves], Finding]] = {
    "inverted-u": inverted_u,
    "smaller-data-larger-tau": smaller_data_larger_tau,
    "copied-labels-smaller-tau": copied_labels_smaller_tau,
    "untrusted-outside-smaller-tau": untrusted_outside_smaller_tau,
    "kernel-moves-optimum": kernel_moves_optimum,
    "more-data-helps-kd": more_data_helps_kd,
}


def decide(rule: str, found: Curves) -> Finding:
    """The finding of a rule of `RULES` on these curves."""
    if rule not in RULES:
        raise unknown_name("verdict", rule, RULES)
    return RULES[rule](found)


def _finding(finding: str, cases: Mapping[str, Evidence], sentence: str) -> Finding:
    """One verdict from the cases; the sentence has a place for the effects of all of them."""
    judged = together(cases)
    if judged.effect is None:
        return Finding(finding=finding, outcome=judged.verdict, sentence=judged.note)
    if len(cases) == 1:
        numbers = _with_note(next(iter(cases.values())))
    else:
        numbers = "; ".join(f"{name} {_with_note(case)} ({case.verdict})" for name, case in cases.items())
    return Finding(
        finding=finding, outcome=judged.verdict, sentence=sentence.format(numbers), notes=_notes(cases.values())
    )


def _with_note(case: Evidence) -> str:
    return brief_effect(case) + (_bracketed(case.note) if case.note else "")


def _notes(cases: Iterable[Evidence]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(case.note for case in cases if case.note))


def _bracketed(note: str) -> str:
    return f" ({note})"


def _taught(found: Curves) -> Curves:
    return {key: curve for key, curve in found.items() if key.supervision != "copied_label"}


def _named(key: CurveKey, found: Curves) -> str:
    """What sets this group apart from the others, in words."""
    names = ("truth", "dimension", "trust_radius", "kernel", "student", "teacher", "amount", "penalty")
    differ = tuple(name for name in names if len({getattr(other, name) for other in found}) > 1)
    return key.label(differ)


def ratios(found: Curves, field: str, above: Any, below: Any) -> dict[str, Evidence]:
    """The comparison of best taus for each truth (and penalty) by itself."""
    settings = dict.fromkeys((key.truth, key.penalty) for key in found)
    several = len({penalty for _, penalty in settings}) > 1
    cases = {
        f"{truth}, penalty {penalty}" if several else truth: _pairs(
            select(found, truth=truth, penalty=penalty), field, above, below
        )
        for truth, penalty in settings
    }
    if not any(cases.values()):
        raise InputError("verdict", "no pairs of curves", "a grid with both sides of the comparison")
    return {name: optima.larger_best_shift(pairs) for name, pairs in cases.items() if pairs}


def _pairs(found: Curves, field: str, above: Any, below: Any) -> list[Pair]:
    """Curves that differ in one field alone: (its value `above`, its value `below`)."""
    partner = {key._replace(**{field: above}): curve for key, curve in select(found, **{field: below}).items()}
    return [(curve, partner[key]) for key, curve in select(found, **{field: above}).items() if key in partner]


__all__ = ["RULES", "Finding", "decide", "ratios"]
