"""Light students fitted on a bank, arm by arm and replicate by replicate, and what is measured of them.

Called by `kdshift empirical curves`. Shapes: S students, n originals, m further texts, B texts of a batch, D inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from empirical.bank.arms import Arm, Bench, Targets, TrainingSet
from empirical.bank.outcomes import outcomes, text_distances
from empirical.bank.study import Study
from empirical.bank.study_table import TWICE, UNLABELLED
from empirical.models.linear import fit_labels, fit_ridge, ngrams
from empirical.models.static import Half, initial, mean_embeddings, train_stack
from empirical.randomness import Draws, step_generator
from empirical.tokens.corpus import Corpus

BATCH = 32
AT_ONCE = 24  # static students in a stack
STEPS_FROM = 220  # up to this many originals a static student takes the study's steps
STEP_FACTORS = (0.5, 1.0, 2.0)  # of the arm at equal compute: the best on validation counts
BY_TEXT = "by_text"  # of a row: outcomes of each test text, not for the table but for the noise of those texts
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One student to fit: an arm in a replicate, and who answers there."""

    arm: Arm
    replicate: int
    own_N: NDArray[np.int64]
    targets: Targets


class NgramInputs:
    """Texts as a linear student sees them."""

    def __call__(self, corpus: Corpus, index_N: NDArray[np.integer]) -> sparse.csr_matrix:
        return ngrams(corpus, index_N)

    def stack(self, parts: list[sparse.csr_matrix]) -> sparse.csr_matrix:
        stacked: sparse.csr_matrix = sparse.vstack(parts, format="csr")
        return stacked


