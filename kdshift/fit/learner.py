"""One training with early stopping: a teacher on labels, a student on labels, answers and augmented copies.

Each text may have answers of teachers of its own (cross-fitting), so targets are given a text, not asked at each step.
The loss is section 2's with beta = 0. Shapes: N texts, P copies, B texts of a batch, C classes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from empirical.config import TrainConfig
from empirical.models.classifier import arguments
from empirical.models.precision import resolve_precision
from empirical.randomness import Draws, step_generator
from empirical.tokens.batch import Batch
from empirical.tokens.corpus import BatchOrder, Corpus
from empirical.training.checkpoint import (
    load_checkpoint,
    model_tensors,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)
from empirical.training.loss import distance
from empirical.training.optimizer import learning_rate, make_optimizer, set_learning_rate
from theory.progress_report import Progress

SCORED_AT_ONCE = 128
CHECKPOINT_SECONDS = 30.0
TIMED_STEPS = 8  # steps after which the rest is laid out anew within the time that is left
NO_LABEL = -1


@dataclass(frozen=True, kw_only=True)
class Material:
    """What one model learns from.

    corpus: all texts; row_N: those it trains on. label_N: labels of all texts of the corpus, -1 where there is none.
    answer_NC: the teacher's logits for all texts of the corpus (NaN where it was not asked), None without a teacher.
    copies: augmented copies of texts; origin_P: the corpus row each was made from; copy_answer_PC: its answers.
    """

    corpus: Corpus
    row_N: NDArray[np.int64]
    label_N: NDArray[np.int64]
    answer_NC: NDArray[np.float32] | None = None
    copies: Corpus | None = None
    origin_P: NDArray[np.int64] | None = None
    copy_answer_PC: NDArray[np.float32] | None = None


@dataclass(frozen=True, kw_only=True)
class Learned:
    """How a training went: steps done and planned, the step and value of the best weights (which the model now has)."""

    steps: int
    planned: int
    best_step: int
    best_value: float
    seconds: float


def learn(
    model: PreTrainedModel,
    material: Material,
    recipe: TrainConfig,
    criterion: Callable[[PreTrainedModel], float],
    *,
    seed: int,
    patience: int,
    seconds: float = math.inf,
    folder: Path | None = None,
    progress: Progress | None = None,
    title: str = "train",
) -> Learned:
    """Train `model` in place until `criterion` (smaller is better) has not improved for `patience` evaluations.

    recipe: `steps` is the most, `evaluate_every` what lies between evaluations; its alpha, gamma and distance count.
    seconds: the steps are laid out within this time. folder: where checkpoints go; a killed training goes on there.
    The model ends with its best weights, in evaluation mode.
    """
    run = _Run(model, material, recipe, seed, folder)
    began = time.monotonic()
    first = run.step
    if first == 0:
        run.judge(criterion(model))  # what is there before any step may be the best
    while run.step < run.planned:
        run.train_step()
        spent = time.monotonic() - began
        if math.isfinite(seconds) and ((run.step - first) % TIMED_STEPS == 0 or spent > seconds):
            run.lay_out((seconds - spent) * (run.step - first) / spent)
        if progress:
            progress(title, run.step, run.planned)
        if run.step % (recipe.evaluate_every or run.planned) == 0 or run.step >= run.planned:
            run.judge(criterion(model))
            if run.since_best >= patience:
                break
        run.save_if_due()
    if progress:
        progress(title, run.planned, run.planned)
    if run.best is not None:
        model.load_state_dict(run.best, strict=False)
    model.eval()
    return Learned(
        steps=run.step,
        planned=run.planned,
        best_step=run.best_step,
        best_value=run.best_value,
        seconds=time.monotonic() - began,
    )


class _Run:
    """The state of one training, with what a checkpoint keeps."""

    def __init__(
        self, model: PreTrainedModel, material: Material, recipe: TrainConfig, seed: int, folder: Path | None
    ) -> None:
        self.model, self.material, self.recipe, self.seed, self.folder = model, material, recipe, seed, folder
        self.optimizer = make_optimizer(model, recipe)
        self.order = BatchOrder(material.corpus.length_N[material.row_N], recipe.batch_size, seed)
        self.copies_of = _grouped(material)
        self.step = self.best_step = self.since_best = 0
        self.planned, self.best_value = recipe.steps, math.inf
        self.best: dict[str, Tensor] | None = None
        self.saved_at = time.monotonic()
        found = load_checkpoint(folder) if folder is not None else None
        if found is not None:
            self._restore(*found)

    def lay_out(self, steps_left: float) -> None:
        """Plan no more steps than that: the schedule then ends with them."""
        self.planned = min(self.recipe.steps, self.step + int(max(0.0, steps_left)))

    def train_step(self) -> None:
        recipe = self.recipe.model_copy(update={"steps": max(self.planned, self.step + 1)})
        set_learning_rate(self.optimizer, learning_rate(recipe, self.step))
        self.model.train()
        with _dropout(self.seed, self.step), autocast():
            loss = self._loss()
        loss.backward()
        if recipe.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), recipe.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1

    def _loss(self) -> Tensor:
        """gamma * [alpha CE + (1 - alpha) D](originals) + (1 - gamma) * D(copies), of what is there."""
        material, recipe = self.material, self.recipe
        row_B = material.row_N[self.order.batch(self.step)]
        original_BC = self.logits(material.corpus.batch(row_B))
        label_B = torch.from_numpy(material.label_N[row_B])
        hard = F.cross_entropy(original_BC, label_B, ignore_index=NO_LABEL, reduction="sum") / len(row_B)
        if material.answer_NC is None:
            return hard
        soft = distance(original_BC, torch.from_numpy(material.answer_NC[row_B]), recipe.distance).mean()
        loss = recipe.alpha * hard + (1 - recipe.alpha) * soft
        copy_A = self._copies(row_B)
        if copy_A is None or material.copies is None or material.copy_answer_PC is None:
            return loss
        augmented_AC = self.logits(material.copies.batch(copy_A))
        shifted = distance(augmented_AC, torch.from_numpy(material.copy_answer_PC[copy_A]), recipe.distance).mean()
        return recipe.gamma * loss + (1 - recipe.gamma) * shifted

    def logits(self, batch: Batch) -> Tensor:
        return self.model(**arguments(self.model, batch)).logits.float()  # type: ignore[no-any-return]

    def _copies(self, row_B: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """One copy of each of these texts that has any, drawn by (seed, step)."""
        if self.copies_of is None:
            return None
        first_N, count_N, entry_P = self.copies_of
        row_A = row_B[count_N[row_B] > 0]
        if not len(row_A):
            return None
        rng = step_generator(self.seed, self.step, Draws.CHOICE)
        chosen_A: NDArray[np.int64] = entry_P[first_N[row_A] + rng.integers(0, count_N[row_A])]
        return chosen_A

    def judge(self, value: float) -> None:
        """Keep these weights if they are the best so far."""
        if value < self.best_value:
            self.best_value, self.best_step, self.since_best = value, self.step, 0
            self.best = {name: tensor.clone() for name, tensor in model_tensors(self.model).items()}
        else:
            self.since_best += 1

    def save_if_due(self) -> None:
        if self.folder is None or time.monotonic() - self.saved_at < CHECKPOINT_SECONDS:
            return
        tensors, numbers = optimizer_tensors(self.optimizer)
        parts = {"model": model_tensors(self.model), "optimizer": tensors}
        if self.best is not None:
            parts["best"] = self.best
        kept = {name: getattr(self, name) for name in ("planned", "best_step", "since_best")}
        best_value = self.best_value if math.isfinite(self.best_value) else None
        save_checkpoint(self.folder, self.step, parts, {**kept, "best_value": best_value, "numbers": numbers})
        self.saved_at = time.monotonic()

    def _restore(self, parts: dict[str, dict[str, Tensor]], state: dict[str, Any]) -> None:
        self.model.load_state_dict(parts["model"], strict=False)
        restore_optimizer(self.optimizer, parts["optimizer"], state["numbers"])
        self.best = parts.get("best")
        self.step, self.planned = state["step"], state["planned"]
        self.best_step, self.since_best = state["best_step"], state["since_best"]
        self.best_value = math.inf if state["best_value"] is None else state["best_value"]


def _grouped(material: Material) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]] | None:
    """For each text its first copy and their number, and the copies grouped by text."""
    if material.copies is None or material.origin_P is None:
        return None
    count_N = np.bincount(material.origin_P, minlength=len(material.corpus)).astype(np.int64)
    return np.cumsum(count_N) - count_N, count_N, np.argsort(material.origin_P, kind="stable")


@contextmanager
def _dropout(seed: int, step: int) -> Iterator[None]:
    """Torch's generator seeded by (seed, step) within, as it was before outside."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(step_generator(seed, step, Draws.DROPOUT).integers(2**62)))
        yield


def autocast() -> Any:
    """bf16 where this processor has arithmetic for it, else nothing."""
    fast = resolve_precision("auto", torch.device("cpu")) == "bf16"
    return torch.autocast("cpu", torch.bfloat16) if fast else nullcontext()


def predict_logits(
    model: PreTrainedModel,
    corpus: Corpus,
    row_M: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]:
    """Logits of these texts (default: all) in evaluation mode, float32 of shape (M, C), scored sorted by length.

    In fp32 on every processor, as `autocast` is for training: what ships answers alike wherever it is asked.
    """
    row_M = np.arange(len(corpus)) if row_M is None else row_M
    output_MC = np.zeros((len(row_M), int(model.config.num_labels or 0)), dtype=np.float32)
    model.eval()
    order = np.argsort(corpus.length_N[row_M], kind="stable")
    with torch.inference_mode():
        for start in range(0, len(order), SCORED_AT_ONCE):
            place_B = order[start : start + SCORED_AT_ONCE]
            logits_BC = model(**arguments(model, corpus.batch(row_M[place_B]))).logits
            output_MC[place_B] = logits_BC.float().numpy()
    return output_MC
