"""Augmented copies of a user's texts at several degrees, made by the bank's own hands and found again on disk.

Shapes: N texts, P copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.bank.making import Bank
from empirical.bank.plan import BLOCK, BankPlan, Shift
from empirical.bank.pool import pool_order
from empirical.config import TaskConfig
from empirical.tasks.load import Task
from empirical.tasks.spec import Split
from empirical.tokens.corpus import Corpus


@dataclass(frozen=True, kw_only=True)
class ShiftedCopies:
    """P copies of texts at one degree. origin_P: the text that each was made from. realised: their mean degree."""

    corpus: Corpus
    origin_P: NDArray[np.int64]
    realised: float


@dataclass(kw_only=True)
class CopyMaker:
    """Makes copies of all texts that may be trained on (test texts are never augmented).

    texts: the texts, row_N of the corpus. embeddings: of the tokenizer's ids, for kNN.
    """

    texts: Split
    row_N: NDArray[np.int64]
    labels: tuple[str, ...]
    tokenizer: Any
    embeddings: NDArray[np.float32] | None
    augmenter: str
    max_length: int
    seed: int
    folder: Path

    def make(self, degree: float, copies: int, pool: int | None = None) -> ShiftedCopies:
        """`copies` of each of the first `pool` texts (in the bank's random order; None: of all) at this degree."""
        size = min(pool or len(self.texts), len(self.texts))
        plan = BankPlan(
            task=TaskConfig(name="own", max_length=self.max_length),
            pool=size,
            copies=copies,
            seed=self.seed,
            shifts=(Shift(augmenter=self.augmenter, degrees=(degree,)),),
        )
        task = Task(
            name="own", labels=self.labels, metric="accuracy", train=self.texts, validation=self.texts, test=self.texts
        )
        bank = Bank(plan=plan, task=task, tokenizer=self.tokenizer, embeddings=self.embeddings, root=self.folder)
        order = pool_order(self.seed, len(self.texts))
        parts, origins, eligible, changed = [], [], 0, 0
        for unit in plan.units():
            made = bank.copies(unit)
            rows = np.arange(unit.size)
            parts.append(_first(made.corpus, unit.size))
            origins.append(self.row_N[order[unit.block * BLOCK + rows]])
            eligible += int(made.eligible_N[: unit.size].sum())
            changed += int(made.changed_N[: unit.size].sum())
        return ShiftedCopies(
            corpus=_joined(parts), origin_P=np.concatenate(origins), realised=changed / max(1, eligible)
        )


def _first(corpus: Corpus, size: int) -> Corpus:
    stop = int(corpus.length_N[:size].sum())
    return Corpus(
        ids=corpus.ids[:stop],
        eligible=corpus.eligible[:stop],
        segment=corpus.segment[:stop],
        length_N=corpus.length_N[:size],
        start_N=corpus.start_N[:size],
        pad_id=corpus.pad_id,
    )


def _joined(parts: list[Corpus]) -> Corpus:
    length_N = np.concatenate([part.length_N for part in parts])
    return Corpus(
        ids=np.concatenate([part.ids for part in parts]),
        eligible=np.concatenate([part.eligible for part in parts]),
        segment=np.concatenate([part.segment for part in parts]),
        length_N=length_N,
        start_N=np.concatenate([[0], np.cumsum(length_N)[:-1]]).astype(np.int64),
        pad_id=parts[0].pad_id,
    )
