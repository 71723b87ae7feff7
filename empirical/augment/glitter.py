"""Glitter: of several versions of a text, the one on which student and teacher differ most (Rashid et al., ACL 2022).

Command: `kdshift empirical augment --selection glitter --teacher DIR --student DIR < lines.txt`.
Shape suffixes: B texts, L tokens, C classes, S versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment.entropy_filter import Selecting, kept_rows
from empirical.augment.network import Scorer, score_in_parts
from empirical.augment.protocol import Augmenter
from empirical.tokens.batch import Augmented, Batch


@dataclass(frozen=True)
class Glitter(Selecting):
    """Takes of `candidates` versions of each text the one with the largest Kullback-Leibler divergence.

    The divergence is that of the student's probabilities from the teacher's, as in the authors' code. The teacher
    scores every version; its logits of the chosen ones come along.

    student: a trained one, and the same throughout a run: what a step draws must not depend on the steps before it.
    inner: any augmenter that gives one text for each original (no filter).
    """

    inner: Augmenter
    teacher: Scorer
    student: Scorer
    candidates: int = 4

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """One version of every text."""
        first = copy * self.candidates
        versions = [self.inner(batch, degree, rng, copy=first + turn) for turn in range(self.candidates)]
        logits_SBC = [_logits(version, self.teacher) for version in versions]
        student_SBC = [score_in_parts(self.student, version.batch) for version in versions]
        gap_SB = np.stack([divergence(*pair) for pair in zip(logits_SBC, student_SBC, strict=True)])
        chosen_B = gap_SB.argmax(axis=0)
        parts, rows = [], []
        for turn, version in enumerate(versions):
            index = np.flatnonzero(chosen_B == turn)
            if len(index):
                parts.append(kept_rows(replace(version, logits_BC=logits_SBC[turn]), index))
                rows.append(index)
        order_B = np.argsort(np.concatenate(rows)) if rows else np.zeros(0, dtype=np.int64)
        return kept_rows(concatenated(parts), order_B) if parts else versions[0]


def divergence(teacher_BC: NDArray[np.floating], student_BC: NDArray[np.floating]) -> NDArray[np.float64]:
    """KL(teacher || student) of two sets of logits, in nats, shape (B,)."""
    from scipy.special import log_softmax

    teacher_BC, student_BC = log_softmax(teacher_BC, axis=1), log_softmax(student_BC, axis=1)
    return np.asarray((np.exp(teacher_BC) * (teacher_BC - student_BC)).sum(axis=1), dtype=np.float64)


def _logits(version: Augmented, teacher: Scorer) -> NDArray[np.float32]:
    known = version.logits_BC
    return known if known is not None else np.asarray(score_in_parts(teacher, version.batch), dtype=np.float32)


def concatenated(parts: Sequence[Augmented]) -> Augmented:
    """Augmented batches one below the other, padded to the longest; every part must say what the others say."""
    width = max(part.batch.ids_BL.shape[1] for part in parts)
    pads = [part.batch.ids_BL[~part.batch.mask_BL] for part in parts]
    pad_id = next((int(pad[0]) for pad in pads if len(pad)), 0)

    def stacked(name: str, fill: int) -> NDArray[Any]:
        arrays = [getattr(part if hasattr(part, name) else part.batch, name) for part in parts]
        wide = [np.pad(one, ((0, 0), (0, width - one.shape[1])), constant_values=fill) for one in arrays]
        return np.concatenate(wide)

    def joined(name: str) -> NDArray[Any] | None:
        arrays = [getattr(part, name) for part in parts]
        return None if any(array is None for array in arrays) else np.concatenate(arrays)

    def texts(name: str) -> tuple[str, ...] | None:
        columns = [getattr(part.batch, name) for part in parts]
        return None if None in columns else tuple(text for column in columns for text in column)

    batch = Batch(
        ids_BL=stacked("ids_BL", pad_id),
        mask_BL=stacked("mask_BL", 0),
        eligible_BL=stacked("eligible_BL", 0),
        segment_BL=stacked("segment_BL", 0),
        text_a=texts("text_a"),
        text_b=texts("text_b"),
    )
    return Augmented(
        batch=batch,
        eligible_B=np.concatenate([part.eligible_B for part in parts]),
        changed_B=np.concatenate([part.changed_B for part in parts]),
        changed_BL=stacked("changed_BL", 0),
        source_BL=None if any(part.source_BL is None for part in parts) else stacked("source_BL", -1),
        row_B=joined("row_B"),
        label_B=joined("label_B"),
        logits_BC=joined("logits_BC"),
    )
