"""What a sweep will cost on this machine: time and memory cell by cell, from a calibration of a few seconds.

    kdshift empirical sweep table2-mnli --dry-run

One encoder layer of each width in the sweep is timed, forward and with its backward pass; a run's cost is its tokens
times its layers. Rough (data loading, short batches and other programs are left out), right to a factor of about two.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from empirical.cohort import cohort_key, uses_teacher
from empirical.config import ModelConfig, RunConfig, TaskConfig, TrainConfig
from empirical.grid import Sweep
from empirical.model import source_of
from empirical.results import amount_label, model_label
from empirical.run import teacher_run
from empirical.task import TASKS, load_task, subset_size
from theory.errors import InputError

TYPICAL_TOKENS = 40  # of a GLUE pair, where the data are not at hand
TOKENS_PER_WORD = 1.35
CPU_BATCH, GPU_BATCH, LENGTH = 4, 64, 64  # of the calibration


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Size of an encoder: layers, width, inner width, vocabulary."""

    layers: int
    hidden: int
    inner: int
    vocabulary: int

    @property
    def parameters(self) -> int:
        return self.layers * (4 * self.hidden**2 + 2 * self.hidden * self.inner) + self.vocabulary * self.hidden


KNOWN = {
    "bert-large-uncased": Shape(layers=24, hidden=1024, inner=4096, vocabulary=30_522),
    "bert-base-uncased": Shape(layers=12, hidden=768, inner=3072, vocabulary=30_522),
    "distilbert-base-uncased": Shape(layers=6, hidden=768, inner=3072, vocabulary=30_522),
    "google/bert_uncased_L-4_H-512_A-8": Shape(layers=4, hidden=512, inner=2048, vocabulary=30_522),
    "t5-large": Shape(layers=24, hidden=1024, inner=4096, vocabulary=32_128),
    "t5-small": Shape(layers=6, hidden=512, inner=2048, vocabulary=32_128),
}


@dataclass(frozen=True, kw_only=True)
class CellEstimate:
    label: str
    runs: int
    seconds: float
    gigabytes: float


@dataclass(frozen=True, kw_only=True)
class SweepEstimate:
    """seconds: of everything one after the other on one device, teachers included."""

    preset: str
    runs: int
    cells: tuple[CellEstimate, ...]
    teachers: tuple[CellEstimate, ...]
    tasks: tuple[str, ...]
    device: str
    seconds: float
    notes: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """The JSON object of `sweep --dry-run --json`."""
        return {
            "preset": self.preset,
            "cells": len(self.cells),
            "runs": self.runs,
            "teachers": [teacher.label for teacher in self.teachers],
            "tasks": list(self.tasks),
            "seconds_estimated": self.seconds,
            "device": self.device,
            "estimates": [vars(cell) for cell in (*self.teachers, *self.cells)],
            "notes": list(self.notes),
        }


def estimate_sweep(sweep: Sweep) -> SweepEstimate:
    """Cells, runs and teachers of a sweep with the time and memory each takes here; InputError for bad files."""
    notes: dict[str, None] = {}
    meter = Meter(notes)
    sharing = Counter(cohort_key(run) for run in sweep.runs)
    cells = [
        CellEstimate(
            label=_label(runs[0]),
            runs=len(runs),
            seconds=sum(meter.seconds(run, sharing[cohort_key(run)]) for run in runs),
            gigabytes=meter.gigabytes(runs[0], sharing[cohort_key(runs[0])]),
        )
        for runs in sweep.cells().values()
    ]
    trained = {
        teacher_run(run).digest(): teacher_run(run)
        for run in sweep.runs
        if uses_teacher(run) and run.teacher_train is not None
    }
    teachers = [
        CellEstimate(
            label=f"{model_label(run.student)} on {run.task.name}",
            runs=1,
            seconds=meter.seconds(run, 1),
            gigabytes=meter.gigabytes(run, 1),
        )
        for run in trained.values()
    ]
    if any(run.augment is not None and run.augment.augmenter == "back-translation" for run in sweep.runs):
        notes["the translation of back-translation runs is not in the estimate"] = None
    return SweepEstimate(
        preset=sweep.name,
        runs=len(sweep.runs),
        cells=tuple(cells),
        teachers=tuple(teachers),
        tasks=tuple(dict.fromkeys(run.task.name for run in sweep.runs)),
        device="GPU" if torch.cuda.is_available() else "CPU",
        seconds=sum(cell.seconds for cell in (*cells, *teachers)),
        notes=tuple(notes),
    )


def _label(run: RunConfig) -> str:
    size = f"{run.data_size:.0%}" if run.data_size <= 1 else f"{run.data_size} examples"
    shift = "0 %"
    if run.augment is not None:
        shift = f"{run.augment.augmenter} {run.augment.degree:.0%} {amount_label(run)}"
    return f"{run.task.name}, {run.mode}, {model_label(run.student)}, {size}, {shift}".replace("%,", " %,")


