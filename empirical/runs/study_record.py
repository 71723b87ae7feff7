"""A finished study kept elsewhere: its tables, and how they were made (design: results on disk).

kdshift empirical curves curves-tweets --out notebooks/results/text/curves
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch

from empirical.bank.study_run import StudyRun
from empirical.bank.study_table import CHECKS, MADE, NOISE, TABLE, read_checks
from empirical.files import replacing, write_atomically
from empirical.runs.layout import RunFiles
from empirical.runs.record import made_by, read_result
from theory.errors import InputError

PROVENANCE = "provenance.json"


def keep_study(run: StudyRun, preset: str, folder: Path) -> None:
    """Copy a finished study's tables into `folder`, with `provenance.json` beside them, which comes last.

    Raises:
        InputError: the study has no table yet.
    """
    table, checks = run.table, read_checks(run.folder)
    if table is None:
        raise InputError("study", str(run.folder), "a finished one")
    folder.mkdir(parents=True, exist_ok=True)
    for name in (NOISE, CHECKS, TABLE):
        if (run.folder / name).exists():
            with replacing(folder / name) as draft:
                shutil.copy(run.folder / name, draft)
    facts = {
        "preset": preset,
        "title": run.study.title,
        "command": f"kdshift empirical curves {preset}",
        "copies": run.study.copies,
        "students": len(table),
        "networks": 0 if checks is None else len(checks),
        "parts": json.loads((run.folder / MADE).read_text("utf-8")),
        "teacher": _teacher(run),
        "runtime": run.runtime,
        "answers_kept": len(run.bank.store(run.teacher)),
        "processors": os.cpu_count(),
        **made_by(torch.device("cpu")),
    }
    write_atomically(folder / PROVENANCE, json.dumps(facts, indent=1) + "\n")


def _teacher(run: StudyRun) -> dict[str, Any]:
    """Who answered: the key of its answers, and where kdshift trained it, its scores, steps and seconds."""
    facts: dict[str, Any] = {"key": run.teacher.key, "name": run.teacher.name}
    if run.trained is None or not RunFiles(run.trained).result.exists():
        return facts
    result = read_result(run.trained)
    if result is None or not result.finished:
        return facts
    scores = {f"accuracy_{name}": result.scores[name].get("accuracy") for name in ("test", "validation")}
    return {
        **facts,
        **scores,
        "n_test": result.scores["test"]["n"],
        "steps": result.steps,
        "seconds": result.wall_seconds,
    }
