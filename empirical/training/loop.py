"""The one training loop: it fine-tunes and distils, one student or a cohort, on one stream of batches (section 2).

A cohort shares the batches, the augmentation and the teacher's pass. Each student has its own optimiser, curve,
checkpoint and end, and is bit-identical to the same student trained alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from empirical.teachers.fine_tuned import Teacher
from empirical.training.checkpoint import load_checkpoint, save_checkpoint
from empirical.training.halves import Half
from empirical.training.steps import Step, Stream
from empirical.training.student import Diverged, Student
from theory.progress_report import Progress

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 60.0


@dataclass(kw_only=True)
class Member:
    """A student of a cohort and where its checkpoints are kept."""

    student: Student
    folder: Path
    on_evaluation: Callable[[Student], None] | None = None
    saved_step: int = -1
    saved_at: float = 0.0

    @property
    def running(self) -> bool:
        return not self.student.done and not self.student.reason

    def resume(self) -> None:
        """Go on from the newest whole checkpoint, if there is one."""
        self.saved_at = time.monotonic()
        if (found := load_checkpoint(self.folder)) is not None:
            self.student.restore(*found)
            self.saved_step = self.student.step
            logger.info("%s: goes on after step %d", self.folder.parent.name, self.student.step)

    def save(self) -> None:
        """Write a checkpoint of this step (one process of several does)."""
        if self.student.step != self.saved_step and self.student.accelerator.is_main_process:
            save_checkpoint(self.folder, self.student.step, *self.student.state())
        self.saved_step, self.saved_at = self.student.step, time.monotonic()

    def save_if_due(self) -> None:
        every = self.student.config.train.checkpoint_every
        if every is not None:
            due = self.student.step % every == 0
        else:
            due = time.monotonic() - self.saved_at >= CHECKPOINT_SECONDS
        if due:
            self.save()


def train(
    members: Sequence[Member],
    stream: Stream,
    teacher: Teacher | None,
    kept_NC: Tensor | None,
    *,
    steps: int,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> bool:
    """Train every member to its end; students are changed in place.

    teacher, kept_NC: the teacher and its logits of original texts, shape (N, C); None where no student listens.
    steps: optimiser steps of every member. stop: asked after each step; once it is true, the members are checkpointed.

    Returns whether every member came to its end (finished or failed): false if `stop` ended the training.
    """
    first = min((member.student.step for member in members if member.running), default=steps)
    ahead = stream.steps(first, steps)
    try:
        while any(member.running for member in members):
            began = time.perf_counter()
            step = next(ahead, None)
            if step is None:
                break
            _train_cohort_step(
                [m for m in members if m.running and m.student.step == step.number], step, teacher, kept_NC, began
            )
            if progress:
                progress("train", step.number + 1, steps)
            for member in members:
                if member.running and member.student.step == step.number + 1:
                    _after_step(member, steps)
            if stop is not None and agreed(members[0].student, stop()):
                for member in members:
                    if member.running:
                        member.save()
                return not any(member.running for member in members)
    finally:
        ahead.close()
    return True


def _train_cohort_step(
    members: Sequence[Member], step: Step, teacher: Teacher | None, kept_NC: Tensor | None, began: float
) -> None:
    """One step of every member; what they share is charged to each, as if it trained alone."""
    live = [member for member in members if not _spent(member.student, step)]
    if not live:
        return
    try:
        halves = _Halves.of(step, teacher if any(m.student.needs_teacher for m in live) else None, kept_NC)
    except (RuntimeError, MemoryError) as error:
        for member in live:
            member.student.reason = failure(error)
        return
    shared = time.perf_counter() - began
    for member in live:
        student, own = member.student, time.perf_counter()
        try:
            student.train_step(halves.original(student), halves.augmented(student))
        except (RuntimeError, MemoryError) as error:
            student.reason = failure(error)
            student.optimizer.zero_grad()
            continue
        _count(student, step)
        student.seconds += shared + time.perf_counter() - own


def _spent(student: Student, step: Step) -> bool:
    """Whether a student's budget of minutes or teacher calls does not allow this step; then it is done."""
    train = student.config.train
    minutes = train.max_minutes is not None and agreed(student, student.seconds >= 60 * train.max_minutes)
    calls = (
        train.max_teacher_calls is not None
        and student.teacher_calls + calls_of(student, step) > train.max_teacher_calls
    )
    if (minutes or calls) and student.step > 0:
        finish(student)
    return student.done