class Meter:
    """Costs of runs on this machine; layers are timed once a width, tasks looked at once each."""

    def __init__(self, notes: dict[str, None]) -> None:
        self.notes = notes
        self.speeds: dict[tuple[int, int], tuple[float, float]] = {}
        self.tasks: dict[TaskConfig, tuple[int, int, float]] = {}
        self.shapes: dict[ModelConfig, Shape] = {}

    def seconds(self, run: RunConfig, sharing: int) -> float:
        """Time of one run whose teacher's passes are shared by `sharing` runs of its cohort."""
        train, evaluated, tokens = self._task(run.task)
        originals = subset_size(run.data_size, train) if run.data_size <= train else train
        student = self._student(run)
        forward, both = self._speed(student)
        seen = run.train.batch_size * (1 if run.augment is None else 2)
        cost = run.train.steps * seen * tokens * student.layers * both
        rounds = 1 if run.train.evaluate_every is None else run.train.steps // run.train.evaluate_every
        cost += rounds * evaluated * tokens * student.layers * forward
        if uses_teacher(run) and run.teacher is not None:
            teacher = self._shape(run.teacher)
            fresh = run.train.steps * run.train.batch_size if run.augment is not None else 0
            if run.augment is not None and run.augment.copies is not None:
                fresh = min(fresh, originals * run.augment.copies)
            cost += (originals + fresh) * tokens * teacher.layers * self._speed(teacher)[0] / sharing
        return cost

    def gigabytes(self, run: RunConfig, sharing: int) -> float:
        """Weights, gradients, optimiser and activations of `sharing` students, and the teacher's weights."""
        student = self._student(run)
        tokens = min(run.task.max_length, 2 * self._task(run.task)[2])
        texts = run.train.batch_size / run.train.accumulate * (1 if run.augment is None else 2)
        activations = 4 * texts * tokens * student.layers * (10 * student.hidden + 2 * student.inner)
        total = sharing * student.parameters * _bytes_a_parameter(run.train) + activations
        if uses_teacher(run) and run.teacher is not None:
            total += 4 * self._shape(run.teacher).parameters
        return total / 1e9

    def _task(self, config: TaskConfig) -> tuple[int, int, float]:
        """(training examples, examples of one evaluation, mean tokens a text)."""
        if config not in self.tasks:
            self.tasks[config] = self._look(config)
        return self.tasks[config]

    def _look(self, config: TaskConfig) -> tuple[int, int, float]:
        try:
            task = load_task(config)
        except InputError:
            spec = TASKS.get(config.name)
            if spec is None or config.path is not None or spec.train_size is None or spec.test_size is None:
                raise
            self.notes[f"the data of {config.name} are not here: {TYPICAL_TOKENS} tokens a text assumed"] = None
            return round(spec.train_size.value), round(spec.test_size.value) + 1000, TYPICAL_TOKENS
        sample = task.train.take(range(0, len(task.train), max(1, len(task.train) // 200)))
        words = [len(text.split()) for text in (*sample.text_a, *(sample.text_b or []))]
        tokens = min(config.max_length, 3 + TOKENS_PER_WORD * sum(words) / len(sample))
        return len(task.train), len(task.validation) + len(task.test), tokens

    def _student(self, run: RunConfig) -> Shape:
        """A student named "teacher" is cut from the trained teacher: it has the teacher's widths."""
        model = run.student
        if model.name == "teacher" and run.teacher is not None:
            model = model.model_copy(update={"name": run.teacher.name})
        return self._shape(model)

    def _shape(self, model: ModelConfig) -> Shape:
        if model not in self.shapes:
            self.shapes[model] = self._find_shape(model)
        return self.shapes[model]

    def _find_shape(self, model: ModelConfig) -> Shape:
        if model.architecture == "bilstm":
            width = model.hidden_size or 256
            return Shape(layers=1, hidden=width, inner=width, vocabulary=30_522)
        file = Path(source_of(model)) / "config.json"
        if file.is_file():
            values = json.loads(file.read_text("utf-8"))
            base = Shape(
                layers=_first(values, "num_hidden_layers", "n_layers", "num_layers"),
                hidden=_first(values, "hidden_size", "dim", "d_model"),
                inner=_first(values, "intermediate_size", "hidden_dim", "d_ff"),
                vocabulary=values["vocab_size"],
            )
        elif model.name in KNOWN:
            base = KNOWN[model.name]
        else:
            self.notes[f"the size of {model.name} is not known here: BERT Base's assumed"] = None
            base = KNOWN["bert-base-uncased"]
        layers = base.layers if model.layers is None else len(model.layers)
        hidden = model.hidden_size or base.hidden
        inner = 4 * hidden if model.hidden_size else base.inner
        return Shape(layers=layers, hidden=hidden, inner=inner, vocabulary=base.vocabulary)

    def _speed(self, shape: Shape) -> tuple[float, float]:
        """Seconds a token of one layer: (forward, forward and backward)."""
        width = (shape.hidden, shape.inner)
        if width not in self.speeds:
            self.speeds[width] = time_layer(*width)
        return self.speeds[width]


def _first(values: dict[str, Any], *names: str) -> int:
    return int(next(values[name] for name in names if name in values))


def _bytes_a_parameter(train: TrainConfig) -> int:
    """Weights and gradients in fp32, and AdamW's two moments (Adafactor's are factored: nearly nothing)."""
    return 16 if train.optimizer == "adamw" else 8


def time_layer(hidden: int, inner: int) -> tuple[float, float]:
    """Seconds a token of one encoder layer on this machine: (forward, forward and backward); the best of two tries."""
    gpu = torch.cuda.is_available()
    device = torch.device("cuda" if gpu else "cpu")
    batch = GPU_BATCH if gpu else CPU_BATCH
    layer = nn.TransformerEncoderLayer(hidden, max(1, hidden // 64), inner, batch_first=True, device=device)
    x_BLD = torch.zeros(batch, LENGTH, hidden, device=device).normal_(generator=torch.Generator(device).manual_seed(0))

    def forward() -> None:
        with torch.no_grad():
            layer(x_BLD)

    def both() -> None:
        layer(x_BLD).sum().backward()

    def best(work: Callable[[], None]) -> float:
        work()
        times = []
        for _ in range(2):
            start = time.perf_counter()
            work()
            if gpu:
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
        return min(times) / (batch * LENGTH)

    with torch.autocast(device.type, torch.bfloat16, enabled=gpu):
        return best(forward), best(both)


__all__ = ["CellEstimate", "Meter", "Shape", "SweepEstimate", "estimate_sweep", "time_layer"]
