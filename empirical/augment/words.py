"""Whole words inside token batches, and batches rebuilt after words were replaced, moved, inserted or removed.

Shape suffixes: B texts, L tokens, N real tokens of the batch in row-major order ("flat"), W words, M tokens after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Words:
    """The eligible tokens of a batch grouped into words; pieces of one word stay together.

    start_W, stop_W: flat positions of a word's first piece and one past its last.
    row_W, column_W: row and column of its first piece.  segment_W: which text of a pair it is in.
    pieces: the token ids of each word.
    """

    start_W: NDArray[np.int64]
    stop_W: NDArray[np.int64]
    row_W: NDArray[np.int64]
    column_W: NDArray[np.int64]
    segment_W: NDArray[np.int8]
    pieces: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, batch: Batch, vocabulary: Vocabulary) -> Words:
        """The words of a batch.

        A token begins a word where it says so itself (no `##`; a leading `▁` or `Ġ`), at the start of a text, after
        anything that is not eligible, and wherever letters and other characters meet ("dog." is two words). A
        contraction is one word ("don't", also where the tokenizer parts it into three tokens).
        """
        begins_BL, eligible_BL, ids_BL = _begins(batch, vocabulary), batch.eligible_BL, batch.ids_BL
        begins_N, eligible_N = begins_BL[batch.mask_BL], eligible_BL[batch.mask_BL]
        start_W = np.flatnonzero(begins_N)
        ends_N = eligible_N & np.append(begins_N[1:] | ~eligible_N[1:], True)[: len(eligible_N)]
        stop_W = np.flatnonzero(ends_N) + 1
        row_W, column_W = np.nonzero(begins_BL)
        flat = ids_BL[batch.mask_BL].tolist()
        return cls(
            start_W=start_W,
            stop_W=stop_W,
            row_W=row_W,
            column_W=column_W,
            segment_W=batch.segment_BL[begins_BL],
            pieces=tuple(
                tuple(flat[start:stop]) for start, stop in zip(start_W.tolist(), stop_W.tolist(), strict=True)
            ),
        )

    def __len__(self) -> int:
        return len(self.pieces)

    def rows(self, count: int) -> list[range]:
        """The words of each of `count` rows, as ranges of word numbers."""
        edges = np.searchsorted(self.row_W, np.arange(count + 1)).tolist()
        return [range(edges[row], edges[row + 1]) for row in range(count)]


def _begins(batch: Batch, vocabulary: Vocabulary) -> NDArray[np.bool_]:
    ids_BL, eligible_BL = batch.ids_BL, batch.eligible_BL
    begins_BL = eligible_BL & (vocabulary.starts_V[ids_BL] | ~vocabulary.begins_alnum_V[ids_BL])
    same_BL = np.zeros_like(eligible_BL)
    same_BL[:, 1:] = eligible_BL[:, :-1] & eligible_BL[:, 1:] & (batch.segment_BL[:, :-1] == batch.segment_BL[:, 1:])
    after_alnum_BL = same_BL.copy()
    after_alnum_BL[:, 1:] &= vocabulary.ends_alnum_V[ids_BL[:, :-1]]
    begins_BL |= eligible_BL & ~after_alnum_BL
    apostrophe_BL = after_alnum_BL & vocabulary.apostrophe_V[ids_BL]
    contracted_BL = same_BL[:, 1:] & apostrophe_BL[:, :-1] & vocabulary.clitic_V[ids_BL[:, 1:]]
    begins_BL[:, 1:] &= ~contracted_BL
    begins_BL[:, :-1] &= ~contracted_BL
    return begins_BL


@dataclass(frozen=True, kw_only=True)
class NewTokens:
    """The M tokens of a batch after words were changed, in row-major order.

    ids_M: token ids.
    anchor_M: flat position of the original token whose row and text (of a pair) each new token belongs to.
    from_M: flat position of the original token it stands for, -1 for an inserted one.
    changed_M: whether it counts as changed.
    """

    ids_M: NDArray[np.int32]
    anchor_M: NDArray[np.int64]
    from_M: NDArray[np.int64]
    changed_M: NDArray[np.bool_]


def rebuild(
    batch: Batch,
    tokens: NewTokens,
    vocabulary: Vocabulary,
    *,
    eligible_B: NDArray[np.int64],
    changed_B: NDArray[np.int64],
    max_length: int | None = None,
) -> Augmented:
    """The augmented batch of these tokens, which reports `eligible_B` and `changed_B`.

    max_length: a row that grew beyond it loses the last tokens of its longer text (one that was longer before stays as
        long as it was); None: what the tokenizer's model takes.
    """
    row_N, column_N = np.nonzero(batch.mask_BL)
    row_M, segment_M = row_N[tokens.anchor_M], batch.segment_BL[batch.mask_BL][tokens.anchor_M]
    special_M = vocabulary.special_V[tokens.ids_M]
    source_M = np.where(tokens.from_M >= 0, column_N[tokens.from_M], -1).astype(np.int32)
    keep_M = np.ones(len(row_M), dtype=bool)
    if (limit := max_length or vocabulary.max_length) is not None:
        keep_M = _fitting(row_M, segment_M, special_M, np.maximum(batch.mask_BL.sum(axis=1), limit))
    length_B = np.bincount(row_M[keep_M], minlength=len(batch))
    mask_BL = np.arange(length_B.max(initial=0)) < length_B[:, None]

    def spread(values_M: NDArray[Any], fill: int) -> NDArray[Any]:
        values_BL = np.full(mask_BL.shape, fill, dtype=values_M.dtype)
        values_BL[mask_BL] = values_M[keep_M]
        return values_BL

    return Augmented(
        batch=Batch(
            ids_BL=spread(tokens.ids_M, vocabulary.pad_id),
            mask_BL=mask_BL,
            eligible_BL=mask_BL & ~spread(special_M, True),
            segment_BL=spread(segment_M, 0),
        ),
        eligible_B=eligible_B,
        changed_B=changed_B,
        changed_BL=spread(tokens.changed_M, False),
        source_BL=spread(source_M, -1),
    )


def _fitting(
    row_M: NDArray[np.int64], segment_M: NDArray[np.int8], special_M: NDArray[np.bool_], limit_B: NDArray[np.int64]
) -> NDArray[np.bool_]:
    keep_M = np.ones(len(row_M), dtype=bool)
    length_B = np.bincount(row_M, minlength=len(limit_B))
    for row in np.flatnonzero(length_B > limit_B):
        text = [np.flatnonzero((row_M == row) & (segment_M == segment) & ~special_M).tolist() for segment in (0, 1)]
        for _ in range(length_B[row] - limit_B[row]):
            keep_M[max(text, key=len).pop()] = False
    return keep_M
