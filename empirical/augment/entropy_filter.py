"""Filter by the teacher's answers: of what another augmenter makes, what the teacher finds unfit is dropped.

The paper says of its reference [29] that texts of low entropy made good training data; the code released with that
reference keeps the largest entropies. Both ends are here, and a cut at a quantile of the teacher's confidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment.network import Scorer, score_in_parts
from empirical.augment.protocol import Augmenter
from empirical.metric import entropy
from empirical.tokens.batch import Augmented, Batch


def doubt(logits_BC: NDArray[np.floating]) -> NDArray[np.float64]:
    """How far a classifier's largest probability is from one, for each text, shape (B,)."""
    from scipy.special import softmax

    return np.asarray(1 - softmax(logits_BC, axis=1).max(axis=1), dtype=np.float64)


# What is unfit by each rule: the rows with the smallest values are kept.
UNFIT: dict[str, Callable[[NDArray[np.floating]], NDArray[np.floating]]] = {
    "low-entropy": entropy,
    "high-entropy": lambda logits_BC: -entropy(logits_BC),
    "confident": doubt,
}


class Selecting:
    """What a selection over an augmenter takes from it: its name, and when and how its texts are made."""

    inner: Augmenter

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def online(self) -> bool:
        return self.inner.online

    @property
    def at_once(self) -> bool:
        return self.inner.at_once


@dataclass(frozen=True)
class EntropyFilter(Selecting):
    """Keeps the augmented texts that are least unfit, the batch's `quantile` of them, one at least.

    The augmented batch is smaller than the original; `row_B` says which originals are left. The teacher scores
    every text of the unfiltered batch: a training loop that counts teacher calls must count those, and need not ask
    again about the texts that are left.

    rule: `low-entropy`, `high-entropy` or `confident` (the largest probabilities).
    """

    inner: Augmenter
    teacher: Scorer
    quantile: float
    rule: str = "low-entropy"

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """The inner augmenter's batch without its unfit rows, in order."""
        full = self.inner(batch, degree, rng, copy=copy)
        logits_BC = full.logits_BC if full.logits_BC is not None else score_in_parts(self.teacher, full.batch)
        unfit_B = UNFIT[self.rule](logits_BC)
        keep = np.flatnonzero(unfit_B <= np.quantile(unfit_B, self.quantile, method="higher"))
        return kept_rows(replace(full, logits_BC=np.asarray(logits_BC, dtype=np.float32)), keep)


def kept_rows(full: Augmented, index_A: NDArray[np.integer]) -> Augmented:
    """These rows of an augmented batch, in this order, padded to the longest of them."""
    batch = full.batch.rows(index_A)
    length = batch.ids_BL.shape[1]
    row_B = np.arange(len(full.batch), dtype=np.int64) if full.row_B is None else full.row_B
    rest: dict[str, Any] = {
        name: None if (values := getattr(full, name)) is None else values[index_A] for name in ("label_B", "logits_BC")
    }
    return replace(
        full,
        batch=batch,
        eligible_B=full.eligible_B[index_A],
        changed_B=full.changed_B[index_A],
        changed_BL=full.changed_BL[index_A, :length],
        source_BL=None if full.source_BL is None else full.source_BL[index_A, :length],
        row_B=row_B[index_A],
        **rest,
    )
