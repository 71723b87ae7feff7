"""One model in training: its step, its evaluations, its state. The loop over steps is in `train`.

A student depends on its own configuration and on the stream only, never on who trains beside it.
Shapes: B original texts, A augmented ones, C classes, N texts of a split.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from empirical.config import RunConfig
from empirical.metric import confusion, score
from empirical.models.classifier import arguments
from empirical.randomness import Draws, step_generator
from empirical.tokens.batch import Batch
from empirical.tokens.corpus import Corpus
from empirical.training.checkpoint import model_tensors, optimizer_tensors, restore_optimizer
from empirical.training.loss import Weights, half_loss
from empirical.training.optimizer import learning_rate, make_optimizer, set_learning_rate
from theory.errors import InputError

EVALUATION_BATCH = 128
GAP_FROM = 0.75  # share of the steps after which the student's distance to the teacher is averaged
MICRO_TOKENS = {"cpu": 2048}  # of both halves in one forward pass: more would only take padding and memory,
MICRO_TOKENS_ELSEWHERE = 8192  # and fewer would leave a GPU idle
EXPLODED = 1e3  # times the first loss (and one): a loss beyond that has exploded


class Diverged(RuntimeError):
    """Training has left the numbers: a loss that is not finite, or a thousand times the first."""


@dataclass(frozen=True, kw_only=True)
class Examination:
    """A split to be scored on: its texts for one tokenizer, its labels, the metrics wanted."""

    corpus: Corpus
    label_N: NDArray[np.int64]
    metrics: tuple[str, ...]


@dataclass(kw_only=True)
class Student:
    """A model in training, with everything a checkpoint keeps.

    tokenizer: the key of the tokenizer that it reads. examinations: the splits it is scored on, by name.
    step: optimiser steps done. seconds: what the run would have cost alone (shared work included).
    curve: rows (step, split, metric, value). best: the step, value and outputs of the selected weights.
    gap_sum, gap_count: total variation between student and teacher on augmented texts in the last quarter of the steps.
    reason: why it failed; empty while all is well.
    """

    config: RunConfig
    model: PreTrainedModel
    tokenizer: str
    examinations: dict[str, Examination]
    metric: str
    accelerator: Accelerator
    step: int = 0
    seconds: float = 0.0
    examples_seen: int = 0
    teacher_calls: int = 0
    eligible: int = 0
    changed: int = 0
    curve: list[tuple[int, str, str, float]] = field(default_factory=list)
    loss_sum: float = 0.0
    loss_steps: int = 0
    gap_sum: float = 0.0
    gap_count: int = 0
    first_loss: float | None = None
    best: dict[str, Any] | None = None
    best_weights: dict[str, Tensor] | None = None
    outputs: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    done: bool = False
    reason: str = ""

    def __post_init__(self) -> None:
        if self.config.train.select == "best-validation" and "validation" not in self.examinations:
            raise InputError("train.select", "best-validation", "last or paper, where task.validation_size is 0")
        self.weights = Weights.of(self.config)
        device = self.accelerator.device
        self.model.to(device)
        self.optimizer = make_optimizer(self.model, self.config.train)
        self.prepared, self.stepper = self.accelerator.prepare(self.model, self.optimizer)
        self.pad_id = next(iter(self.examinations.values())).corpus.pad_id

    @property
    def needs_teacher(self) -> bool:
        """Whether any part of its loss is a distance to the teacher."""
        augmented = self.config.augment is not None and self.weights.gamma < 1
        return (self.weights.alpha < 1 and self.weights.gamma > 0) or (augmented and self.weights.beta < 1)

    def train_step(
        self,
        original: tuple[Batch, NDArray[np.int64], Tensor | None],
        augmented: tuple[Batch, NDArray[np.int64], Tensor | None] | None,
    ) -> None:
        """One optimiser step on (texts, labels, teacher's logits) of both halves.

        Raises:
            Diverged: the loss is not finite or has exploded.
        """
        train, accelerator = self.config.train, self.accelerator
        set_learning_rate(self.optimizer, learning_rate(train, self.step, self._budget_used()))
        self.prepared.train()
        total = torch.zeros((), device=accelerator.device)
        with self._dropout_of_step():
            parts = self._parts(original[0], None if augmented is None else augmented[0])
            for part in range(parts):
                with nullcontext() if part == parts - 1 else accelerator.no_sync(self.prepared):
                    loss = self._micro_loss(original, augmented, part, parts)
                    accelerator.backward(loss)
                total += loss.detach()
        if train.clip is not None:
            accelerator.clip_grad_norm_(self.prepared.parameters(), train.clip)
        self.stepper.step()
        self.stepper.zero_grad()
        self._book(float(accelerator.reduce(total, "mean")))
        self.step += 1

    def _budget_used(self) -> float:
        """The share of its minutes or teacher calls that the run has used; 0 without a budget."""
        train, used = self.config.train, 0.0
        if train.max_minutes is not None:
            seconds = torch.tensor(self.seconds, device=self.accelerator.device)
            used = float(self.accelerator.reduce(seconds, "mean")) / (60 * train.max_minutes)
        if train.max_teacher_calls is not None:
            used = max(used, self.teacher_calls / train.max_teacher_calls)
        return min(1.0, used)

    def _parts(self, original: Batch, augmented: Batch | None) -> int:
        """Micro-batches of a step: as many as were asked for, or as keep each within its tokens."""
        tokens = sum(batch.ids_BL.size for batch in (original, augmented) if batch is not None)
        most = MICRO_TOKENS.get(self.accelerator.device.type, MICRO_TOKENS_ELSEWHERE)
        return max(self.config.train.accumulate, math.ceil(tokens / self.accelerator.num_processes / most))

    def _micro_loss(self, original: Any, augmented: Any, part: int, parts: int) -> Tensor:
        """This micro-batch's share of the loss: gamma * L_KD / B + (1 - gamma) * L'_KD / A.

        Examples are dealt to processes in turn, to micro-batches in order (of length), and both halves go together.
        """
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        pieces = []
        shares = self.weights.shares(len(original[0]), 0 if augmented is None else len(augmented[0]))
        for half, weight, share in zip(
            (original, augmented), (self.weights.alpha, self.weights.beta), shares, strict=True
        ):
            if half is None or share == 0 or len(half[0]) == 0:
                continue
            batch, label_B, teacher_BC = half
            row = np.array_split(np.arange(rank, len(batch), world), parts)[part]
            if len(row):
                pieces.append((batch, row, label_B, teacher_BC, weight, share / len(batch)))
        if not pieces:  # fewer texts than processes and parts: every process must still take part in the gradients
            some = original if len(original[0]) else augmented
            pieces.append((some[0], np.array([0]), some[1], None, 1.0, 0.0))
        batch = joined([batch.rows(row) for batch, row, *_ in pieces], self.pad_id)
        logits_BC = self.prepared(**arguments(self.model, batch, self.accelerator.device)).logits.float()
        loss = logits_BC.new_zeros(())
        start = 0
        for _, row, label_B, teacher_BC, weight, share in pieces:
            stop = start + len(row)
            label = torch.from_numpy(label_B[row]).to(logits_BC.device)
            teacher = None if teacher_BC is None else teacher_BC[torch.from_numpy(row).to(teacher_BC.device)]
            train = self.config.train
            loss = loss + share * half_loss(
                logits_BC[start:stop], label, teacher, weight, train.distance, train.temperature
            )
            if teacher is not None and augmented is not None and label_B is augmented[1]:
                self._measure_gap(logits_BC[start:stop].detach(), teacher)
            start = stop
        return loss * world

    def _measure_gap(self, student_BC: Tensor, teacher_BC: Tensor) -> None:
        """Add up the distance of the bound's first term (theory section 3.5), E|h - g| on fresh augmented texts."""
        if self.step >= GAP_FROM * self.config.train.steps:
            difference_BC = torch.softmax(student_BC, dim=1) - torch.softmax(teacher_BC.float(), dim=1)
            self.gap_sum += float(difference_BC.abs().sum()) / 2
            self.gap_count += len(student_BC)

    @contextmanager
    def _dropout_of_step(self) -> Iterator[None]:
        """Torch's generators seeded by (seed, step) within, as they were before outside."""
        device = self.accelerator.device
        devices = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            rank = self.accelerator.process_index
            torch.manual_seed(int(step_generator(self.config.seed, self.step, Draws.DROPOUT).integers(2**62)) + rank)
            yield

    def _book(self, loss: float) -> None:
        self.first_loss = loss if self.first_loss is None else self.first_loss
        if not math.isfinite(loss):
            raise Diverged(f"diverged: loss {loss} at step {self.step + 1}")
        if loss > EXPLODED * (1 + abs(self.first_loss)):
            raise Diverged(f"diverged: loss {loss:.3g} at step {self.step + 1}, {self.first_loss:.3g} at the first")
        self.loss_sum += loss
        self.loss_steps += 1

    def evaluate(self) -> None:
        """Score validation and test, add to the curve, and keep the outputs if these weights are the ones selected."""
        began = time.perf_counter()
        if self.loss_steps:
            self.curve.append((self.step, "train", "loss", self.loss_sum / self.loss_steps))
            self.loss_sum, self.loss_steps = 0.0, 0
        outputs, values = {}, {}
        for split, examination in self.examinations.items():
            outputs[split] = self.logits(examination.corpus)
            for metric, value in scores(outputs[split], examination).items():
                self.curve.append((self.step, split, metric, value))
                values[split, metric] = value
        judge = "test" if self.config.train.select == "paper" or "validation" not in outputs else "validation"
        deciding = values[judge, self.metric]
        if self.config.train.select == "last" or self.best is None or deciding > self.best["value"]:
            self.best = {"step": self.step, "value": deciding}
            self.outputs = outputs
            if self.config.train.select != "last":
                self.best_weights = {name: tensor.clone() for name, tensor in model_tensors(self.model).items()}
        self.seconds += time.perf_counter() - began

    def logits(self, corpus: Corpus) -> NDArray[np.float32]:
        """Logits of shape (N, C) in evaluation mode, computed in batches of similar length shared by the processes."""
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        device = self.accelerator.device
        output_NC = torch.zeros(len(corpus), self.model.config.num_labels, device=device)
        self.model.eval()
        with torch.inference_mode():
            for index_B in corpus.by_length(np.arange(len(corpus)), EVALUATION_BATCH)[rank::world]:
                batch = corpus.batch(index_B)
                logits_BC = self.model(**arguments(self.model, batch, device)).logits
                output_NC[torch.from_numpy(index_B).to(device)] = logits_BC.float()
        self.model.train()
        return self.accelerator.reduce(output_NC, "sum").cpu().numpy()

    def state(self) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
        """What a checkpoint keeps: tensors by file, numbers by name."""
        tensors, numbers = optimizer_tensors(self.optimizer)
        parts = {"model": model_tensors(self.model), "optimizer": tensors}
        if self.best_weights is not None:
            parts["best"] = self.best_weights
        if self.outputs:
            parts["outputs"] = {name: torch.from_numpy(value) for name, value in self.outputs.items()}
        state = {name: getattr(self, name) for name in KEPT}
        scaler = self.accelerator.scaler
        return parts, {**state, "optimizer": numbers, "scaler": None if scaler is None else scaler.state_dict()}

    def restore(self, parts: dict[str, dict[str, Tensor]], state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.model.load_state_dict(parts["model"], strict=False)
        restore_optimizer(self.optimizer, parts["optimizer"], state["optimizer"])
        self.best_weights = parts.get("best")
        self.outputs = {name: value.numpy() for name, value in parts.get("outputs", {}).items()}
        for name in KEPT:
            setattr(self, name, state[name])
        self.step = state["step"]
        self.curve = [(int(row[0]), row[1], row[2], float(row[3])) for row in state["curve"]]
        if self.accelerator.scaler is not None and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])


