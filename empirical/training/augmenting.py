"""From a run's configuration to its augmenter at work: what each augmenter needs of the run's texts and models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment import make_augmenter
from empirical.augment.catalogue import needs_of, textless
from empirical.augment.in_context import Examples
from empirical.config import AugmentConfig, ModelConfig, RunConfig
from empirical.models.classifier import build_model, embedding_matrix
from empirical.models.input_gradient import InputGradient
from empirical.tasks.load import Task
from empirical.teachers.answering import NetworkAnswers
from empirical.teachers.answers import ANSWERS, Answers, Asked, answered_batch
from empirical.teachers.fine_tuned import Teacher
from empirical.teachers.frozen import frozen_network
from empirical.tokens.batch import Batch
from empirical.tokens.corpus import encode_corpus
from empirical.training.copies import Augmentation
from theory.errors import InputError
from theory.progress_report import Progress


def make_augmentation(
    config: RunConfig,
    augment: AugmentConfig,
    *,
    task: Task,
    index_N: NDArray[np.int64],
    reader: ModelConfig,
    key: str,
    tokenizer: Any,
    teacher: Teacher | None,
    written: bool,
    cache: Path,
    progress: Progress | None,
) -> Augmentation:
    """The augmentation of a run; offline copies are not made yet.

    augment: `config.augment`, which is there. index_N: the run's originals among the task's training texts.
    reader, key, tokenizer: the model whose tokens are changed, and its tokenizer. written: whether a model with another
    tokenizer takes part, for which augmented texts are written out. cache: folder of translations and parses.

    Raises:
        InputError: what the augmenter needs is missing here.
    """
    if textless(augment.augmenter) and (written or augment.copies is not None):
        name, found = ("augmenter", augment.augmenter) if written else ("copies", augment.copies)
        allowed = "teacher and student of one tokenizer" if written else "none (online)"
        raise InputError(f"augment.{name}", found, f"{allowed}: {augment.augmenter} makes no texts")
    asked, needs = needs_of(augment), dict[str, Any]()
    if "embeddings" in asked:
        needs["embeddings"] = _embeddings(reader, task)
    if "held-out" in asked:
        needs |= _held_out(task, index_N, tokenizer, config.task.max_length)
    if "examples" in asked and task.train.text_b is None:
        shown = task.train.take(index_N)
        needs["examples"] = Examples(texts=tuple(shown.text_a), label_N=shown.labels, labels=task.labels)
    scored = [0]
    needs["max_length"] = config.task.max_length
    if asked & {"teacher", "teacher-gradient"}:
        if teacher is None or teacher.key != key:
            raise InputError("augment.entropy_quantile", augment.entropy_quantile, "a teacher whose tokens are changed")
        kept = None
        if augment.copies is not None:  # made once: what is answered is kept
            kept = (NetworkAnswers(teacher, "teacher", task.labels), cache / ANSWERS)
        needs["teacher"] = needs["network"] = _counted(teacher, scored, kept)
        needs["labels"] = task.labels
    if "student" in asked and augment.student is not None:
        needs["student"] = frozen_network("student", augment.student, tokenizer, task.labels)
    return Augmentation(
        config=augment,
        augmenter=make_augmenter(augment, tokenizer=tokenizer, cache=cache, progress=progress, **needs),
        data_seed=config.data_seed,
        max_length=config.task.max_length,
        tokenizer=tokenizer if written else None,
        scored=lambda: scored[0],
    )


def _embeddings(reader: ModelConfig, task: Task) -> NDArray[np.float32]:
    """The pretrained input embeddings of the reading model: the same neighbours for KD and fine-tuning alike."""
    if not reader.fresh:
        return embedding_matrix(reader)
    weight_VD: Any = build_model(reader, task.labels, 0).get_input_embeddings().weight
    embeddings_VD: NDArray[np.float32] = weight_VD.detach().numpy()
    return embeddings_VD


def _held_out(task: Task, index_N: NDArray[np.int64], tokenizer: Any, max_length: int) -> dict[str, Any]:
    """The training texts that are not among the run's originals, with their gold labels."""
    rest = np.setdiff1d(np.arange(len(task.train)), index_N)
    if not len(rest):
        return {"held_out": None, "held_out_labels": None}
    split = task.train.take(rest)
    corpus = encode_corpus(tokenizer, split.text_a, split.text_b, max_length)
    return {"held_out": corpus.batch(np.arange(len(split))), "held_out_labels": split.labels}


def _counted(teacher: Teacher, scored: list[int], kept: tuple[NetworkAnswers, Path] | None) -> InputGradient:
    """The teacher as augmenters ask it; the number of texts it scored is added up in `scored`.

    kept: the teacher and the folder of its kept answers, where these are read before it is asked.
    """

    def count(texts: int) -> None:
        scored[0] += texts

    return InputGradient(teacher.model, teacher.column_C, count, score=_score(teacher, kept))


def _score(teacher: Teacher, kept: tuple[NetworkAnswers, Path] | None) -> Callable[[Batch], NDArray[np.float32]]:
    if kept is None:
        return teacher.numpy_logits
    network, folder = kept
    store, count = Answers(folder, network.key, len(network.labels)), Asked()
    return lambda batch: answered_batch(network, batch, store, count)
