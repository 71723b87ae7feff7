"""What a cohort of runs shares, made from their configurations: task, texts, augmentation, teacher, stream of steps."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from numpy.typing import NDArray
from torch import Tensor

from empirical.augment import make_augmenter
from empirical.augment.catalogue import needs_of
from empirical.config import ModelConfig, RunConfig, TaskConfig
from empirical.models.classifier import (
    build_model,
    check_compiler,
    check_tokenizer,
    embedding_matrix,
    load_classifier,
    load_tokenizer,
)
from empirical.models.input_gradient import InputGradient
from empirical.tasks.load import Split, Task, load_task
from empirical.teachers.fine_tuned import AUDIT_TEXTS, Teacher
from empirical.teachers.frozen import frozen_network
from empirical.tokens.codec import tokenizer_key
from empirical.tokens.corpus import BatchOrder, Corpus, encode_corpus
from empirical.training.optimizer import resolve_precision
from empirical.training.steps import Augmentation, Stream
from empirical.training.student import Examination, Student
from theory.errors import InputError
from theory.progress_report import Progress

logger = logging.getLogger(__name__)


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
    shared = {
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


def new_accelerator(precision: str) -> Accelerator:
    """An Accelerator of this precision; Accelerate keeps one precision a process, so another one resets it."""
    mixed = {"fp32": "no"}.get(precision, precision)
    if AcceleratorState._shared_state and AcceleratorState().mixed_precision != mixed:
        AcceleratorState._reset_state()
    return Accelerator(mixed_precision=mixed)


def read_task(config: TaskConfig) -> tuple[Task, dict[str, dict[str, Examination]]]:
    """A task and a place for its tokenised evaluation splits, kept in this process for the next cohort.

    The splits are filled in by `Cohort.examinations`. Files that have changed since are read again.
    """
    source = Path(config.path or config.name)
    files = sorted(source.rglob("*")) if source.is_dir() else [source] if source.is_file() else []
    return _read_task(config, tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files))


@lru_cache(maxsize=2)
def _read_task(config: TaskConfig, stamp: tuple[tuple[str, int, int], ...]) -> tuple[Task, dict[str, Any]]:
    return load_task(config), {}


@dataclass
class Cohort:
    """The shared part of runs with equal cohort keys.

    config: any of them. folder: where kept teacher outputs and neighbour tables are stored.
    teacher_model: the directory of the trained teacher's weights; set it before asking for the teacher or for students.
    compiled: whether `torch.compile` compiles the models: the same computation, but dropout draws other numbers.

    Raises InputError for data, a data size, a tokenizer or a precision that is not to be had.
    """

    config: RunConfig
    folder: Path
    progress: Progress | None = None
    teacher_model: Path | None = None
    compiled: bool = False

    def __post_init__(self) -> None:
        if self.compiled:
            check_compiler()
        self.task, self._examined = read_task(self.config.task)
        self.index_N: NDArray[np.int64] = self.task.subset(self.config.data_size, self.config.data_seed)
        self.tokenizers: dict[str, Any] = {}
        self.precision = resolve_precision(self.config.train.precision, Accelerator().device)
        self.device = new_accelerator(self.precision).device
        for model in (self.config.student, self.config.teacher):
            if model is not None and model.name != "teacher":
                load_tokenizer(model)

    def tokenizer_of(self, model: ModelConfig) -> str:
        """The key of a model's tokenizer, which joins the cohort's."""
        tokenizer = load_tokenizer(self._resolved(model))
        key = tokenizer_key(tokenizer)
        self.tokenizers.setdefault(key, tokenizer)
        return key

    def _resolved(self, model: ModelConfig) -> ModelConfig:
        """A model named `teacher` is the trained teacher itself, to be truncated."""
        if model.name != "teacher":
            return model
        if self.teacher_model is None:
            raise InputError("student.name", "teacher", "a model's name where no teacher takes part")
        return model.model_copy(update={"name": str(self.teacher_model)})

    @cached_property
    def base(self) -> str:
        """The key of the tokenizer whose ids are augmented and whose lengths order the batches."""
        return self.tokenizer_of(reading_model(self.config))

    @cached_property
    def teacher(self) -> Teacher | None:
        """The trained teacher, its labels checked against the task's, or None."""
        if self.teacher_model is None:
            return None
        model = load_classifier(str(self.teacher_model))
        tokenizer = load_tokenizer(ModelConfig(name=str(self.teacher_model)))
        check_tokenizer(model, tokenizer, str(self.teacher_model))
        teacher = Teacher(model, tokenizer, self.task.labels, device=self.device, precision=self.precision)
        self.tokenizers.setdefault(teacher.key, tokenizer)
        if self.compiled:
            teacher.model.compile(dynamic=True)
        if not teacher.named:
            split, name = (
                (self.task.validation, "validation") if len(self.task.validation) else (self.task.train, "train")
            )
            split = split.take(range(min(AUDIT_TEXTS, len(split))))
            corpus = encode_corpus(tokenizer, split.text_a, split.text_b, self.config.task.max_length)
            logger.warning("the teacher's accuracy on %s: %.3f", name, teacher.audit(corpus, split.labels))
        return teacher

    def student(self, config: RunConfig) -> Student:
        """A fresh student of this cohort, ready for its first step."""
        resolved = self._resolved(config.student)
        model = build_model(resolved, self.task.labels, config.seed)
        key = self.tokenizer_of(config.student)
        check_tokenizer(model, self.tokenizers[key], resolved.name)
        student = Student(
            config=config,
            model=model,
            tokenizer=key,
            examinations=self.examinations(key),
            metric=self.task.metric,
            accelerator=new_accelerator(self.precision),
        )
        if self.compiled:
            student.model.compile(dynamic=True)
        return student

    def examinations(self, key: str) -> dict[str, Examination]:
        """Validation (if there is one), test and the task's further test splits, tokenised for one tokenizer."""
        if key not in self._examined:
            metrics = tuple(dict.fromkeys((self.task.metric, "accuracy")))
            splits = {"validation": self.task.validation, "test": self.task.test, **self.task.extra_tests}
            splits = {name: split for name, split in splits.items() if len(split)}
            self._examined[key] = {
                name: Examination(corpus=self._encoded(key, split), label_N=split.labels, metrics=metrics)
                for name, split in splits.items()
            }
        return self._examined[key]

    def _encoded(self, key: str, split: Any) -> Corpus:
        length, protected = self.config.task.max_length, self.task.protected
        return encode_corpus(self.tokenizers[key], split.text_a, split.text_b, length, protected)

    @cached_property
    def subset(self) -> Split:
        """The original texts that the runs train on."""
        return self.task.train.take(self.index_N)

    def stream(self) -> Stream:
        """The cohort's steps; to be called when every student (and so every tokenizer) is there."""
        corpora = {key: self._encoded(key, self.subset) for key in self.tokenizers}
        if len(corpora) > 1 and self.config.augment is not None:
            logger.info("augmented texts are re-tokenised: %d tokenizers take part", len(corpora))
        length_U = corpora[self.base].length_N
        augmentation = self._augmentation(written=len(corpora) > 1)
        if augmentation is not None:
            augmentation.prepare(corpora[self.base], self.progress)
            if augmentation.mixed and augmentation.pool is not None:
                length_U = np.concatenate([length_U, augmentation.pool.corpus.length_N])
        order = BatchOrder(length_U, self.config.train.batch_size, self.config.data_seed)
        return Stream(
            corpora=corpora,
            tokenizers=self.tokenizers,
            base=self.base,
            label_N=self.subset.labels,
            order=order,
            max_length=self.config.task.max_length,
            augmentation=augmentation,
        )

    def kept_logits(self, stream: Stream) -> Tensor | None:
        """The teacher's logits of every original text that the steps will hold, shape (N, C)."""
        if self.teacher is None or self.config.mode != "distill":
            return None
        used = stream.used(self.config.train.steps)
        return self.teacher.kept_logits(stream.corpora[self.teacher.key], used, self.folder / "outputs", self.progress)

    def _augmentation(self, *, written: bool) -> Augmentation | None:
        augment = self.config.augment
        if augment is None:
            return None
        needs: dict[str, Any] = {}
        asked = needs_of(augment)
        if "embeddings" in asked:
            needs["embeddings"] = self._embeddings()
        if "held-out" in asked:
            rest = np.setdiff1d(np.arange(len(self.task.train)), self.index_N)
            split = self.task.train.take(rest)
            needs["held_out"] = self._encoded(self.base, split).batch(np.arange(len(split))) if len(rest) else None
            needs["held_out_labels"] = split.labels
        scored = [0]
        if asked & {"teacher", "teacher-gradient"}:
            needs["teacher"] = needs["network"] = self._scorer(scored)
        if "student" in asked and augment.student is not None:
            needs["student"] = frozen_network("student", augment.student, self.tokenizers[self.base], self.task.labels)
        augmenter = make_augmenter(
            augment, tokenizer=self.tokenizers[self.base], cache=self.folder, progress=self.progress, **needs
        )
        return Augmentation(
            config=augment,
            augmenter=augmenter,
            data_seed=self.config.data_seed,
            max_length=self.config.task.max_length,
            tokenizer=self.tokenizers[self.base] if written else None,
            scored=lambda: scored[0],
        )

    def _embeddings(self) -> NDArray[np.float32]:
        """The pretrained input embeddings of the reading model: the same neighbours for KD and fine-tuning alike."""
        model = self._resolved(reading_model(self.config))
        if model.fresh:
            return build_model(model, self.task.labels, 0).get_input_embeddings().weight.detach().numpy()
        return embedding_matrix(model)

    def _scorer(self, scored: list[int]) -> InputGradient:
        """The teacher as augmenters ask it, with the number of texts it scored."""
        teacher = self.teacher
        if teacher is None or teacher.key != self.base:
            raise InputError("augment.entropy_quantile", self.config.augment, "a teacher and embeddings = 'teacher'")

        def count(texts: int) -> None:
            scored[0] += texts

        return InputGradient(teacher.model, teacher.column_C, count, score=teacher.numpy_logits)
