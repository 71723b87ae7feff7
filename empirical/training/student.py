"""One model in training: its step, its evaluations, its state. The loop over steps is in `train`.

A student depends on its own configuration and on the stream only, never on who trains beside it.
Shapes: B original texts, A augmented ones, C classes, N texts of a split.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
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
from empirical.models.classifier import arguments
from empirical.models.precision import gradient_scaler, mixed
from empirical.randomness import Draws, step_generator
from empirical.tokens.corpus import Corpus
from empirical.training.checkpoint import model_tensors, optimizer_tensors, restore_optimizer
from empirical.training.halves import Half, Part, deal, joined
from empirical.training.held_out import EvaluationSplit
from empirical.training.loss import Weights, half_loss
from empirical.training.optimizer import learning_rate, make_optimizer, set_learning_rate
from theory.errors import InputError

EVALUATION_BATCH = 128
GAP_FROM = 0.75  # share of the steps after which the student's distance to the teacher is averaged
MICRO_TOKENS = {"cpu": 2048}  # of both halves in one forward pass: more would only take padding and memory,
MICRO_TOKENS_ELSEWHERE = 8192  # and fewer would leave a GPU idle
EXPLODED = 1e3  # times the first loss (and one): a loss beyond that has exploded
KEPT = (  # what a checkpoint keeps of a student beside tensors
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


class Diverged(RuntimeError):
    """Training has left the numbers: a loss that is not finite, or a thousand times the first."""


@dataclass(kw_only=True)
class Student:
    """A model in training, with everything a checkpoint keeps.

    tokenizer: the key of the tokenizer that it reads. splits: those it is scored on, by name.
    accelerator: of the processes that train it together. precision: `fp32`, `bf16` or `fp16`, of its forward passes.
    step: optimiser steps done. seconds: what the run would have cost alone (shared work included).
    curve: rows (step, split, metric, value). best: the step, value and outputs of the selected weights.
    gap_sum, gap_count: total variation between student and teacher on augmented texts in the last quarter of the steps.
    reason: why it failed; empty while all is well.
    """

    config: RunConfig
    model: PreTrainedModel
    tokenizer: str
    splits: dict[str, EvaluationSplit]
    metric: str
    accelerator: Accelerator
    precision: str = "fp32"
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
        if self.config.train.select == "best-validation" and "validation" not in self.splits:
            raise InputError("train.select", "best-validation", "last or paper, where task.validation_size is 0")
        self.weights = Weights.of(self.config)
        torch.nn.Module.to(self.model, self.device)
        self.optimizer = make_optimizer(self.model, self.config.train)
        self.scaler = gradient_scaler(self.device, self.precision)
        self.prepared: torch.nn.Module = self.accelerator.prepare_model(self.model)
        self.pad_id = next(iter(self.splits.values())).corpus.pad_id

    @property
    def device(self) -> torch.device:
        device: torch.device = self.accelerator.device
        return device

    @property
    def needs_teacher(self) -> bool:
        """Whether any part of its loss is a distance to the teacher."""
        augmented = self.config.augment is not None and self.weights.gamma < 1
        return (self.weights.alpha < 1 and self.weights.gamma > 0) or (augmented and self.weights.beta < 1)

    def train_step(self, original: Half, augmented: Half | None) -> None:
        """One optimiser step on both halves.

        Raises:
            Diverged: the loss is not finite or has exploded.
        """
        train = self.config.train
        set_learning_rate(self.optimizer, learning_rate(train, self.step, self._budget_used()))
        self.prepared.train()
        total = torch.zeros((), device=self.device)
        with self._dropout_of_step():
            batches = self._micro_batches(original, augmented)
            for number, parts in enumerate(batches, start=1):
                with nullcontext() if number == len(batches) else self.accelerator.no_sync(self.prepared):
                    loss = self._micro_loss(parts)
                    torch.autograd.backward(self.scaler.scale(loss))
                total += loss.detach()
        if train.clip is not None:
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.prepared.parameters(), train.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad()
        self._book(float(self.accelerator.reduce(total, "mean")))
        self.step += 1

    def _budget_used(self) -> float:
        """The share of its minutes or teacher calls that the run has used; 0 without a budget."""
        train, used = self.config.train, 0.0
        if train.max_minutes is not None:
            seconds = torch.tensor(self.seconds, device=self.device)
            used = float(self.accelerator.reduce(seconds, "mean")) / (60 * train.max_minutes)
        if train.max_teacher_calls is not None:
            used = max(used, self.teacher_calls / train.max_teacher_calls)
        return min(1.0, used)

    def _micro_batches(self, original: Half, augmented: Half | None) -> list[list[Part]]:
        """What this process computes of a step: as many parts as were asked for, or as keep each within its tokens.

        Their losses add up to gamma * L_KD / B + (1 - gamma) * L'_KD / A, divided by the number of processes.
        """
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        shares = self.weights.shares(len(original), 0 if augmented is None else len(augmented))
        halves = [(original, self.weights.alpha, shares[0])]
        if augmented is not None:
            halves.append((augmented, self.weights.beta, shares[1]))
        tokens = sum(half.batch.ids_BL.size for half, *_ in halves)
        most = MICRO_TOKENS.get(self.device.type, MICRO_TOKENS_ELSEWHERE)
        count = max(self.config.train.accumulate, math.ceil(tokens / world / most))
        batches: list[list[Part]] = []
        for number in range(count):
            parts = [
                Part(half=half, row_R=row_R, hard=hard, share=share / len(half), augmented=half is augmented)
                for half, hard, share in halves
                if share > 0 and len(row_R := deal(len(half), part=number, parts=count, rank=rank, world=world))
            ]
            # With fewer texts than processes and parts, every process must still take part in the gradients
            some = original if augmented is None or len(original) else augmented
            nothing = Part(half=some, row_R=np.array([0]), hard=1.0, share=0.0, augmented=False)
            batches.append(parts or [nothing])
        return batches

    def _micro_loss(self, parts: Sequence[Part]) -> Tensor:
        """The loss of these parts in one forward pass, a scalar."""
        train = self.config.train
        batch = joined([part.batch for part in parts], self.pad_id)
        with mixed(self.device, self.precision):
            output_BC: Tensor = self.prepared(**arguments(self.model, batch, self.device)).logits
        outputs = torch.split(output_BC.float(), [len(part) for part in parts])
        loss = torch.zeros((), device=self.device)
        for part, logits_RC in zip(parts, outputs, strict=True):
            label_R, teacher_RC = part.labels(self.device), part.teacher_logits()
            loss = loss + part.share * half_loss(
                logits_RC, label_R, teacher_RC, part.hard, train.distance, train.temperature
            )
            if part.augmented and teacher_RC is not None:
                self._measure_gap(logits_RC.detach(), teacher_RC)
        world: int = self.accelerator.num_processes
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
        devices = [self.device] if self.device.type == "cuda" else []
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
        for name, split in self.splits.items():
            outputs[name] = self.logits(split.corpus)
            for metric, value in split.scores(outputs[name]).items():
                self.curve.append((self.step, name, metric, value))
                values[name, metric] = value
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
        output_NC = torch.zeros(len(corpus), int(self.model.config.num_labels or 0), device=self.device)
        self.model.train(False)
        with torch.inference_mode(), mixed(self.device, self.precision):
            for index_B in corpus.by_length(np.arange(len(corpus)), EVALUATION_BATCH)[rank::world]:
                batch = corpus.batch(index_B)
                logits_BC: Tensor = self.model(**arguments(self.model, batch, self.device)).logits
                output_NC[torch.from_numpy(index_B).to(self.device)] = logits_BC.float()
        self.model.train()
        whole_NC: Tensor = self.accelerator.reduce(output_NC, "sum")
        return whole_NC.cpu().numpy().astype(np.float32, copy=False)

    def state(self) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
        """What a checkpoint keeps: tensors by file, numbers by name."""
        tensors, numbers = optimizer_tensors(self.optimizer)
        parts = {"model": model_tensors(self.model), "optimizer": tensors}
        if self.best_weights is not None:
            parts["best"] = self.best_weights
        if self.outputs:
            parts["outputs"] = {name: torch.from_numpy(value) for name, value in self.outputs.items()}
        state = {name: getattr(self, name) for name in KEPT}
        return parts, {**state, "optimizer": numbers, "scaler": self.scaler.state_dict()}

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
        if state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])
