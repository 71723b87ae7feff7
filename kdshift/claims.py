"""The paper's claims as objects, each scored on theory, simulation, text and the paper's own tables.

    kdshift compare

How a claim asks a source is in `kdshift.claim_rules`; what a verdict means, once, in `theory.inference.verdict`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from kdshift import claim_rules as rules
from kdshift.curve_sources import Sources
from theory.inference import effects
from theory.inference.contrast import LEVEL
from theory.inference.verdict import RULE, Evidence, brief_effect, is_starred, with_holm

SOURCES = ("theory", "simulation", "text", "paper")
Scores = Mapping[str, Mapping[str, Evidence]]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim: its statement, where the paper makes it, and how each source is asked."""

    name: str
    statement: str
    section: str
    score: Callable[[Sources], Mapping[str, Evidence]]


CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="augmentation-helps",
        statement="Distillation with augmented data beats distillation without (or almost without) a shift",
        section="sections 3 and 5.1",
        score=lambda sources: rules.everywhere(sources, rules.some_shift_helps, others=True),
    ),
    Claim(
        name="more-data-helps-kd",
        statement="The more augmented data, the better the distilled student",
        section="section 3, Figure 3",
        score=lambda sources: rules.more_data(sources, rules.TEACHER, effects.lower_error),
    ),
    Claim(
        name="more-data-no-help-fine-tuning",
        statement="More augmented data with copied labels saves less than half a point of error",
        section="section 3, Figure 2",
        score=rules.no_help_for_copies,
    ),
    Claim(
        name="kd-gains-more",
        statement="Distillation gains more from augmented data than fine-tuning",
        section="section 5.1, Tables 2 and 3",
        score=rules.gains_of_both,
    ),
    Claim(
        name="kd-prefers-larger",
        statement="The best shift of distillation exceeds that of copied labels",
        section="section 5.1, Tables 2 and 3",
        score=rules.best_of_distillation,
    ),
    Claim(
        name="inverted-u",
        statement="Error falls, then rises with the shift",
        section="sections 4.1 and 5.1, Figure 4",
        score=lambda sources: rules.everywhere(sources, rules.inverted_u, others=True),
    ),
    Claim(
        name="extreme-hurts",
        statement="The largest shift is worse than the best below it",
        section="section 5.1",
        score=lambda sources: rules.everywhere(sources, rules.extreme_hurts, others=True),
    ),
    Claim(
        name="smaller-data-larger-shift",
        statement="Smaller data sets prefer a larger shift",
        section="sections 4.2 and 5.1, Table 2",
        score=lambda sources: rules.everywhere(sources, rules.falls_with_size),
    ),
    Claim(
        name="smaller-data-larger-gain",
        statement="The smaller the data, the more a shift is worth",
        section="Table 2",
        score=lambda sources: rules.everywhere(sources, rules.gain_falls_with_size),
    ),
    Claim(
        name="random-peaks-earlier",
        statement="Random replacement peaks at a smaller degree than kNN",
        section="section 5.2, Table 5",
        score=rules.random_before_knn,
    ),
    Claim(
        name="cheap-beats-synthesised",
        statement="Cheap augmented data beats synthesised data at equal steps",
        section="section 3, Table 1 and Figure 3",
        score=rules.cheap_beats_synthesised,
    ),
    Claim(
        name="rule-of-thumb",
        statement="50 % below 10k examples, 30 % to 100k, 10 % above: within half a point of the best degree",
        section="section 5.1",
        score=lambda sources: rules.on_degrees(sources, rules.rule_is_good),
    ),
    Claim(
        name="rule-beats-constant",
        statement="The paper's rule has a lower error than 40 %, in the mean over sizes",
        section="section 5.1, Table 2 (in-sample for the paper)",
        score=lambda sources: rules.on_degrees(sources, rules.rule_beats_constant),
    ),
    Claim(
        name="gain-in-distance",
        statement="Distillation with a shift comes nearer to its teacher on held-out texts",
        section="section 2, the distance of Theorem 1",
        score=rules.gain_in_distance,
    ),
    Claim(
        name="worth-as-many-real-texts",
        statement="Augmented copies are worth as many real unlabelled texts as there are originals",
        section="not in the paper: what augmented text competes with",
        score=rules.worth_as_many_real_texts,
    ),
    Claim(
        name="theorem-1",
        statement="Under both printed conditions the L1 distance stays below epsilon",
        section="section 4.2 and appendix A",
        score=rules.guarantee,
    ),
)


def score_all(sources: Sources) -> dict[str, dict[str, Evidence]]:
    """Every claim on every source, with Holm's correction over all of them: claim name -> source -> evidence."""
    return with_holm({claim.name: claim.score(sources) for claim in CLAIMS})


def as_json(scored: Scores) -> dict[str, object]:
    """The matrix as plain values, with the rule."""
    claims = [
        {
            "name": claim.name,
            "statement": claim.statement,
            "section": claim.section,
            "sources": {source: as_values(found) for source, found in scored[claim.name].items()},
        }
        for claim in CLAIMS
    ]
    return {"rule": RULE, "level": LEVEL, "claims": claims}


def as_values(found: Evidence) -> dict[str, object]:
    """Evidence as plain values, its cases by name."""
    return {**asdict(found), "cases": {name: as_values(case) for name, case in found.cases}}


def matrix(scored: Scores) -> list[tuple[str, ...]]:
    """Rows of (claim, verdict of each source with its effect and interval)."""
    return [(claim.statement, *(brief(scored[claim.name][source]) for source in SOURCES)) for claim in CLAIMS]


def brief(found: Evidence) -> str:
    """A verdict with its effect and interval, in one cell; * where it does not survive Holm's correction."""
    note = f" ({found.note})" if found.note else ""
    if found.effect is None:
        return found.verdict + note
    return f"{found.verdict}{'*' if is_starred(found) else ''}: {brief_effect(found)}{note}"


def as_markdown(scored: Scores) -> str:
    """The matrix as a Markdown table, with the rule below it."""
    lines = ["| claim | " + " | ".join(SOURCES) + " |", "| --- " * (len(SOURCES) + 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in matrix(scored)]
    return "\n".join([*lines, "", RULE])
