"""Whole words inside token batches, and batches rebuilt after words were replaced, moved, inserted or removed.

Shape suffixes: B texts, L tokens, N real tokens of the batch in row-major order ("flat"), W words, M tokens after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def rebuild(
    batch: Batch,
    vocabulary: Vocabulary,
    anchor_M: Sequence[int] | NDArray[np.integer],
    ids_M: Sequence[int] | NDArray[np.integer],
    from_M: Sequence[int] | NDArray[np.integer],
    changed_M: Sequence[bool] | NDArray[np.bool_],
    eligible_B: NDArray[np.int64],
    changed_B: NDArray[np.int64],
) -> Augmented:
    """The augmented batch whose tokens are listed in row-major order.

    anchor_M: flat position of the original token whose row and text (of a pair) each new token belongs to.
    ids_M: its token id.  from_M: flat position of the original token it stands for, -1 for an inserted one.
    changed_M: whether it counts as changed.
    eligible_B, changed_B: what to report.

    A row that became longer than the tokenizer's model takes loses the last tokens of its longer text.
    """
    anchor_M, from_M = np.asarray(anchor_M, dtype=np.int64), np.asarray(from_M, dtype=np.int64)
    row_N, column_N = np.nonzero(batch.mask_BL)
    columns = {
        "ids": np.asarray(ids_M, dtype=np.int32),
        "segment": batch.segment_BL[batch.mask_BL][anchor_M],
        "special": vocabulary.special_V[np.asarray(ids_M, dtype=np.int64)],
        "source": np.where(from_M >= 0, column_N[from_M], -1).astype(np.int32),
        "changed": np.asarray(changed_M, dtype=bool),
    }
    row_M = row_N[anchor_M]
    if vocabulary.max_length is not None:
        limit_B = np.maximum(batch.mask_BL.sum(axis=1), vocabulary.max_length)
        keep_M = _fitting(row_M, columns["segment"], columns["special"], limit_B)
        row_M, columns = row_M[keep_M], {name: values[keep_M] for name, values in columns.items()}
    length_B = np.bincount(row_M, minlength=len(batch))
    mask_BL = np.arange(length_B.max(initial=0)) < length_B[:, None]

    def spread(name: str, fill: int) -> NDArray:
        values_BL = np.full(mask_BL.shape, fill, dtype=columns[name].dtype)
        values_BL[mask_BL] = columns[name]
        return values_BL

    return Augmented(
        batch=Batch(
            ids_BL=spread("ids", vocabulary.pad_id),
            mask_BL=mask_BL,
            eligible_BL=mask_BL & ~spread("special", True),
            segment_BL=spread("segment", 0),
        ),
        eligible_B=eligible_B,
        changed_B=changed_B,
        changed_BL=spread("changed", False),
        source_BL=spread("source", -1),
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
