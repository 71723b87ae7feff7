"""A study on the tiny bank, ready to climb."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from empirical.bank.study import Size, Study
from empirical.bank.study_run import StudyRun
from empirical.config import TaskConfig
from kdshift.ladder.rungs import LadderConfig
from tests.empirical.bank.tiny_bank import SHIFTS, Oracle, bank, embeddings

CONFIG = LadderConfig(
    augmenters=("knn",),
    data_sizes=(16, 32),
    replicates=2,
    tau=(0.2, 0.8),
    features=16,
    teacher_features=32,
    low_dimension=2,
)  # fmt: skip


def tiny_run(folder: Path, large_copies: int = 2) -> StudyRun:
    """Two sizes of a pool of 64 texts, two light students, nothing else."""
    made = bank(folder)
    study = Study(
        task=TaskConfig(name=str(folder / "texts.csv"), max_length=32),
        pool=64,
        reserve=32,
        copies=2,
        shifts=SHIFTS,
        sizes=(Size(data_size=16), Size(data_size=32, copies=large_copies)),
        steps=20,
    )
    # Linear in mean embeddings, so that points can say some of its answers.
    teacher = Oracle()
    teacher.weight_VC = embeddings() @ np.random.default_rng(3).normal(size=(8, 3)).astype(np.float32)
    return StudyRun(
        study=study,
        bank=made,
        teacher=teacher,
        embeddings=embeddings(),
        folder=folder / "results" / "curves" / "tiny-0",
    )
