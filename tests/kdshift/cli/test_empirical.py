"""`kdshift empirical`: each verb is found where the group says it is, with its own help; a bank is made and read."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from empirical.bank.study_run import StudyRun
from kdshift.cli import main
from kdshift.cli.empirical import EPILOGUES, app
from tests.kdshift.ladder.tiny_ladder import tiny_run

VERBS = [name for name in app if not name.startswith("-")]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = 0
    try:
        main(["empirical", *arguments])
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_the_function_of_its_name(verb: str) -> None:
    function = app[verb].default_command
    assert callable(function) and function.__name__ == verb.replace("-", "_")
    assert function.__module__.startswith("kdshift.cli.")
    assert getattr(importlib.import_module(function.__module__), function.__name__) is function
    assert "json" in function.__annotations__ or verb == "masked-lm", "every verb prints JSON"


def test_the_groups_help_has_a_line_a_verb(capsys: pytest.CaptureFixture[str]) -> None:
    status, out = run(capsys, "--help")
    assert status == 0 and set(EPILOGUES) <= set(VERBS)
    for verb in VERBS:
        assert any(line.split()[1:2] == [verb] for line in out.splitlines()), verb


def test_a_verbs_help_ends_with_its_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for verb, text in EPILOGUES.items():
        status, out = run(capsys, verb, "--help")
        assert status == 0 and " ".join(text.split("\n\n")[-1].split()) in " ".join(out.split())


def test_a_bank_and_its_curves_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out = run(capsys, "bank", "curves-quick", "--dry-run", "--json")
    planned = json.loads(out)
    assert status == 0 and planned["answers"] > planned["texts"] > 0 and planned["sizes"] == sorted(planned["sizes"])

    @contextmanager
    def opened(preset: str, results: Path) -> Iterator[StudyRun]:
        yield tiny_run(tmp_path)

    monkeypatch.setattr("kdshift.cli.bank.opened", opened)
    status, out = run(capsys, "bank", "--json")
    made = json.loads(out)
    assert status == 0 and made["teacher_calls"] > 0 < made["bytes"]
    assert made["teacher_calls"] + made["kept_answers"] == made["answers"], "a text that comes twice is asked once"
    status, out = run(capsys, "curves", "--json")
    found = json.loads(out)
    assert status == 0 and found["teacher_calls"] == 0, "what the bank holds is not asked again"
    assert found["curves"] and found["task"] == made["task"]
    for curve in found["curves"]:
        assert curve["degree"][0] == 0 and len(curve["distance"]) == len(curve["degree"]) == len(curve["accuracy"])
        assert all(0 <= distance <= 1 for distance in curve["distance"])
