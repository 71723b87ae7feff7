"""A step of the printed proof as an object: its claim, the verdict that its evidence gives, the corrected claim.

A verdict is never written down. Each step tests two things when asked: the claim as printed, and what the proof needs
the claim for, after the stated correction. The verdict follows: the claim passes: "holds"; only the corrected use
passes: "holds with a fix"; neither: "false".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from theory import printed

Kind = Literal["symbolic", "certified", "numeric", "monte carlo"]
Verdict = Literal["holds", "holds with a fix", "false"]
WORST: tuple[Verdict, ...] = ("holds", "holds with a fix", "false")


@dataclass(frozen=True, kw_only=True)
class AuditEvidence:
    """One test: what was compared, the numbers found, whether it came out in favour of what it tests.

    `kind`: a SymPy identity, mpmath interval arithmetic, double precision, or seeded Monte Carlo (values hold its
    standard error).
    """

    statement: str
    kind: Kind
    holds: bool
    values: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AuditPoint:
    """Where the audit stands: one dimension, epsilon, delta, and the seed of its Monte Carlo.

    `log_tau` and `data_size` satisfy both printed conditions: 0.99 of the printed limit, the least allowed n.
    """

    dimension: int
    epsilon: float
    delta: float
    seed: int

    @property
    def log_tau(self) -> float:
        """ln of 0.99 times the printed limit of tau."""
        return float(printed.log_tau_limit(self.epsilon, self.dimension)) + float(np.log(0.99))

    @property
    def tau(self) -> float:
        """0.99 times the printed limit of tau; zero if it underflows."""
        return float(np.exp(self.log_tau))

    @property
    def data_size(self) -> float:
        """The least whole n that exceeds the printed requirement at `log_tau`."""
        required = printed.data_size_required(self.epsilon, self.delta, self.log_tau, self.dimension)
        return max(float(np.floor(required)) + 1.0, 1.0)

    @property
    def x_u(self) -> float:
        """The printed x_u."""
        return float(printed.x_u(self.epsilon, self.dimension))

    def rng(self, step: int) -> np.random.Generator:
        """The generator of one step's Monte Carlo: depends on seed, step and dimension only."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(step, self.dimension)))


def evidence(
    kind: Kind, statement: str, holds: object, values: Mapping[str, float | str] | None = None
) -> list[AuditEvidence]:
    """The evidence of a test that compares one thing."""
    return [AuditEvidence(statement=statement, kind=kind, holds=bool(holds), values=values or {})]


Test = Callable[[AuditPoint], list[AuditEvidence]]


@dataclass(frozen=True, kw_only=True)
class ProofStep:
    """One step of the printed proof, with two tests: `claimed` as printed, `corrected_test` as corrected."""

    number: int
    title: str
    place: str
    claim: str
    corrected: str
    reason: str
    claimed: Test
    corrected_test: Test

    def examine(self, grounds: list[AuditPoint]) -> Finding:
        """Run both tests at every ground; the overall verdict is the worst."""
        at = {ground.dimension: (self.claimed(ground), self.corrected_test(ground)) for ground in grounds}
        verdicts = {dimension: _verdict(*tests) for dimension, tests in at.items()}
        return Finding(
            number=self.number,
            title=self.title,
            place=self.place,
            claim=self.claim,
            corrected=self.corrected,
            reason=self.reason,
            verdict=max(verdicts.values(), key=WORST.index),
            by_dimension=verdicts,
            claimed={dimension: tests[0] for dimension, tests in at.items()},
            corrected_test={dimension: tests[1] for dimension, tests in at.items()},
        )


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What came out for one step: the verdict, over all dimensions and for each, and the evidence for it."""

    number: int
    title: str
    place: str
    claim: str
    corrected: str
    reason: str
    verdict: Verdict
    by_dimension: Mapping[int, Verdict]
    claimed: Mapping[int, list[AuditEvidence]]
    corrected_test: Mapping[int, list[AuditEvidence]]

    def record(self) -> dict[str, Any]:
        """Plain values for JSON."""

        def plain(tests: Mapping[int, list[AuditEvidence]]) -> list[dict[str, Any]]:
            rows = [(dimension, evidence) for dimension, found in tests.items() for evidence in found]
            return [
                {
                    "dimension": dimension,
                    "statement": evidence.statement,
                    "kind": evidence.kind,
                    "holds": bool(evidence.holds),
                    "values": dict(evidence.values),
                }
                for dimension, evidence in rows
            ]

        return {
            "number": self.number,
            "title": self.title,
            "place": self.place,
            "claim": self.claim,
            "verdict": self.verdict,
            "by_dimension": {str(dimension): verdict for dimension, verdict in self.by_dimension.items()},
            "corrected": self.corrected,
            "reason": self.reason,
            "evidence": plain(self.claimed),
            "evidence_corrected": plain(self.corrected_test),
        }


def _verdict(claimed: list[AuditEvidence], used: list[AuditEvidence]) -> Verdict:
    if all(evidence.holds for evidence in claimed):
        return "holds"
    return "holds with a fix" if used and all(evidence.holds for evidence in used) else "false"
