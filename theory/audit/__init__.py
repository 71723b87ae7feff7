"""The audit of Theorem 1: the 27 steps of statement, proof and takeaways, each checked when asked.

`kdshift theory audit [--dimension 2,3,5,10] [--json | --markdown]`; paper section 4.2 and appendix A.
"""

from __future__ import annotations

from collections.abc import Sequence

from theory.audit import ball, cells, conclusion, limit, noise, statement
from theory.audit.step import AuditEvidence, AuditPoint, Finding, Kind, ProofStep, Verdict
from theory.errors import InputError
from theory.setting import Setting

__all__ = ["STEPS", "AuditEvidence", "AuditPoint", "Finding", "Kind", "ProofStep", "Verdict", "audit", "markdown"]

STEPS: tuple[ProofStep, ...] = tuple(
    sorted(
        (*statement.STEPS, *ball.STEPS, *cells.STEPS, *noise.STEPS, *limit.STEPS, *conclusion.STEPS),
        key=lambda step: step.number,
    )
)


def audit(
    dimensions: Sequence[int] = (2, 3, 5, 10),
    *,
    epsilon: float = 0.5,
    delta: float = 0.1,
    seed: int = 0,
    steps: Sequence[int] | None = None,
) -> tuple[Finding, ...]:
    """Examine the steps (all, or those numbered) in these dimensions, at settings that meet both printed conditions.

    Seconds for the default: symbolic identities, interval arithmetic, double precision and seeded Monte Carlo.
    Raises InputError for an unknown step or a setting outside its range.
    """
    for dimension in dimensions:
        Setting(dimension=dimension, epsilon=epsilon, delta=delta)
    known = {step.number: step for step in STEPS}
    chosen = known if steps is None else steps
    for number in chosen:
        if number not in known:
            raise InputError("step", number, f"a number from 1 to {len(STEPS)}")
    grounds = [AuditPoint(dimension=int(d), epsilon=epsilon, delta=delta, seed=seed) for d in dimensions]
    return tuple(known[number].examine(grounds) for number in chosen)


def markdown(findings: Sequence[Finding]) -> str:
    """The findings as a Markdown table: step, claim, verdict, corrected claim, reason."""
    rows = ["| # | step | claim as printed | verdict | corrected | reason |", "|---|---|---|---|---|---|"]
    for finding in findings:
        cells_of_row = (
            str(finding.number),
            finding.title,
            finding.claim,
            verdict_text(finding),
            finding.corrected,
            finding.reason,
        )
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells_of_row) + " |")
    return "\n".join(rows) + "\n"


def verdict_text(finding: Finding) -> str:
    """The verdict, with the dimensions where they differ."""
    groups: dict[str, list[str]] = {}
    for dimension, verdict in finding.by_dimension.items():
        groups.setdefault(verdict, []).append(str(dimension))
    if len(groups) == 1:
        return finding.verdict
    return "; ".join(f"{verdict} (d = {', '.join(at)})" for verdict, at in groups.items())
