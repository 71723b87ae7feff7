"""The paper's claims as objects, each scored on theory, simulation, text and the paper's own tables.

    kdshift compare

What a verdict means is decided in `kdshift.evidence`, once for all claims and sources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from kdshift import evidence
from kdshift.evidence import Evidence, unmeasured
from kdshift.sources import MAIN_PRESET, Source, Sources
from theory import repaired
from theory.degree import rule_of_thumb
from theory.printed import data_size_required, tau_limit

SOURCES = ("theory", "simulation", "text", "paper")
TOLERANCE = 0.005
SILENT = "the theorem labels every augmented point by the teacher: it says nothing of copied labels"
NO_NUMBERS = "only a figure without printed numbers"
ONE_KERNEL = "the theorem knows one kernel, the isotropic Gaussian"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim: its statement, where the paper makes it, and how each source is asked."""

    name: str
    statement: str
    section: str
    score: Callable[[Sources], Mapping[str, Evidence]]


Scores = Mapping[str, Mapping[str, Evidence]]


def everywhere(sources: Sources, measure: Callable[[list], Evidence], preset: str = MAIN_PRESET) -> dict[str, Evidence]:
    """One measure of the distillation curves of all four sources."""
    return {
        "theory": measure(sources.theory(variant="isotropic")),
        "simulation": measure(kd_curves(sources.simulation(preset))),
        "text": measure(sources.text()),
        "paper": measure(sources.paper()),
    }


def kd_curves(source: Source, supervision: str = "teacher", variant: str = "isotropic") -> list:
    """A simulation's curves of one supervision and kernel, whatever its (single) amount is called."""
    amounts = [key.amount for key in source.curves if (key.supervision, key.variant) == (supervision, variant)]
    return source(supervision, variant, amounts[-1]) if amounts else []


def _fall_with_size(sources: Sources) -> dict[str, Evidence]:
    return {
        "theory": evidence.falls_with_size([sources.theory(variant="isotropic")]),
        "simulation": evidence.falls_with_size([kd_curves(sources.simulation(MAIN_PRESET))]),
        "text": evidence.falls_with_size(sources.text.by_task()),
        "paper": evidence.falls_with_size(sources.paper.by_task()),
    }


def _best_of_distillation(sources: Sources) -> dict[str, Evidence]:
    simulated = sources.simulation("copied-labels")
    return {
        "theory": unmeasured(SILENT),
        "simulation": evidence.larger_best_shift(kd_curves(simulated), kd_curves(simulated, "copied_label")),
        "text": evidence.larger_best_shift(sources.text(), sources.text("copied_label")),
        "paper": evidence.larger_best_shift(sources.paper(), sources.paper("copied_label")),
    }


def _more_data(sources: Sources, supervision: str) -> dict[str, Evidence]:
    """Online against the smallest offline amount (in text: online against 4x)."""
    simulated = sources.simulation("more-data")
    finite = sorted({key.amount for key in simulated.curves if key.amount != "online"}, key=_amount)
    least = finite[0] if finite else "1x"
    text = sources.text(supervision, "knn", "online"), sources.text(supervision, "knn", "4x")
    return {
        "theory": unmeasured("more draws lower the sample term of the bound for every student alike")
        if supervision == "teacher"
        else unmeasured(SILENT),
        "simulation": evidence.lower_error(
            simulated(supervision, "isotropic", "online"), simulated(supervision, "isotropic", least)
        ),
        "text": evidence.lower_error(*text),
        "paper": unmeasured(NO_NUMBERS),
    }


def _amount(label: str) -> float:
    return float(label.removesuffix("x"))


def _no_help_for_copies(sources: Sources) -> dict[str, Evidence]:
    """The negative: an effect is turned round, and what is undecided stays so."""
    return {source: _reversed(found) for source, found in _more_data(sources, "copied_label").items()}


