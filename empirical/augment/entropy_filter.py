"""Filter by the teacher's entropy [29]: of what another augmenter makes, what the teacher is unsure of is dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from empirical.augment.protocol import Augmenter
from empirical.metric import entropy
from empirical.tokens.batch import Augmented, Batch

SCORED = 512  # texts that the teacher is asked about at a time

Scorer = Callable[[Batch], NDArray[np.float32]]  # the teacher's logits of B texts, shape (B, C)


@dataclass(frozen=True)
class EntropyFilter:
    """Keeps the augmented texts whose teacher entropy is at most the batch's `quantile`, one at least.

    The augmented batch is smaller than the original; `row_B` says which originals are left. The teacher scores
    every text of the unfiltered batch: a training loop that counts teacher calls must count those, and need not ask
    again about the texts that are left.
    """

    inner: Augmenter
    teacher: Scorer
    quantile: float

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def online(self) -> bool:
        return self.inner.online

    @property
    def at_once(self) -> bool:
        return self.inner.at_once

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """The inner augmenter's batch without its high-entropy rows, in order."""
        full = self.inner(batch, degree, rng, copy=copy)
        total = len(full.batch)
        parts = np.split(np.arange(total), range(SCORED, total, SCORED))
        logits_BC = np.concatenate([self.teacher(full.batch.rows(part)) for part in parts])
        entropy_B = entropy(logits_BC)
        keep = np.flatnonzero(entropy_B <= np.quantile(entropy_B, self.quantile, method="higher"))
        row_B = np.arange(len(full.batch), dtype=np.int64) if full.row_B is None else full.row_B
        kept = full.batch.rows(keep)
        length = kept.ids_BL.shape[1]
        return replace(
            full,
            batch=kept,
            eligible_B=full.eligible_B[keep],
            changed_B=full.changed_B[keep],
            changed_BL=full.changed_BL[keep, :length],
            source_BL=None if full.source_BL is None else full.source_BL[keep, :length],
            row_B=row_B[keep],
            label_B=None if full.label_B is None else full.label_B[keep],
            logits_BC=logits_BC[keep],
        )
