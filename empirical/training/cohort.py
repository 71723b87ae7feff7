"""What a cohort of runs shares, made from their configurations: task, texts, augmentation, teacher, stream of steps."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor

from empirical.augment.catalogue import needs_of
from empirical.config import ModelConfig, RunConfig, TaskConfig
from empirical.models.classifier import (
    build_model,
    check_compiler,
    check_tokenizer,
    load_classifier,
    load_tokenizer,
)
from empirical.models.precision import resolve_precision
from empirical.tasks.load import Split, Task, load_task
from empirical.teachers.answering import NetworkAnswers
from empirical.teachers.answers import ANSWERS, Answers, Asked, answered
from empirical.teachers.fine_tuned import AUDIT_TEXTS, Teacher
from empirical.tokens.codec import tokenizer_key
from empirical.tokens.corpus import BatchOrder, Corpus, encode_corpus
from empirical.training.augmenting import make_augmentation
from empirical.training.held_out import EvaluationSplit
from empirical.training.steps import Stream
from empirical.training.student import Student
from theory.errors import InputError
from theory.progress_report import Progress

logger = logging.getLogger(__name__)

OUTPUTS = "outputs"  # teachers' kept outputs of originals, within the folder that runs share


def reading_model(config: RunConfig) -> ModelConfig:
    """The model whose tokens are augmented and whose lengths order the batches: the teacher where one takes part."""
    augment = config.augment
    if config.teacher is None or (augment is not None and augment.embeddings == "student"):
        return config.student
    return config.teacher if config.mode == "distill" or augment is not None else config.student


def uses_teacher(config: RunConfig) -> bool:
    """Whether a run needs a trained teacher: to learn from, or because its augmented texts are made with its help."""
    asked = set() if config.augment is None else needs_of(config.augment)
    return config.mode == "distill" or bool(asked & {"teacher", "teacher-gradient"})


def cohort_key(config: RunConfig) -> str:
    """Runs with equal keys read the same batches and the same teacher, and can be trained side by side.

    They may differ in the student, its seed, the optimiser and its learning rate, and the loss.
    """
    shared: dict[str, Any] = {
        "task": config.task.model_dump(mode="json"),
        "data": (config.mode, float(config.data_size), config.data_seed),
        "augment": None if config.augment is None else config.augment.model_dump(mode="json"),
        "reads": reading_model(config).name,
        "teacher": None,
        "train": (config.train.steps, config.train.batch_size, config.train.precision),
    }
    if uses_teacher(config) and config.teacher is not None:
        trained = None if config.teacher_train is None else config.teacher_train.model_dump(mode="json")
        shared["teacher"] = (config.teacher.model_dump(mode="json"), trained)
    return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class TaskAtHand:
    """A task as this process has read it, with its evaluation splits as they were tokenised last."""

    task: Task
    _splits: dict[str, dict[str, EvaluationSplit]] = field(default_factory=dict)

    def evaluation_splits(self, key: str, tokenizer: Any, max_length: int) -> dict[str, EvaluationSplit]:
        """Validation (if there is one), test and further test splits, for the tokenizer of this `key`."""
        if key not in self._splits:
            metrics = tuple(dict.fromkeys((self.task.metric, "accuracy")))
            splits = {"validation": self.task.validation, "test": self.task.test, **self.task.extra_tests}
            self._splits[key] = {
                name: EvaluationSplit(
                    corpus=encoded(tokenizer, split, max_length), label_N=split.labels, metrics=metrics
                )
                for name, split in splits.items()
                if len(split)
            }
        return self._splits[key]


def read_task(config: TaskConfig) -> TaskAtHand:
    """A task, kept in this process for the next cohort. Files that have changed since are read again."""
    source = Path(config.path or config.name)
    files = sorted(source.rglob("*")) if source.is_dir() else [source] if source.is_file() else []
    return _read_task(config, tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files))


@lru_cache(maxsize=2)
def _read_task(config: TaskConfig, stamp: tuple[tuple[str, int, int], ...]) -> TaskAtHand:
    return TaskAtHand(load_task(config))


def encoded(tokenizer: Any, split: Split, max_length: int, protected: re.Pattern[str] | None = None) -> Corpus:
    """A split's texts as token ids; no augmenter may change what is `protected`."""
    return encode_corpus(tokenizer, split.text_a, split.text_b, max_length, protected)


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Runs of equal cohort keys, ready for their first step: what they share, and each one's fresh student.

    subset: the original texts that they train on. tokenizers: those that the models read, by key; base: the one whose
    ids are augmented and whose lengths order the batches. shared: the folder of kept teacher outputs. count: texts that
    the teacher was asked about, and answers that were kept already, before the first step.
    """

    task: Task
    subset: Split
    teacher: Teacher | None
    students: tuple[Student, ...]
    tokenizers: Mapping[str, Any]
    base: str
    stream: Stream
    shared: Path
    device: torch.device
    precision: str
    compiled: bool
    count: Asked = field(default_factory=Asked)

    def kept_logits(self, progress: Progress | None = None) -> Tensor | None:
        """The teacher's logits of every original text that the steps will hold, shape (N, C), or None if none listens.

        Rows of other texts are NaN.
        """
        listeners = [student for student in self.students if student.needs_teacher]
        if self.teacher is None or not listeners or listeners[0].config.mode != "distill":
            return None
        used, before = self.stream.used(listeners[0].config.train.steps), self.teacher.calls
        corpus = self.stream.corpora[self.teacher.key]
        found_NC = self.teacher.kept_logits(corpus, used, self.shared / OUTPUTS, progress)
        self.count.asked += self.teacher.calls - before
        self.count.kept += len(used) - (self.teacher.calls - before)
        return found_NC

    def answer_copies(self, progress: Progress | None = None) -> None:
        """Give the offline copies that the steps will hold their teacher's answers, from the store or asked once.

        Online texts and what a filter has scored are left alone.
        """
        listeners = [student for student in self.students if student.needs_teacher]
        augmentation = self.stream.augmentation
        pool = None if augmentation is None else augmentation.pool
        if self.teacher is None or not listeners or augmentation is None or pool is None or pool.logits_PC is not None:
            return
        if listeners[0].config.mode != "distill":
            return
        teacher = NetworkAnswers(self.teacher, "teacher", self.task.labels)
        used = self.stream.used_copies(listeners[0].config.train.steps)
        tick = None if progress is None else _ticks(progress, "score copies", len(used))
        logits_PC = np.full((len(pool), len(self.task.labels)), np.nan, dtype=np.float32)
        # Of several processes the first asks, the others find its answers.
        with listeners[0].accelerator.main_process_first():
            store = Answers(self.shared / ANSWERS, teacher.key, len(self.task.labels))
            corpus = self._read_by(self.teacher.key, pool.corpus)
            logits_PC[used] = answered(teacher, corpus, used, store, self.count, tick)
            store.close()
        augmentation.pool = replace(pool, answered_PC=logits_PC)

    def _read_by(self, key: str, corpus: Corpus) -> Corpus:
        """Copies as another tokenizer reads their texts."""
        if key == self.base:
            return corpus
        assert corpus.text_a is not None, "an augmentation without a tokenizer, though another model reads texts"
        return encode_corpus(self.tokenizers[key], corpus.text_a, corpus.text_b, self.stream.max_length)


def check_cohort(config: RunConfig, *, compiled: bool = False) -> None:
    """What can be told before a teacher is trained for hours.

    Raises:
        InputError: data, a data size, a tokenizer, a precision or a compiler that are not to be had.
    """
    if compiled:
        check_compiler()
    read_task(config.task).task.subset(config.data_size, config.data_seed)
    resolve_precision(config.train.precision, Accelerator(mixed_precision="no").device)
    for model in (config.student, config.teacher):
        if model is not None and model.name != "teacher":
            load_tokenizer(model)


def make_cohort(
    configs: Sequence[RunConfig],
    shared: Path,
    *,
    teacher_model: Path | None = None,
    progress: Progress | None = None,
    compiled: bool = False,
) -> Cohort:
    """The cohort of these runs, which have equal cohort keys.

    shared: where kept teacher outputs, neighbour tables and translations are stored.
    teacher_model: the directory of the trained teacher's weights; None where no teacher takes part.
    compiled: whether `torch.compile` compiles the models: the same computation, but dropout draws other numbers.

    Raises:
        InputError: data, a data size, a model, a tokenizer or a precision that is not to be had.
    """
    first = configs[0]
    hand = read_task(first.task)
    index_N = hand.task.subset(first.data_size, first.data_seed)
    accelerator = Accelerator(mixed_precision="no")  # its processes only: precision is a matter of the models
    precision = resolve_precision(first.train.precision, accelerator.device)
    models = _Models(hand, teacher_model, first.task.max_length)
    teacher = models.teacher(accelerator.device, precision)
    students = tuple(models.student(config, accelerator, precision) for config in configs)
    if compiled:
        for model in (*(student.model for student in students), *([] if teacher is None else [teacher.model])):
            model.compile(dynamic=True)
    subset = hand.task.train.take(index_N)
    stream = _stream(first, hand.task, index_N, subset, models, teacher, shared, progress)
    return Cohort(
        task=hand.task,
        subset=subset,
        teacher=teacher,
        students=students,
        tokenizers=models.tokenizers,
        base=stream.base,
        stream=stream,
        shared=shared,
        device=accelerator.device,
        precision=precision,
        compiled=compiled,
    )


def _stream(
    first: RunConfig,
    task: Task,
    index_N: NDArray[np.int64],
    subset: Split,
    models: _Models,
    teacher: Teacher | None,
    cache: Path,
    progress: Progress | None,
) -> Stream:
    """The steps' texts, as each of the tokenizers that take part reads them, and their augmentation."""
    base = models.tokenizer_of(reading_model(first))
    read = (subset, first.task.max_length, task.protected)
    corpora = {key: encoded(tokenizer, *read) for key, tokenizer in models.tokenizers.items()}
    if len(corpora) > 1 and first.augment is not None:
        logger.info("augmented texts are re-tokenised: %d tokenizers take part", len(corpora))
    augmentation, length_U = None, corpora[base].length_N  # of the texts that batches are drawn from
    if first.augment is not None:
        augmentation = make_augmentation(
            first,
            first.augment,
            task=task,
            index_N=index_N,
            reader=models.resolved(reading_model(first)),
            key=base,
            tokenizer=models.tokenizers[base],
            teacher=teacher,
            written=len(corpora) > 1,
            cache=cache,
            progress=progress,
        )
        augmentation.prepare(corpora[base], progress)
        if augmentation.mixed and augmentation.pool is not None:
            length_U = np.concatenate([length_U, augmentation.pool.corpus.length_N])
    return Stream(
        corpora=corpora,
        tokenizers=models.tokenizers,
        base=base,
        label_N=subset.labels,
        order=BatchOrder(length_U, first.train.batch_size, first.data_seed),
        max_length=first.task.max_length,
        augmentation=augmentation,
    )


