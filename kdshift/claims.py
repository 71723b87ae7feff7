"""The paper's claims as objects, each scored on theory, simulation, text and the paper's own tables.

    kdshift compare

What a verdict means is decided in `kdshift.evidence`, once for all claims and sources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from kdshift import evidence
from kdshift.curve_sources import MAIN_PRESET, Setting, Sources
from kdshift.evidence import Evidence, unmeasured
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


TEACHER, COPIED = Setting(), Setting(supervision="copied_label")


def everywhere(sources: Sources, measure: Callable[[list], Evidence]) -> dict[str, Evidence]:
    """One measure of the distillation curves of all four sources."""
    return {
        "theory": measure(sources.theory(variant="isotropic")),
        "simulation": measure(sources.simulation(MAIN_PRESET)(variant="isotropic")),
        "text": measure(sources.text()),
        "paper": measure(sources.paper()),
    }


def _fall_with_size(sources: Sources) -> dict[str, Evidence]:
    simulated = sources.simulation(MAIN_PRESET)
    return {
        "theory": evidence.falls_with_size(sources.theory.by_task(variant="isotropic")),
        "simulation": evidence.falls_with_size(simulated.by_task(variant="isotropic")),
        "text": evidence.falls_with_size(sources.text.by_task()),
        "paper": evidence.falls_with_size(sources.paper.by_task()),
    }


def _simulated(setting: Setting, **changes: str) -> Setting:
    return replace(setting, variant="isotropic", **changes)


def _best_of_distillation(sources: Sources) -> dict[str, Evidence]:
    return {
        "theory": unmeasured(SILENT),
        "simulation": _simulated_best_of_distillation(sources),
        "text": evidence.larger_best_shift(sources.text.pairs(TEACHER, COPIED)),
        "paper": evidence.larger_best_shift(sources.paper.pairs(TEACHER, COPIED)),
    }


def _simulated_best_of_distillation(sources: Sources) -> Evidence:
    """The preset's students, with a note of what students with a weaker penalty say: it matters."""
    found = {
        preset: evidence.larger_best_shift(sources.simulation(preset).pairs(_simulated(TEACHER), _simulated(COPIED)))
        for preset in ("copied-labels-smaller-tau", "copied-labels-weak-penalty")
    }
    main, weak = found.values()
    if weak.effect is None:
        return main
    return replace(main, note=f"with a weaker ridge penalty {brief(weak)}")


def _more_data(sources: Sources, setting: Setting) -> dict[str, Evidence]:
    """Online against the smallest offline amount (in text: against 4x)."""
    simulated = sources.simulation("more-data")
    amounts = sorted({key.amount for key in simulated.curves if key.amount != "online"}, key=_amount)
    least = _simulated(setting, amount=amounts[0] if amounts else "1x")
    mute = "the bound's sample term falls with more draws, whoever labels them" if setting is TEACHER else SILENT
    return {
        "theory": unmeasured(mute),
        "simulation": evidence.lower_error(simulated.pairs(_simulated(setting), least)),
        "text": evidence.lower_error(sources.text.pairs(setting, replace(setting, amount="4x"))),
        "paper": unmeasured(NO_NUMBERS),
    }


def _amount(label: str) -> float:
    return float(label.removesuffix("x"))


def _no_help_for_copies(sources: Sources) -> dict[str, Evidence]:
    """The claim is a negative: the effect is turned round, so that a gain contradicts it."""
    return {source: _reversed(found) for source, found in _more_data(sources, COPIED).items()}


def _reversed(found: Evidence) -> Evidence:
    if found.effect is None or found.low is None or found.high is None:
        return found
    low, high = -found.high, -found.low
    verdict = evidence.verdict_of(low, high)
    return replace(found, verdict=verdict, effect=-found.effect, low=low, high=high, unit="error lost")


def _gains(sources: Sources) -> dict[str, Evidence]:
    """Each gains from its own best positive shift."""
    return {
        "theory": unmeasured(SILENT),
        "simulation": unmeasured("every simulated student sees augmented points"),
        "text": evidence.larger_gain(sources.text.pairs(TEACHER, COPIED)),
        "paper": evidence.larger_gain(sources.paper.pairs(TEACHER, COPIED)),
    }


def _random_before_knn(sources: Sources) -> dict[str, Evidence]:
    """In the simulation: a kernel confined to a subspace against the isotropic one."""
    simulated = sources.simulation("kernel-shape")
    random = replace(TEACHER, variant="random")
    return {
        "theory": unmeasured(ONE_KERNEL),
        "simulation": evidence.larger_best_shift(
            simulated.pairs(replace(TEACHER, variant="subspace"), _simulated(TEACHER))
        ),
        "text": evidence.larger_best_shift(sources.text.pairs(TEACHER, random)),
        "paper": evidence.larger_best_shift(sources.paper.pairs(TEACHER, random)),
    }


def _cheap_beats_synthesised(sources: Sources) -> dict[str, Evidence]:
    translated = [replace(TEACHER, variant="back-translation", amount=amount) for amount in ("8x", "4x", "1x")]
    pairs = next((found for each in translated if (found := sources.text.pairs(TEACHER, each))), [])
    return {
        "theory": unmeasured("the theorem has no cost"),
        "simulation": unmeasured("the model has no cost"),
        "text": evidence.lower_error(pairs) if pairs else unmeasured("no back-translation runs here"),
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
        score=lambda sources: _more_data(sources, TEACHER),
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
        score=_gains,
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
    note = f" ({found.note})" if found.note else ""
    return f"{found.verdict}: {found.effect:.3g} [{found.low:.3g}, {found.high:.3g}]{note}"


def as_markdown(scored: Scores) -> str:
    """The matrix as a Markdown table, with the rule below it."""
    lines = ["| claim | " + " | ".join(SOURCES) + " |", "| --- " * (len(SOURCES) + 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in matrix(scored)]
    return "\n".join([*lines, "", evidence.RULE])
