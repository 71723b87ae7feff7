"""A study made ready to run: its teacher trained (once), its bank opened, teachers of single replicates on demand.

    kdshift empirical curves curves-demo

It stands above the bank because teachers are runs in their directories. Shapes: N texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from empirical.bank.making import Bank
from empirical.bank.pool import pool_order
from empirical.bank.study import Study
from empirical.bank.study_run import StudyRun, study_folder
from empirical.config import ModelConfig, RunConfig, TaskConfig
from empirical.files import write_atomically
from empirical.models.classifier import check_tokenizer, embedding_matrix, load_classifier, load_tokenizer
from empirical.runs.layout import shared_folder
from empirical.runs.run import ensure_teacher
from empirical.tasks.load import Task, load_task
from empirical.tasks.spec import Split
from empirical.teachers.answering import Answering, NetworkAnswers
from empirical.teachers.answers import ANSWERS
from empirical.teachers.fine_tuned import Teacher
from empirical.teachers.onnx_answers import OnnxAnswers
from theory.progress_report import Progress

EVALUATED = 200  # texts on which a replicate's teacher is scored for its record


def open_study(
    study: Study,
    name: str,
    results: Path,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    device: str | None = None,
    task: Task | None = None,
) -> StudyRun:
    """A study with its teacher and its bank under `results`, ready to `run`.

    device: where teachers answer; None: a GPU if there is one.
    task: the study's task with other held-out texts, where some may not be looked at; None: as it is.
    `results`/teachers has the teacher, `results`/bank the banks, `results`/curves/NAME-DIGEST the study's own files.

    Raises:
        InputError: data, a model or an augmenter that is not to be had. TeacherFailed: its training failed.
    """
    task = load_task(study.task) if task is None else task
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    config = RunConfig(task=study.task, teacher=study.teacher, teacher_train=study.teacher_train)
    trained = ensure_teacher(config, results, progress, stop)
    teacher, tokenizer = _teacher(trained, study.teacher.name, study, task, device)
    embeddings = embedding_matrix(study.teacher)
    bank = Bank(
        plan=study.bank(),
        task=task,
        tokenizer=tokenizer,
        embeddings=embeddings,
        root=results / "bank",
        answers=shared_folder(results) / ANSWERS,
    )

    def subset_teacher(own_N: NDArray[np.int64], number: int) -> Answering:
        folder = _subset_task(study, task, own_N, results / "bank" / "subsets")
        one = RunConfig(
            task=TaskConfig(name=str(folder), max_length=study.task.max_length, labels=task.labels),
            teacher=study.teacher,
            teacher_train=study.same_teacher_train,
        )
        return _teacher(
            ensure_teacher(one, results, progress, stop), f"{study.teacher.name} of n", study, task, device
        )[0]

    return StudyRun(
        study=study,
        bank=bank,
        teacher=teacher,
        embeddings=embeddings,
        folder=study_folder(study, task, teacher.key, results / "curves", name),
        subset_teacher=subset_teacher,
        progress=progress,
        stop=stop,
        runtime=_compared(teacher, study, task),
        trained=trained,
    )


def _compared(teacher: Answering, study: Study, task: Task) -> dict[str, Any] | None:
    """How a teacher that PyTorch does not run differs from its network, on validation texts; else None."""
    return teacher.compared(task.validation, study.task.max_length) if isinstance(teacher, OnnxAnswers) else None


def _teacher(folder: Path, name: str, study: Study, task: Task, device: str) -> tuple[Answering, Any]:
    """The teacher kept in a run's folder as the study runs it, and its tokenizer."""
    source = str(folder / "model" if (folder / "model").is_dir() else folder)
    model, tokenizer = load_classifier(source), load_tokenizer(ModelConfig(name=source))
    check_tokenizer(model, tokenizer, source)
    bare = study.runtime == "torch"
    network = NetworkAnswers(
        Teacher(model, tokenizer, task.labels, device=device if bare else "cpu"), name, task.labels
    )
    if bare:
        return network, tokenizer
    return OnnxAnswers(network, folder / "onnx", int8=study.runtime == "onnx-int8"), tokenizer


def _subset_task(study: Study, task: Task, own_N: NDArray[np.int64], root: Path) -> Path:
    """A replicate's texts as a task of their own, with a few texts of validation and test for the teacher's record."""
    place_N = pool_order(study.seed, len(task.train), study.skip)[own_N]
    few = [_spread(split, EVALUATED) for split in (task.validation, task.test)]
    splits = dict(zip(("train", "validation", "test"), (task.train.take(place_N), *few), strict=True))
    folder = root / splits["train"].digest()
    for name, split in splits.items():
        if not (folder / f"{name}.jsonl").exists():
            write_atomically(folder / f"{name}.jsonl", _lines(split, task.labels))
    return folder


def _spread(split: Split, count: int) -> Split:
    """`count` texts evenly spread over a split, which may stand in the order of its sources."""
    return split.take(np.unique(np.linspace(0, len(split) - 1, min(count, len(split))).round().astype(np.int64)))


def _lines(split: Split, labels: tuple[str, ...]) -> str:
    """A split as JSON lines."""
    second: Sequence[str | None] = split.text_b or [None] * len(split)
    rows = (
        {"text": text, **({} if other is None else {"text_b": other}), "label": labels[label]}
        for text, other, label in zip(split.text_a, second, split.labels, strict=True)
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
