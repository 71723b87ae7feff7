"""What a sweep will cost on this machine: time and memory cell by cell, from a calibration of a few seconds.

    kdshift empirical sweep table2-mnli --dry-run [--device h100]

One layer of each kind and width in the sweep is timed, forward and with its backward pass; a run's cost is its tokens
times its layers, and Apertium's time where texts are translated. Rough (data loading, short batches and other programs
are left out), right to a factor of about two.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from empirical.augment.build import make_engine
from empirical.augment.seq2seq import PAPER_MODEL
from empirical.augment.translation import Apertium
from empirical.config import AugmentConfig, ModelConfig, RunConfig, TaskConfig, TrainConfig
from empirical.models.bilstm import BiLSTMConfig
from empirical.models.classifier import source_of
from empirical.paper import TABLE_1_MINUTES, TABLE_1_ORIGINALS
from empirical.runs.run import teacher_run
from empirical.sweeps.definition import Sweep
from empirical.sweeps.devices import CARD_SHARE, DEVICES, MEASURED_SHARE, Device, layer_seconds
from empirical.sweeps.results import amount_label, model_label
from empirical.tasks.load import TASKS, VALIDATION_LIMIT, load_task, subset_size
from empirical.training.cohort import cohort_key, uses_teacher
from empirical.training.optimizer import resolve_precision
from theory.errors import InputError

TYPICAL_TOKENS = 40  # of a GLUE pair, where the data are not at hand
TOKENS_PER_WORD = 1.35
CPU_BATCH, GPU_BATCH, RECURRENT_BATCH, LENGTH = 4, 64, 32, 64  # of the calibration


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Size of an encoder: layers, width, inner width, vocabulary; of a BiLSTM, `inner` is its embeddings' width."""

    layers: int
    hidden: int
    inner: int
    vocabulary: int
    recurrent: bool = False

    @property
    def parameters(self) -> int:
        if self.recurrent:
            return 8 * self.hidden * (self.hidden + self.inner) + self.vocabulary * self.inner
        return self.layers * (4 * self.hidden**2 + 2 * self.hidden * self.inner) + self.vocabulary * self.hidden


