"""Token batches as NumPy arrays: what augmenters take and give, what the training loop turns into tensors.

Shapes: B texts (or pairs), L tokens including special ones and padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """What the embeddings of a batch are mixed with (MixKD): points between tokens, which are no text.

    ids_BL: int32 array of shape (B, L), the other token of each place. share_B: float32 array of shape (B,), its share.
    """

    ids_BL: NDArray[np.int32]
    share_B: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Tokenised texts, padded on the right.

    ids_BL: int32 array of shape (B, L), token ids with special tokens and padding in place.
    mask_BL: bool array of shape (B, L), true on real tokens (the attention mask).
    eligible_BL: bool array of shape (B, L), true on tokens that may be changed: never special tokens or padding;
        both sentences of a pair.
    segment_BL: int8 array of shape (B, L), 0 for the first text, 1 for the second (BERT's token type ids; a model
        without token types must not be given them).
    text_a, text_b: the texts themselves where they are at hand, else None; back-translation reads them.
    mixed: None for texts; else the rows are virtual, and a model reads (1 - share) * own + share * other embedding.
    """

    ids_BL: NDArray[np.int32]
    mask_BL: NDArray[np.bool_]
    eligible_BL: NDArray[np.bool_]
    segment_BL: NDArray[np.int8]
    text_a: tuple[str, ...] | None = None
    text_b: tuple[str, ...] | None = None
    mixed: Mixture | None = None

    def __len__(self) -> int:
        return len(self.ids_BL)

    def rows(self, index_N: NDArray[np.integer]) -> Batch:
        """These rows of the batch, in this order, padded to the longest of them.

        index_N: int array of shape (N,), row numbers, repeated or not.
        """
        length = int(self.mask_BL[index_N].sum(axis=1).max(initial=0))
        return Batch(
            ids_BL=self.ids_BL[index_N, :length],
            mask_BL=self.mask_BL[index_N, :length],
            eligible_BL=self.eligible_BL[index_N, :length],
            segment_BL=self.segment_BL[index_N, :length],
            text_a=None if self.text_a is None else tuple(self.text_a[i] for i in index_N),
            text_b=None if self.text_b is None else tuple(self.text_b[i] for i in index_N),
            mixed=None
            if self.mixed is None
            else Mixture(ids_BL=self.mixed.ids_BL[index_N, :length], share_B=self.mixed.share_B[index_N]),
        )


@dataclass(frozen=True, kw_only=True)
class Augmented:
    """An augmented batch and what was changed in it.

    batch: the augmented texts; its length L may differ from the original's, and so may B (see `row_B`).
    eligible_B: int array of shape (B,), tokens of the original that this augmenter could have changed.
    changed_B: int array of shape (B,), how many it changed (each augmenter says how it counts).
    changed_BL: bool array of the new batch's shape, true on tokens that differ from the original (for display).
    source_BL: int32 array of the new batch's shape, the position in the original row that each token stands at or
        was moved from, -1 for new ones; None: positions are the original's (or have nothing to do with them).
    row_B: int array of shape (B,), the original row each augmented text was made from, -1 for none; None: in order.
    label_B: int array of shape (B,), gold labels where the augmenter brings its own (ground truth); None: y' = y.
    logits_BC: float32 array of shape (B, C), the teacher's logits where a filter has asked for them, else None.
    """

    batch: Batch
    eligible_B: NDArray[np.int64]
    changed_B: NDArray[np.int64]
    changed_BL: NDArray[np.bool_]
    source_BL: NDArray[np.int32] | None = None
    row_B: NDArray[np.int64] | None = None
    label_B: NDArray[np.int64] | None = None
    logits_BC: NDArray[np.float32] | None = None

    @property
    def degree(self) -> float:
        """The realised semantic shift degree of the batch: changed over eligible tokens, in [0, 1]."""
        return float(self.changed_B.sum() / max(1, self.eligible_B.sum()))


def padded(rows: Sequence[Sequence[int]], fill: int, dtype: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Ragged rows as one array of shape (B, L), `fill` on the right, and the mask of what is real."""
    length_B = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
    mask_BL = np.arange(length_B.max(initial=0)) < length_B[:, None]
    values_BL = np.full(mask_BL.shape, fill, dtype=dtype)
    values_BL[mask_BL] = np.fromiter((value for row in rows for value in row), dtype=dtype, count=length_B.sum())
    return values_BL, mask_BL
