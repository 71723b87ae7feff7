"""The audit: what it finds, and that every step has evidence."""

from __future__ import annotations

import pytest

from tests.theory.audit.mutation import FOUND
from theory import audit
from theory.errors import InputError


@pytest.fixture(scope="module")
def findings() -> dict[int, audit.Finding]:
    return {finding.number: finding for finding in audit.audit((2, 4))}


def test_there_are_27_steps_and_verdicts_are_these(findings) -> None:
    assert sorted(findings) == list(range(1, 28))
    assert {number: found.by_dimension[2] for number, found in findings.items()} == FOUND
    assert findings[10].by_dimension[4] == "false" and findings[10].verdict == "false"


def test_every_step_has_evidence_and_words(findings) -> None:
    for finding in findings.values():
        assert finding.claim and finding.corrected and finding.reason.count(". ") <= 1
        for evidence in (*finding.claimed[2], *finding.corrected_test[2]):
            assert evidence.values and evidence.kind in ("symbolic", "certified", "numeric", "monte carlo")
            if evidence.kind == "monte carlo":
                assert "standard_error" in evidence.values


def test_high_dimensions_and_other_settings() -> None:
    for finding in audit.audit((768,), epsilon=0.1, delta=0.01):
        assert finding.verdict == ("false" if finding.number == 10 else finding.verdict)
    assert audit.audit((768,), steps=[21])[0].verdict == "false"


def test_markdown_and_records(findings) -> None:
    text = audit.markdown(list(findings.values()))
    assert text.count("\n") == 29 and "holds (d = 2); false (d = 4)" in text
    record = findings[21].record()
    assert record["verdict"] == "false" and record["evidence"][0]["values"]["l1_at_least"] > 1.9


def test_mistakes_are_input_errors() -> None:
    for bad in ({"dimensions": (1,)}, {"epsilon": 1.5}, {"delta": 0}, {"steps": [28]}):
        with pytest.raises(InputError):
            audit.audit(**({"dimensions": (2,)} | bad))