KEPT = (
    "seconds",
    "examples_seen",
    "teacher_calls",
    "eligible",
    "changed",
    "curve",
    "loss_sum",
    "loss_steps",
    "gap_sum",
    "gap_count",
    "first_loss",
    "best",
)


def scores(output_NC: NDArray[np.float32], examination: Examination) -> dict[str, float]:
    """Every metric of a split by name."""
    count_CC = confusion(examination.label_N, output_NC.argmax(axis=1), output_NC.shape[1])
    return {metric: float(score(metric, count_CC)) for metric in examination.metrics}


def joined(batches: list[Batch], pad_id: int) -> Batch:
    """Batches one below the other, padded to the longest of them."""
    if len(batches) == 1:
        return batches[0]
    length = max(batch.ids_BL.shape[1] for batch in batches)

    def stack(name: str, fill: int = 0) -> NDArray[Any]:
        arrays = [getattr(batch, name) for batch in batches]
        wide = [((0, 0), (0, length - array.shape[1])) for array in arrays]
        return np.concatenate(
            [np.pad(array, width, constant_values=fill) for array, width in zip(arrays, wide, strict=True)]
        )

    return Batch(
        ids_BL=stack("ids_BL", pad_id),
        mask_BL=stack("mask_BL"),
        eligible_BL=stack("eligible_BL"),
        segment_BL=stack("segment_BL"),
    )