class EmbeddingInputs:
    """Texts as a static student sees them: mean embeddings, standardised by what validation texts show."""

    def __init__(self, embeddings_VD: NDArray[np.float32], validation: Corpus) -> None:
        self.embeddings_VD = embeddings_VD
        mean_ND = mean_embeddings(validation, np.arange(len(validation)), embeddings_VD)
        self.mean_D: NDArray[np.float32] = mean_ND.mean(axis=0)
        self.scale_D: NDArray[np.float32] = np.maximum(mean_ND.std(axis=0), 1e-6)

    def __call__(self, corpus: Corpus, index_N: NDArray[np.integer]) -> NDArray[np.float32]:
        return (mean_embeddings(corpus, index_N, self.embeddings_VD) - self.mean_D) / self.scale_D

    def stack(self, parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.concatenate(parts)


def fit_linear(jobs: Sequence[Job], bench: Bench, study: Study) -> list[Row]:
    """The outcomes of linear students, one a job; distillation is ridge on logits alone (alpha = 0)."""
    return [_linear(job, bench, study) for job in jobs]


def _linear(job: Job, bench: Bench, study: Study) -> Row:
    data = bench.training_set(job.arm, job.replicate, job.own_N, job.targets)
    x = data.x if data.more is None else sparse.vstack([data.x, data.more], format="csr")
    share = study.gamma if data.further else 1.0
    weight_N = np.r_[np.full(len(data.label_N), share / len(data.label_N)), np.full(data.further, 0.0)]
    if data.further:
        weight_N[len(data.label_N) :] = (1 - share) / data.further
    validation = bench.bank.pool.validation.split
    if job.arm.mode == "distill":
        target = np.concatenate([data.target_NC, data.more_target_MC])
        student = fit_ridge(x, target, weight_N, (bench.validation, job.targets.evaluation("validation")))
    else:
        label = np.concatenate([data.label_N, data.more_label_M])
        classes = data.target_NC.shape[1]
        student = fit_labels(x, label, weight_N, classes, (bench.validation, validation.labels))
    return table_row(job, student.logits(bench.test), bench, student.at_edge)


def table_row(
    job: Job,
    logits_TC: NDArray[np.floating],
    bench: Bench,
    at_edge: bool,
    chosen_T: NDArray[np.integer] | None = None,
) -> Row:
    """One row of the table: the arm, the replicate, the outcomes on test texts (or on those of these places)."""
    label_T, target_TC = bench.bank.pool.test.split.labels, job.targets.evaluation("test")
    if chosen_T is not None:
        label_T, target_TC = label_T[chosen_T], target_TC[chosen_T]
    return {
        "augmenter": job.arm.augmenter,
        "mode": job.arm.mode,
        "degree": job.arm.degree,
        "amount": float(job.arm.copies or job.arm.amount),
        "replicate": job.replicate,
        **outcomes(logits_TC, target_TC, label_T),
        "at_edge": at_edge,
        BY_TEXT: {
            "distance": text_distances(logits_TC, target_TC),
            "accuracy": (logits_TC.argmax(axis=1) == label_T).astype(np.float64),
        },
    }


def steps_of(study: Study, data_size: int) -> int:
    """Optimiser steps of a static student: the study's up to 220 originals, then growing with the root of n."""
    return math.ceil(study.steps * max(1.0, math.sqrt(data_size / STEPS_FROM)))


def fit_static(jobs: Sequence[Job], bench: Bench, study: Study) -> list[Row]:
    """The outcomes of static students, one a job; those of like arms are trained in stacks."""
    rows: dict[int, Row] = {}
    waiting: dict[tuple[Any, ...], list[tuple[int, Job, TrainingSet]]] = {}
    for number, job in enumerate(jobs):
        data = bench.training_set(job.arm, job.replicate, job.own_N, job.targets)
        key = (job.arm.mode, job.arm.augmenter in (TWICE, UNLABELLED) and job.arm.augmenter, data.further)
        group = waiting.setdefault(key, [])
        group.append((number, job, data))
        if len(group) == AT_ONCE:
            rows.update(_train(waiting.pop(key), bench, study))
    for group in waiting.values():
        rows.update(_train(group, bench, study))
    return [rows[number] for number in range(len(jobs))]


def _train(group: list[tuple[int, Job, TrainingSet]], bench: Bench, study: Study) -> dict[int, Row]:
    """A stack of students of like arms; at equal compute, the best of several numbers of steps."""
    jobs = [job for _, job, _ in group]
    data = [found for _, _, found in group]
    twice = jobs[0].arm.augmenter == TWICE
    steps = steps_of(study, len(jobs[0].own_N))
    validation_V = torch.from_numpy(bench.validation)
    width, classes = bench.validation.shape[1], data[0].target_NC.shape[1]
    seeds = [int(arm_generator(study, job).integers(2**62)) for job in jobs]
    weights = initial(seeds, width, classes)
    criterion = _criterion(jobs, bench)
    stacks = [
        train_stack(weights, _halves(jobs, data, study, total, twice), criterion, validation_V, steps=total)
        for total in ([round(steps * factor) for factor in STEP_FACTORS] if twice else [steps])
    ]
    logits_STC = torch.stack([stack.logits(torch.from_numpy(bench.test)) for stack in stacks]).numpy()
    best_S = np.argmin([stack.loss for stack in stacks], axis=0)
    return {
        number: table_row(job, logits_STC[best_S[place], place], bench, bool(stacks[best_S[place]].last[place]))
        for place, (number, job, _) in enumerate(group)
    }


def arm_generator(study: Study, job: Job) -> np.random.Generator:
    """A replicate's randomness, the same in all its arms: what they share cancels in their differences."""
    return step_generator(study.seed, (len(job.own_N) << 20) | job.replicate, Draws.LIGHT_STUDENT)


def _criterion(jobs: Sequence[Job], bench: Bench) -> Callable[[Tensor], Tensor]:
    """What validation texts decide by: the squared distance to the teacher, or the cross-entropy of labels."""
    if jobs[0].arm.mode == "distill":
        target_SVC = torch.from_numpy(np.stack([job.targets.evaluation("validation") for job in jobs]))
        return lambda output_SVC: (output_SVC - target_SVC).square().mean(dim=(1, 2))
    label_V = torch.from_numpy(bench.bank.pool.validation.split.labels)
    row_V = torch.arange(len(label_V))
    return lambda output_SVC: -torch.log_softmax(output_SVC, dim=2)[:, row_V, label_V].mean(dim=1)


def _halves(jobs: Sequence[Job], data: Sequence[TrainingSet], study: Study, steps: int, twice: bool) -> list[Half]:
    """The two halves of the loss (section 2); without further texts the originals' alone, of weight one."""
    size, further = len(data[0].label_N), data[0].further
    distills = jobs[0].arm.mode == "distill"
    row_STB, more_STB = [], []
    for job in jobs:
        rng = arm_generator(study, job)
        rng.integers(2**62)
        row_TB = epochs(size, steps, BATCH * (2 if twice else 1), rng)
        row_STB.append(row_TB)
        if job.arm.augmenter == UNLABELLED or further % size:
            more_STB.append(epochs(further, steps, BATCH, rng))
        elif further:
            # Each original of the batch goes with one of its own copies, as online augmentation does.
            more_STB.append(row_TB + size * rng.integers(further // size, size=row_TB.shape))
    halves = [
        _half(
            row_STB,
            np.stack([found.x for found in data]),
            np.stack([found.target_NC for found in data]),
            np.stack([found.label_N for found in data]),
            study.alpha if distills else 1.0,
            study.gamma if further else 1.0,
        )
    ]
    if further:
        more = (
            np.stack([found.more for found in data]),
            np.stack([found.more_target_MC for found in data]),
            np.stack([found.more_label_M for found in data]),
        )
        halves.append(_half(more_STB, *more, 0.0 if distills else 1.0, 1 - study.gamma))
    return halves


def _half(
    row_STB: list[NDArray[np.int64]],
    x_SND: NDArray[np.float32],
    target_SNC: NDArray[np.float32],
    label_SN: NDArray[np.int64],
    alpha: float,
    share: float,
) -> Half:
    students, texts = label_SN.shape
    row_TSB = torch.from_numpy(np.stack(row_STB, axis=1) + texts * np.arange(students)[None, :, None])
    return Half(
        row=lambda step: row_TSB[step],
        x=torch.from_numpy(x_SND).flatten(0, 1),
        target=torch.from_numpy(target_SNC).flatten(0, 1),
        label=torch.from_numpy(label_SN).flatten(),
        alpha=alpha,
        share=share,
    )


def epochs(texts: int, steps: int, batch: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Texts of each step's batch, shape (steps, batch): one permutation after another, cut into batches."""
    rounds = -(-steps * batch // texts)
    order = np.argsort(rng.random((rounds, texts)), axis=1).ravel()
    return order[: steps * batch].reshape(steps, batch)