def _reversed(found: Evidence) -> Evidence:
    if found.effect is None or found.low is None or found.high is None:
        return found
    samples = np.array([-found.high, -found.low])
    turned = evidence.judge(-found.effect, samples, unit="error lost", runs=found.runs, note=found.note)
    return Evidence(**{**asdict(turned), "low": -found.high, "high": -found.low})


def _augmentation_and_fine_tuning(sources: Sources) -> dict[str, Evidence]:
    """Distillation gains more from augmented data than fine-tuning does, each at its own best positive shift."""
    return {
        "theory": unmeasured(SILENT),
        "simulation": unmeasured("every simulated student sees augmented points"),
        "text": evidence.larger_gain(sources.text(), sources.text("copied_label")),
        "paper": evidence.larger_gain(sources.paper(), sources.paper("copied_label")),
    }


def _random_before_knn(sources: Sources) -> dict[str, Evidence]:
    simulated = sources.simulation("kernel-shape")
    kernels = sorted({key.variant for key in simulated.curves} - {"isotropic"})
    narrow = kd_curves(simulated, variant="subspace") if "subspace" in kernels else []
    return {
        "theory": unmeasured(ONE_KERNEL),
        "simulation": evidence.larger_best_shift(narrow, kd_curves(simulated)),
        "text": evidence.larger_best_shift(sources.text(), sources.text(variant="random")),
        "paper": evidence.larger_best_shift(sources.paper(), sources.paper(variant="random")),
    }


def _cheap_beats_synthesised(sources: Sources) -> dict[str, Evidence]:
    timed = sources.text("teacher", "back-translation", "8x") or sources.text("teacher", "back-translation", "4x")
    return {
        "theory": unmeasured("the theorem has no cost"),
        "simulation": unmeasured("the model has no cost"),
        "text": evidence.lower_error(sources.text(), timed) if timed else unmeasured("no back-translation runs here"),
        "paper": unmeasured(NO_NUMBERS),
    }


def _rule(sources: Sources) -> dict[str, Evidence]:
    def measure(curves: list) -> Evidence:
        return evidence.regret_below(curves, lambda size: float(rule_of_thumb(size)), TOLERANCE)

    return {
        "theory": unmeasured("the theorem knows tau, not tokens"),
        "simulation": unmeasured("the model has no tokens"),
        "text": measure(sources.text()),
        "paper": measure(sources.paper()),
    }


def _guarantee(sources: Sources) -> dict[str, Evidence]:
    """epsilon minus the distance at settings that meet both printed conditions."""
    dimension, epsilon, delta = 2, 0.5, 0.1
    tau = 0.99 * float(tau_limit(epsilon, dimension))
    size = np.ceil(float(data_size_required(epsilon, delta, np.log(tau), dimension)))
    floor = float(repaired.l1_lower_bound(size, tau, dimension))
    note = f"at least {floor:.4f} for every training set (d = {dimension}, n = {size:.0f}, epsilon = {epsilon})"
    exact = evidence.judge(epsilon - floor, np.array([epsilon - floor]), unit="epsilon - L1", runs=0, note=note)
    return {
        "theory": exact,
        "simulation": _measured_guarantee(sources),
        "text": unmeasured("the printed limit of tau cannot be met by tokens"),
        "paper": unmeasured("the theorem is not tried in the paper"),
    }


