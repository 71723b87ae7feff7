"""The loop that everybody writes first, to measure ours against: fp32, random batches, nothing kept.

It does the same work for the same loss (section 2) on the same texts, with the same models and augmenter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from empirical.config import AugmentConfig, ModelConfig, RunConfig, TaskConfig, TrainConfig
from empirical.models.classifier import arguments, build_model, load_tokenizer, save_model
from empirical.randomness import step_generator
from empirical.tokens.batch import Batch
from empirical.tokens.corpus import Corpus
from empirical.training.cohort import Cohort, make_cohort, read_task
from empirical.training.copies import Augmentation
from empirical.training.halves import joined
from empirical.training.loop import Member, train
from empirical.training.loss import half_loss

TEACHER = ModelConfig(freeze_embeddings=True)
TWO_LAYERS = ModelConfig(layers=(0, 3), freeze_embeddings=True)
BILSTM = ModelConfig(architecture="bilstm", hidden_size=64, freeze_embeddings=True)


def tweets_run(student: ModelConfig, degree: float | None = 0.3, seed: int = 0) -> RunConfig:
    """A run of 200 steps on 1 % of the tweets; how well its untrained teacher does has no part in the time."""
    augment = None if degree is None else AugmentConfig(degree=degree)
    train_config = TrainConfig(steps=200, precision="auto")
    return RunConfig(
        task=TaskConfig(name="tweets"),
        data_size=0.01,
        augment=augment,
        student=student,
        teacher=TEACHER,
        train=train_config,
        seed=seed,
    )


def cohort_of(configs: list[RunConfig], folder: Path) -> Cohort:
    """The cohort with a teacher whose head is random."""
    model = folder / "teacher"
    if not model.exists():
        labels = read_task(configs[0].task).task.labels
        save_model(build_model(TEACHER, labels, 0), load_tokenizer(TEACHER), model)
    return make_cohort(configs, folder / "shared", teacher_model=model)


def our_loop(cohort: Cohort, steps: int, clock: Callable[[], float]) -> float:
    """Seconds of `steps` steps of a cohort's students, with their share of scoring the originals once a run."""
    stream = cohort.stream
    whole = cohort.students[0].config.train.steps
    assert cohort.teacher is not None
    began = clock()
    kept_NC = cohort.teacher.kept_logits(stream.corpora[cohort.teacher.key], stream.order.used(whole))
    once = clock() - began
    never = math.inf  # no checkpoint is due
    members = [Member(student=student, folder=Path("unused"), saved_at=never) for student in cohort.students]
    for member in members:
        member.student.splits = {}
        member.student.evaluate = lambda: None  # type: ignore[method-assign]
        member.student.curve = [(steps, "test", "none", 0.0)]
    began = clock()
    train(members, stream, cohort.teacher, kept_NC, steps=steps)
    return clock() - began + once * steps / whole


def stock(model: torch.nn.Module) -> torch.nn.Module:
    """The model as transformers makes it, its last layer computed for every token."""
    for module in model.modules():
        module.__dict__.pop("forward", None)
    return model


def random_batches(
    corpus: Corpus, augmentation: Augmentation | None, size: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], Batch]]:
    """Numbers of `size` random originals and the batch of them and of as many augmented texts, without end."""
    rng = np.random.default_rng(seed)
    for step in count():
        index_B = rng.choice(len(corpus), size, replace=False)
        halves = [corpus.batch(index_B)]
        if augmentation is not None:
            halves.append(augmentation.draw(step, index_B, halves[0]).batch)
        yield index_B, joined(halves, corpus.pad_id)


def plain_loop(cohort: Cohort, steps: int, clock: Callable[[], float]) -> float:
    """Seconds of `steps` steps: random batches padded to their longest text, both halves scored by the teacher."""
    stream = cohort.stream
    corpus, labels = stream.corpora[cohort.base], stream.label_N
    labels_of_task, config = cohort.task.labels, cohort.students[0].config
    size = config.train.batch_size
    teacher = stock(build_model(TEACHER, labels_of_task, 0)).eval()
    model = stock(build_model(config.student, labels_of_task, 0)).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-4, weight_decay=0.01)
    began = clock()
    for index_B, batch in islice(random_batches(corpus, stream.augmentation, size, 0), steps):
        with torch.no_grad():
            teacher_BC = teacher(**arguments(teacher, batch)).logits
        logits_BC = model(**arguments(model, batch)).logits
        label_B = torch.from_numpy(labels[index_B])
        loss = half_loss(logits_BC[:size], label_B, teacher_BC[:size], 0.1) / size
        if stream.augmentation is not None:
            loss = 0.5 * loss + 0.5 * half_loss(logits_BC[size:], label_B, teacher_BC[size:], 0.0) / size
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return clock() - began


def augmentation_seconds(cohort: Cohort, steps: int, clock: Callable[[], float]) -> float:
    """Seconds of drawing, augmenting and padding the texts of `steps` steps, as the background thread does."""
    stream = cohort.stream
    corpus = stream.corpora[cohort.base]
    assert stream.augmentation is not None
    batches = [stream.order.batch(step) for step in range(steps)]
    originals = [corpus.batch(index_B) for index_B in batches]
    began = clock()
    for step in range(steps):
        stream.augmentation.augmenter(originals[step], 0.3, step_generator(0, step, 1))
    return clock() - began