def agreed(student: Student, wish: bool) -> bool:
    """Whether any of the processes that train together wishes it; all of them get the same answer."""
    accelerator = student.accelerator
    if accelerator.num_processes == 1:
        return wish
    return bool(accelerator.reduce(torch.tensor(float(wish), device=accelerator.device), "sum") > 0)


def calls_of(student: Student, step: Step) -> int:
    """Texts whose answers this step takes: originals and offline copies the first time they come, all online ones.

    What a filter has scored is counted as its own. It does not matter here who asked and what was kept.
    """
    if not student.needs_teacher:
        return step.filter_calls
    augmented = step.new_copies
    if step.augmented is not None and step.augmented_logits_AC is None:
        augmented = len(step.augmented[student.tokenizer])  # asked afresh at every step
    return step.new_originals + augmented + step.filter_calls


def _count(student: Student, step: Step) -> None:
    augmented = 0 if step.augmented is None else len(step.augmented[student.tokenizer])
    student.examples_seen += len(step.index_B) + augmented
    student.teacher_calls += calls_of(student, step)
    student.eligible += step.eligible
    student.changed += step.changed


@dataclass(frozen=True)
class _Halves:
    """A step's two halves for every tokenizer that students read, with the teacher's logits (one pass for all)."""

    step: Step
    original_BC: Tensor | None
    augmented_AC: Tensor | None

    @classmethod
    def of(cls, step: Step, teacher: Teacher | None, kept_NC: Tensor | None) -> _Halves:
        if teacher is None or kept_NC is None:
            return cls(step, None, None)
        original_BC = kept_NC[torch.from_numpy(step.index_B).to(kept_NC.device)]
        augmented_AC = None
        if step.augmented_logits_AC is not None:
            augmented_AC = torch.from_numpy(step.augmented_logits_AC).to(kept_NC.device)
        elif step.augmented is not None and len(step.augmented[teacher.key]):
            augmented_AC = teacher.logits(step.augmented[teacher.key])
        return cls(step, original_BC, augmented_AC)

    def original(self, student: Student) -> Half:
        step = self.step
        return Half(batch=step.original[student.tokenizer], label_B=step.label_B, teacher_BC=self.original_BC)

    def augmented(self, student: Student) -> Half | None:
        step = self.step
        if step.augmented is None or step.augmented_label_A is None:
            return None
        batch = step.augmented[student.tokenizer]
        return Half(batch=batch, label_B=step.augmented_label_A, teacher_BC=self.augmented_AC)


def _after_step(member: Member, steps: int) -> None:
    """Evaluate and checkpoint where it is due."""
    student = member.student
    every = student.config.train.evaluate_every
    try:
        if student.step == steps:
            finish(student)
        elif every is not None and student.step % every == 0:
            student.evaluate()
    except (RuntimeError, MemoryError) as error:
        student.reason = failure(error)
    if member.on_evaluation and (student.done or (every is not None and student.step % every == 0)):
        member.on_evaluation(student)
    if member.running:
        member.save_if_due()


def finish(student: Student) -> None:
    """The last evaluation, unless this very step was evaluated already."""
    if not student.curve or student.curve[-1][0] != student.step:
        student.evaluate()
    student.done = True


def failure(error: BaseException) -> str:
    """Why a run failed, in one line; errors that are no property of the run are raised again."""
    text = " ".join(str(error).split())
    if isinstance(error, Diverged):
        return text
    starved = isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in text
    if not starved and "out of memory" not in text.lower():
        raise error
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return f"out of memory: {text[:200]}; try a smaller batch_size, or accumulate more micro-batches"