def _measured_guarantee(sources: Sources) -> Evidence:
    table = sources.counterexample
    if table is None or not len(table):
        return unmeasured("kdshift simulate run theorem1-counterexample has not been run")
    gap = (table["epsilon"] - table["l1_distance"]).to_numpy(float)
    rng = np.random.Generator(np.random.Philox(key=[0, 0]))
    noise = rng.standard_normal((evidence.DRAWS, len(table))) * table["l1_distance_se"].to_numpy(float)
    runs = int(table["replicates"].sum())
    return evidence.judge(gap.mean(), (gap + noise).mean(axis=1), unit="epsilon - measured L1", runs=runs)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="augmentation-helps",
        statement="Distillation with augmented data beats distillation without (or almost without) a shift",
        section="sections 3 and 5.1",
        score=lambda sources: everywhere(sources, evidence.some_shift_helps),
    ),
    Claim(
        name="more-data-helps-kd",
        statement="The more augmented data, the better the distilled student",
        section="section 3, Figure 3",
        score=lambda sources: _more_data(sources, "teacher"),
    ),
    Claim(
        name="more-data-no-help-fine-tuning",
        statement="More augmented data with copied labels does not help",
        section="section 3, Figure 2",
        score=_no_help_for_copies,
    ),
    Claim(
        name="kd-gains-more",
        statement="Distillation gains more from augmented data than fine-tuning",
        section="section 5.1, Tables 2 and 3",
        score=_augmentation_and_fine_tuning,
    ),
    Claim(
        name="kd-prefers-larger",
        statement="The best shift of distillation exceeds that of copied labels",
        section="section 5.1, Tables 2 and 3",
        score=_best_of_distillation,
    ),
    Claim(
        name="inverted-u",
        statement="Error falls, then rises with the shift",
        section="sections 4.1 and 5.1, Figure 4",
        score=lambda sources: everywhere(sources, evidence.inverted_u),
    ),
    Claim(
        name="extreme-hurts",
        statement="The largest shift is worse than the best below it",
        section="section 5.1",
        score=lambda sources: everywhere(sources, evidence.extreme_hurts),
    ),
    Claim(
        name="smaller-data-larger-shift",
        statement="Smaller data sets prefer a larger shift",
        section="sections 4.2 and 5.1, Table 2",
        score=_fall_with_size,
    ),
    Claim(
        name="random-peaks-earlier",
        statement="Random replacement peaks at a smaller degree than kNN",
        section="section 5.2, Table 5",
        score=_random_before_knn,
    ),
    Claim(
        name="cheap-beats-synthesised",
        statement="Cheap augmented data beats synthesised data at equal time",
        section="section 3, Table 1 and Figure 3",
        score=_cheap_beats_synthesised,
    ),
    Claim(
        name="rule-of-thumb",
        statement="50 % below 10k examples, 30 % to 100k, 10 % above: within half a point of the best degree",
        section="section 5.1",
        score=_rule,
    ),
    Claim(
        name="theorem-1",
        statement="Under both printed conditions the L1 distance stays below epsilon",
        section="section 4.2 and appendix A",
        score=_guarantee,
    ),
)


def score_all(sources: Sources) -> dict[str, dict[str, Evidence]]:
    """Every claim on every source: claim name -> source -> evidence."""
    return {claim.name: dict(claim.score(sources)) for claim in CLAIMS}


def as_json(scored: Scores) -> dict[str, object]:
    """The matrix as plain values, with the rule."""
    claims = [
        {
            "name": claim.name,
            "statement": claim.statement,
            "section": claim.section,
            "sources": {source: asdict(found) for source, found in scored[claim.name].items()},
        }
        for claim in CLAIMS
    ]
    return {"rule": evidence.RULE, "level": evidence.LEVEL, "claims": claims}


def matrix(scored: Scores) -> list[tuple[str, ...]]:
    """Rows of (claim, verdict of each source with its effect and interval)."""
    return [(claim.statement, *(brief(scored[claim.name][source]) for source in SOURCES)) for claim in CLAIMS]


def brief(found: Evidence) -> str:
    """A verdict with its effect and interval, in one cell."""
    if found.effect is None:
        return f"not measured ({found.note})" if found.note else "not measured"
    return f"{found.verdict}: {found.effect:.3g} [{found.low:.3g}, {found.high:.3g}]"


def as_markdown(scored: Scores) -> str:
    """The matrix as a Markdown table, with the rule below it."""
    lines = ["| claim | " + " | ".join(SOURCES) + " |", "| --- " * (len(SOURCES) + 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in matrix(scored)]
    return "\n".join([*lines, "", evidence.RULE])