GATED = 3  # matrices of a gated feed-forward; EncT5's pooling layer counts as one more layer
KNOWN = {
    "bert-large-uncased": Shape(layers=24, hidden=1024, inner=4096, vocabulary=30_522),
    "bert-base-uncased": Shape(layers=12, hidden=768, inner=3072, vocabulary=30_522),
    "distilbert-base-uncased": Shape(layers=6, hidden=768, inner=3072, vocabulary=30_522),
    "google/bert_uncased_L-4_H-512_A-8": Shape(layers=4, hidden=512, inner=2048, vocabulary=30_522),
    "google/t5-v1_1-large": Shape(layers=25, hidden=1024, inner=GATED * 2816 // 2, vocabulary=32_128),
    "google/t5-v1_1-small": Shape(layers=9, hidden=512, inner=GATED * 1024 // 2, vocabulary=32_128),
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


def estimate_sweep(sweep: Sweep, device: Device | None = None) -> SweepEstimate:
    """Cells, runs and teachers of a sweep with the time and memory each takes here, or on a card that is not here.

    device: the card, whose hours follow from its maker's peak figure; None: this machine, timed for a few seconds.
    Raises InputError for bad files.
    """
    notes: dict[str, None] = {}
    meter = Meter(notes, device)
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
    if device is not None:
        share = MEASURED_SHARE * CARD_SHARE
        notes[f"an estimate: no card has been timed, {share:.0%} of {device.peak / 1e12:g} TFLOP/s are assumed"] = None
        if (most := max(cell.gigabytes for cell in (*cells, *teachers))) > device.gigabytes:
            notes[f"{most:.0f} GB are more than the card has: accumulate, or train fewer rates side by side"] = None
    return SweepEstimate(
        preset=sweep.name,
        runs=len(sweep.runs),
        cells=tuple(cells),
        teachers=tuple(teachers),
        tasks=tuple(dict.fromkeys(run.task.name for run in sweep.runs)),
        device=device.name if device is not None else "GPU" if torch.cuda.is_available() else "CPU",
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
    """Costs of runs on this machine; layers are timed once a width, tasks looked at once each.

    Translations are kept on disk, so the first run that needs one pays for it.
    """

    def __init__(self, notes: dict[str, None], device: Device | None = None) -> None:
        self.notes, self.device = notes, device
        self.translated: set[tuple[object, ...]] = set()
        self.trips: dict[TaskConfig, float] = {}
        self.speeds: dict[tuple[int, int, bool], tuple[float, float]] = {}
        self.tasks: dict[TaskConfig, tuple[int, int, float, tuple[str, ...]]] = {}
        self.shapes: dict[ModelConfig, Shape] = {}

    def seconds(self, run: RunConfig, sharing: int) -> float:
        """Time of one run whose teacher's passes are shared by `sharing` runs of its cohort."""
        train, evaluated, tokens, _ = self._task(run.task)
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
        if run.augment is not None and run.augment.augmenter == "back-translation":
            cost += self._translation(run, run.augment, originals)
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

    def _translation(self, run: RunConfig, augment: AugmentConfig, originals: int) -> float:
        """Seconds of the round trips of a subset's texts, unless an earlier run has paid for them."""
        texts = self._task(run.task)[3]
        if self.device is not None and augment.engine == PAPER_MODEL:
            self.notes["translation: 56 minutes for 4x of 1 % of MNLI on a V100 (Table 1), by peak on other cards"] = (
                None
            )
            wanted = {(run.task, run.data_size, run.data_seed, trip) for trip in range(augment.copies or 1)}
            new = len(wanted - self.translated)
            self.translated |= wanted
            a_text = 60 * TABLE_1_MINUTES["back-translation", "4x"] / (4 * TABLE_1_ORIGINALS)
            return new * originals * a_text * DEVICES["v100"].peak / self.device.peak
        try:
            engine = make_engine(augment)
        except InputError:
            engine = None
        # Only Apertium is timed: a translation model is too much to load for an estimate.
        if not isinstance(engine, Apertium) or not texts:
            name = augment.engine or "apertium"
            self.notes[f"the translation of {run.task.name} by {name} is not in the estimate"] = None
            return 0.0
        trips = range(min(augment.copies or 1, len(engine.pivots)))
        wanted = {(run.task, run.data_size, run.data_seed, trip) for trip in trips}
        new = len(wanted - self.translated)
        self.translated |= wanted
        if run.task not in self.trips:
            self.trips[run.task] = time_translation(engine, texts)
        return new * originals * self.trips[run.task]

    def _task(self, config: TaskConfig) -> tuple[int, int, float, tuple[str, ...]]:
        """(training examples, examples of one evaluation, mean tokens a text, some texts or none)."""
        if config not in self.tasks:
            self.tasks[config] = self._look(config)
        return self.tasks[config]

    def _look(self, config: TaskConfig) -> tuple[int, int, float, tuple[str, ...]]:
        spec = TASKS.get(config.name)
        known = spec is not None and config.path is None and spec.train_size is not None and spec.test_size is not None
        try:
            # The estimate for a card elsewhere is the same on every machine: it looks at no data.
            task = None if known and self.device is not None else load_task(config)
        except InputError:
            if not known:
                raise
            task = None
        if task is None:
            assert spec is not None and spec.train_size is not None and spec.test_size is not None
            self.notes[f"the data of {config.name} are not here: {TYPICAL_TOKENS} tokens a text assumed"] = None
            held_out = 0 if config.validation_size == 0 else VALIDATION_LIMIT
            return round(spec.train_size.value), round(spec.test_size.value) + held_out, TYPICAL_TOKENS, ()
        sample = task.train.take(range(0, len(task.train), max(1, len(task.train) // 200)))
        texts = tuple(sample.text_a)
        if sample.text_b is not None:
            texts = tuple(" ".join(pair) for pair in zip(texts, sample.text_b, strict=True))
        words = sum(len(text.split()) for text in texts)
        tokens = min(config.max_length, 3 + TOKENS_PER_WORD * words / len(texts))
        return len(task.train), len(task.validation) + len(task.test), tokens, texts

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
            sizes = BiLSTMConfig()
            embedding = sizes.embedding_size if model.fresh else self._encoder(model).hidden
            hidden = model.hidden_size or sizes.hidden_size
            return Shape(layers=1, hidden=hidden, inner=embedding, vocabulary=sizes.vocab_size, recurrent=True)
        base = self._encoder(model)
        layers = base.layers if model.layers is None else len(model.layers)
        hidden = model.hidden_size or base.hidden
        inner = 4 * hidden if model.hidden_size else base.inner
        return Shape(layers=layers, hidden=hidden, inner=inner, vocabulary=base.vocabulary)

    def _encoder(self, model: ModelConfig) -> Shape:
        """The whole encoder a model starts from."""
        file = Path(source_of(model)) / "config.json"
        if file.is_file():
            values = json.loads(file.read_text("utf-8"))
            return Shape(
                layers=_first(values, "num_hidden_layers", "n_layers", "num_layers"),
                hidden=_first(values, "hidden_size", "dim", "d_model"),
                inner=_inner(values),
                vocabulary=values["vocab_size"],
            )
        if model.name in KNOWN:
            return KNOWN[model.name]
        self.notes[f"the size of {model.name} is not known here: BERT Base's assumed"] = None
        return KNOWN["bert-base-uncased"]

    def _speed(self, shape: Shape) -> tuple[float, float]:
        """Seconds a token of one layer: (forward, forward and backward)."""
        layer = (shape.hidden, shape.inner, shape.recurrent)
        if layer not in self.speeds:
            self.speeds[layer] = time_layer(*layer) if self.device is None else layer_seconds(self.device, *layer)
        return self.speeds[layer]


def _inner(values: dict[str, Any]) -> int:
    """Width of the feed-forward, half as much again where it is gated (three matrices instead of two)."""
    gated = str(values.get("feed_forward_proj", "")).startswith("gated")
    return _first(values, "intermediate_size", "hidden_dim", "d_ff") * (GATED if gated else 2) // 2


def _first(values: dict[str, Any], *names: str) -> int:
    return int(next(values[name] for name in names if name in values))


def _bytes_a_parameter(train: TrainConfig) -> int:
    """Weights and gradients in fp32, and AdamW's two moments (Adafactor's are factored: nearly nothing)."""
    return 16 if train.optimizer == "adamw" else 8


def time_translation(engine: Apertium, texts: Sequence[str]) -> float:
    """Seconds of a text to Spanish and back; the first quarter starts the programs and is not counted."""
    first = len(texts) // 4
    engine.round_trip(texts[:first], *engine.pivots, 0)
    start = time.perf_counter()
    engine.round_trip(texts[first:], *engine.pivots, 0)
    return (time.perf_counter() - start) / (len(texts) - first)


def time_layer(hidden: int, inner: int, recurrent: bool = False) -> tuple[float, float]:
    """Seconds a token of one layer on this machine: (forward, forward and backward); the best of two tries.

    hidden, inner: widths of an encoder layer; if `recurrent`, of a BiLSTM's state and of its input.
    """
    gpu = torch.cuda.is_available()
    device = torch.device("cuda" if gpu else "cpu")
    batch = GPU_BATCH if gpu else RECURRENT_BATCH if recurrent else CPU_BATCH
    size = (batch, LENGTH, inner if recurrent else hidden)
    x_BLD = torch.zeros(size, device=device).normal_(generator=torch.Generator(device).manual_seed(0))
    layer: nn.Module = (
        nn.LSTM(inner, hidden, bidirectional=True, batch_first=True, device=device)
        if recurrent
        else nn.TransformerEncoderLayer(hidden, max(1, hidden // 64), inner, batch_first=True, device=device)
    )

    def forward() -> None:
        with torch.no_grad():
            layer(x_BLD)

    def both() -> None:
        made = layer(x_BLD)
        (made[0] if recurrent else made).sum().backward()

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

    with torch.autocast(device.type, torch.bfloat16, enabled=resolve_precision("auto", device) == "bf16"):
        return best(forward), best(both)


__all__ = ["CellEstimate", "Meter", "Shape", "SweepEstimate", "estimate_sweep", "time_layer", "time_translation"]
