"""Token batches as NumPy arrays: what augmenters take and give, what the training loop turns into tensors.

Shapes: B texts (or pairs), L tokens including special ones and padding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Tokenised texts, padded on the right.

    ids_BL: int32 array of shape (B, L), token ids with special tokens and padding in place.
    mask_BL: bool array of shape (B, L), true on real tokens (the attention mask).
    eligible_BL: bool array of shape (B, L), true on tokens that may be changed: never special tokens or padding;
        both sentences of a pair.
    segment_BL: int8 array of shape (B, L), 0 for the first text, 1 for the second (token type ids).
    """

    ids_BL: NDArray[np.int32]
    mask_BL: NDArray[np.bool_]
    eligible_BL: NDArray[np.bool_]
    segment_BL: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.ids_BL)


@dataclass(frozen=True, kw_only=True)
class Augmented:
    """An augmented batch and what was changed in it.

    batch: the augmented texts; its length L may differ from the original's.
    eligible_B: int array of shape (B,), tokens of the original that this augmenter could have changed.
    changed_B: int array of shape (B,), how many it changed (each augmenter says how it counts).
    changed_BL: bool array of the new batch's shape, true on tokens that differ from the original (for display).
    """

    batch: Batch
    eligible_B: NDArray[np.int64]
    changed_B: NDArray[np.int64]
    changed_BL: NDArray[np.bool_]

    @property
    def degree(self) -> float:
        """The realised semantic shift degree of the batch: changed over eligible tokens, in [0, 1]."""
        return float(self.changed_B.sum() / max(1, self.eligible_B.sum()))


def step_generator(seed: int, step: int, stream: int = 0) -> np.random.Generator:
    """The random numbers of one step: a function of (seed, step, stream) and of nothing else (design: Randomness).

    Streams keep independent draws of the same step apart (0 batch order, 1 augmentation, 2 dropout seeds).
    """
    key = np.array([np.uint64(seed), np.uint64((stream << 48) | step)], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))
