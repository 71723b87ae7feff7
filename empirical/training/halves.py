"""The two halves of a step, original and augmented texts, and the parts of them that make a micro-batch (section 2).

Shapes: B texts of a half, R rows of a part, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirical.tokens.batch import Batch, Mixture


@dataclass(frozen=True, kw_only=True)
class Half:
    """Texts with their labels and the teacher's logits of them (None where no student listens)."""

    batch: Batch
    label_B: NDArray[np.int64]
    teacher_BC: Tensor | None

    def __len__(self) -> int:
        return len(self.batch)


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some rows of a half, and what they count for in a step's loss.

    hard: weight of the hard labels against the teacher (alpha or beta). share: what one text's loss is multiplied by,
    gamma / B or (1 - gamma) / B. augmented: which half it is of.
    """

    half: Half
    row_R: NDArray[np.int64]
    hard: float
    share: float
    augmented: bool

    def __len__(self) -> int:
        return len(self.row_R)

    @property
    def batch(self) -> Batch:
        return self.half.batch.rows(self.row_R)

    def labels(self, device: torch.device) -> Tensor:
        """Gold labels, int64 of shape (R,)."""
        return torch.from_numpy(self.half.label_B[self.row_R]).to(device)

    def teacher_logits(self) -> Tensor | None:
        """The teacher's logits, shape (R, C), on the device where the half has them."""
        logits_BC = self.half.teacher_BC
        return None if logits_BC is None else logits_BC[torch.from_numpy(self.row_R).to(logits_BC.device)]


def deal(length: int, *, part: int, parts: int, rank: int, world: int) -> NDArray[np.int64]:
    """The rows of a batch of `length` that one micro-batch of one process takes; shape (rows,).

    Texts are dealt to the `world` processes in turn, to the `parts` micro-batches in order (of their length).
    """
    return np.array_split(np.arange(rank, length, world), parts)[part]


def joined(batches: Sequence[Batch], pad_id: int) -> Batch:
    """Batches one below the other, padded to the longest of them."""
    if len(batches) == 1:
        return batches[0]
    length = max(batch.ids_BL.shape[1] for batch in batches)

    def stack(name: str, fill: int = 0) -> NDArray[Any]:
        arrays = [getattr(batch, name) for batch in batches]
        wide = [((0, 0), (0, length - array.shape[1])) for array in arrays]
        return np.concatenate(
            [np.pad(array, width, constant_values=fill) for array, width in zip(arrays, wide, strict=True)]
        )

    return Batch(
        ids_BL=stack("ids_BL", pad_id),
        mask_BL=stack("mask_BL"),
        eligible_BL=stack("eligible_BL"),
        segment_BL=stack("segment_BL"),
        mixed=_joined_mixtures(batches, length, pad_id),
    )


def _joined_mixtures(batches: Sequence[Batch], length: int, pad_id: int) -> Mixture | None:
    """The mixtures of batches one below the other; a text among virtual ones has nothing mixed in."""
    if all(batch.mixed is None for batch in batches):
        return None
    parts = [
        batch.mixed or Mixture(ids_BL=batch.ids_BL, share_B=np.zeros(len(batch), dtype=np.float32)) for batch in batches
    ]
    wide = [np.pad(part.ids_BL, ((0, 0), (0, length - part.ids_BL.shape[1])), constant_values=pad_id) for part in parts]
    return Mixture(ids_BL=np.concatenate(wide), share_B=np.concatenate([part.share_B for part in parts]))
