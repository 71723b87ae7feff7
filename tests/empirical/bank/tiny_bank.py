"""A tiny task, a teacher that answers in no time and counts, and banks on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from empirical.bank.making import Bank
from empirical.bank.plan import BankPlan, Shift
from empirical.config import TaskConfig
from empirical.tasks.load import load_task
from empirical.teachers.answering import token_contents
from empirical.tokens.batch import Batch
from tests.empirical import tiny_kd

SHIFTS = (Shift(augmenter="knn", degrees=(0.3, 0.8), neighbours=3), Shift(augmenter="random", degrees=(0.5,)))


class Oracle:
    """A teacher that is linear in the counts of tokens, so that light students can learn it; it counts its texts."""

    name, key, labels = "oracle", "oracle-1", tiny_kd.LABELS

    def __init__(self, most: int = 10**9) -> None:
        self.asked, self.most = 0, most
        vocabulary = len(tiny_kd.SPECIAL) + len(tiny_kd.WORDS)
        self.weight_VC = np.random.default_rng(1).normal(size=(vocabulary, 3)).astype(np.float32)

    def contents(self, batch: Batch) -> list[bytes]:
        return token_contents(batch)

    def answer(self, batch: Batch) -> NDArray[np.float32]:
        self.asked += len(batch)
        if self.asked > self.most:
            raise KeyboardInterrupt
        value_BLC = self.weight_VC[batch.ids_BL] * batch.mask_BL[:, :, None]
        return (value_BLC.sum(axis=1) / batch.mask_BL.sum(axis=1)[:, None]).astype(np.float32)


def embeddings() -> NDArray[np.float32]:
    """Input embeddings for the tiny tokenizer."""
    size = (len(tiny_kd.SPECIAL) + len(tiny_kd.WORDS), 8)
    return np.random.default_rng(2).normal(size=size).astype(np.float32)


def bank(folder: Path, **changes: object) -> Bank:
    """A bank of the tiny task under `folder`; changes are fields of its plan."""
    data = folder / "texts.csv"
    if not data.exists():
        tiny_kd.table(data, rows=400)
    values = {"task": TaskConfig(name=str(data), max_length=32), "pool": 64, "reserve": 32, "copies": 2}
    plan = BankPlan.model_validate({**values, "shifts": SHIFTS, **changes})
    task = load_task(plan.task)
    return Bank(plan=plan, task=task, tokenizer=tiny_kd.tokenizer(), embeddings=embeddings(), root=folder / "bank")