def _ticks(progress: Progress, label: str, total: int) -> Callable[[int], None]:
    """Progress as a function of how many more are done."""
    done = 0

    def tick(more: int) -> None:
        nonlocal done
        done += more
        progress(label, done, total)

    return tick


class _Models:
    """The models of a cohort and the tokenizers that they read, which gather here as models are made."""

    def __init__(self, hand: TaskAtHand, teacher_model: Path | None, max_length: int) -> None:
        self.hand, self.teacher_model, self.max_length = hand, teacher_model, max_length
        self.tokenizers: dict[str, Any] = {}

    def resolved(self, model: ModelConfig) -> ModelConfig:
        """A model named `teacher` is the trained teacher itself, to be truncated."""
        if model.name != "teacher":
            return model
        if self.teacher_model is None:
            raise InputError("student.name", "teacher", "a model's name where no teacher takes part")
        return model.model_copy(update={"name": str(self.teacher_model)})

    def tokenizer_of(self, model: ModelConfig) -> str:
        """The key of a model's tokenizer."""
        tokenizer = load_tokenizer(self.resolved(model))
        key = tokenizer_key(tokenizer)
        self.tokenizers.setdefault(key, tokenizer)
        return key

    def teacher(self, device: torch.device, precision: str) -> Teacher | None:
        """The trained teacher, its labels checked against the task's, or None."""
        if self.teacher_model is None:
            return None
        task, source = self.hand.task, ModelConfig(name=str(self.teacher_model))
        model = load_classifier(source.name)
        tokenizer = self.tokenizers[self.tokenizer_of(source)]
        check_tokenizer(model, tokenizer, source.name)
        teacher = Teacher(model, tokenizer, task.labels, device=device, precision=precision)
        if not teacher.named:
            name, split = ("validation", task.validation) if len(task.validation) else ("train", task.train)
            some = split.take(range(min(AUDIT_TEXTS, len(split))))
            accuracy = teacher.audit(encoded(tokenizer, some, self.max_length), some.labels)
            logger.warning("the teacher's accuracy on %s: %.3f", name, accuracy)
        return teacher

    def student(self, config: RunConfig, accelerator: Accelerator, precision: str) -> Student:
        """A fresh student, ready for its first step."""
        resolved = self.resolved(config.student)
        model = build_model(resolved, self.hand.task.labels, config.seed)
        key = self.tokenizer_of(config.student)
        check_tokenizer(model, self.tokenizers[key], resolved.name)
        return Student(
            config=config,
            model=model,
            tokenizer=key,
            splits=self.hand.evaluation_splits(key, self.tokenizers[key], self.max_length),
            metric=self.hand.task.metric,
            accelerator=accelerator,
            precision=precision,
        )
