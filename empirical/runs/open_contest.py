"""A contest of augmenters made ready: its teacher, its bank with the models that the augmenters need, their prices.

kdshift empirical equal-seconds augmenters-tweets
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from empirical.augment.catalogue import needs_of
from empirical.bank.equal_seconds import Contest
from empirical.bank.making import Bank
from empirical.bank.prices import Price, answer_seconds, price_of
from empirical.bank.study import Study
from empirical.bank.study_run import study_folder
from empirical.files import write_atomically
from empirical.models.input_gradient import InputGradient
from empirical.runs.study_teachers import open_study
from empirical.teachers.answering import NetworkAnswers
from empirical.teachers.frozen import frozen_network
from theory.errors import InputError
from theory.progress_report import Progress

PRICES = "prices.json"


def open_contest(
    study: Study,
    name: str,
    results: Path,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> tuple[Contest, Path]:
    """The contest of a study's shifts, and the folder of its files. Prices are measured once and kept there.

    Raises:
        InputError: data, a model or an augmenter that is not to be had; two shifts that need different students; a
            teacher that PyTorch does not run.
    """
    if study.runtime != "torch":
        raise InputError("runtime", study.runtime, '"torch": some augmenters ask for the network itself')
    run = open_study(study, name, results, progress, stop)
    assert isinstance(run.teacher, NetworkAnswers)
    asked = [0]
    bank = replace(run.bank, models=_models(study, run.teacher, run.bank.tokenizer, asked), made_with=run.teacher.key)
    # Parts are kept by size, entrant and check: a study with more of them goes on in the same folder.
    same = study.model_copy(update={"shifts": (), "sizes": (), "checks": ()})
    folder = study_folder(same, bank.task, run.teacher.key, results / "equal-seconds", name)
    found = _prices(study, bank, folder / PRICES, run.teacher, asked, progress)
    contest = Contest(
        study=study,
        bank=bank,
        teacher=run.teacher,
        embeddings=run.embeddings,
        prices={name: Price(**values) for name, values in found["prices"].items()},
        answer=found["answer"],
        progress=progress,
    )
    return contest, folder


def _prices(
    study: Study, bank: Bank, kept: Path, teacher: NetworkAnswers, asked: list[int], progress: Progress | None
) -> dict[str, Any]:
    """The prices of a study's shifts and of an answer: those in the file, and in it from now on."""
    found: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    if not found:
        found = {"answer": answer_seconds(teacher, bank.pool.pool.corpus), "prices": {}}
    for done, shift in enumerate(study.shifts):
        if shift.name not in found["prices"]:
            if progress is not None:
                progress(f"prices: {shift.augmenter}", done, len(study.shifts))
            degree = shift.degrees[len(shift.degrees) // 2]
            found["prices"][shift.name] = asdict(price_of(shift, degree, bank, asked))
            write_atomically(kept, json.dumps(found, indent=1) + "\n")
    return found


def _models(study: Study, teacher: NetworkAnswers, tokenizer: Any, asked: list[int]) -> dict[str, Any]:
    """The teacher with its gradient and the trained student, where a shift needs them; their texts are counted."""

    def count(texts: int) -> None:
        asked[0] += texts

    needs = {need for shift in study.shifts for need in needs_of(shift.augment())}
    models: dict[str, Any] = {}
    if needs & {"teacher", "teacher-gradient"}:
        whole = teacher.teacher
        models["teacher"] = models["network"] = InputGradient(
            whole.model, whole.column_C, count, score=whole.numpy_logits
        )
        models["labels"] = teacher.labels
    students = {shift.student for shift in study.shifts if shift.student is not None}
    if len(students) > 1:
        raise InputError("student", ", ".join(sorted(students)), "one trained student for all shifts")
    for source in students:
        models["student"] = frozen_network("student", source, tokenizer, teacher.labels)
    return models
