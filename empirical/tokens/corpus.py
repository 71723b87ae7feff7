"""A split as token ids, kept ragged, and the deterministic order in which its batches by length are drawn.

Shapes: N texts, B texts of a batch, L tokens.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.randomness import Draws, step_generator
from empirical.tokens.batch import Batch
from empirical.tokens.codec import encode_batch

CHUNK = 4096  # texts tokenised at a time
BLOCK = 64  # batches among which texts are sorted by length
NOISE = 2.0  # tokens of noise on the length, so that neighbours in length change from epoch to epoch
RETURN = 0.05  # share of a text's batch mates that may meet it again in the next epoch (1.6 % at random, 3,917 texts)
SPREAD = 0.25  # share of the lengths that a batch may span for it: more would be padding


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """N tokenised texts without padding: text i is `ids[start_N[i]:start_N[i] + length_N[i]]`.

    text_a, text_b: the texts themselves, for augmenters that work on text; None where they are not kept.
    """

    ids: NDArray[np.int32]
    eligible: NDArray[np.bool_]
    segment: NDArray[np.int8]
    length_N: NDArray[np.int64]
    start_N: NDArray[np.int64]
    pad_id: int
    text_a: Sequence[str] | None = None
    text_b: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.length_N)

    def batch(self, index_B: NDArray[np.integer]) -> Batch:
        """These texts as a batch, padded to the longest of them."""
        length_B = self.length_N[index_B]
        column_L = np.arange(length_B.max(initial=1))
        mask_BL = column_L < length_B[:, None]
        place_BL = np.where(mask_BL, self.start_N[index_B][:, None] + column_L, 0)
        return Batch(
            ids_BL=np.where(mask_BL, self.ids[place_BL], np.int32(self.pad_id)),
            mask_BL=mask_BL,
            eligible_BL=mask_BL & self.eligible[place_BL],
            segment_BL=np.where(mask_BL, self.segment[place_BL], np.int8(0)),
            text_a=None if self.text_a is None else tuple(self.text_a[i] for i in index_B),
            text_b=None if self.text_b is None else tuple(self.text_b[i] for i in index_B),
        )

    def by_length(self, index_N: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
        """These texts in batches of `size` sorted by length: the canonical order of evaluation and caching."""
        order = index_N[np.argsort(self.length_N[index_N], kind="stable")]
        return [order[start : start + size] for start in range(0, len(order), size)]

    def digest(self, index_N: NDArray[np.integer]) -> str:
        """Sixteen hexadecimal digits that name the token ids of these texts, in this order."""
        state = hashlib.sha256(self.length_N[index_N].astype("<i8").tobytes())
        for index in index_N:
            start = self.start_N[index]
            state.update(self.ids[start : start + self.length_N[index]].astype("<i4").tobytes())
        return state.hexdigest()[:16]


def join_batches(batches: Sequence[Batch], pad_id: int) -> Corpus:
    """The texts of these batches, in order, as one corpus."""
    length_N = np.concatenate([batch.mask_BL.sum(axis=1) for batch in batches]).astype(np.int64)
    return Corpus(
        ids=np.concatenate([batch.ids_BL[batch.mask_BL] for batch in batches]),
        eligible=np.concatenate([batch.eligible_BL[batch.mask_BL] for batch in batches]),
        segment=np.concatenate([batch.segment_BL[batch.mask_BL] for batch in batches]),
        length_N=length_N,
        start_N=np.cumsum(length_N) - length_N,
        pad_id=pad_id,
        text_a=_column([batch.text_a for batch in batches]),
        text_b=_column([batch.text_b for batch in batches]),
    )


def _column(parts: Sequence[Sequence[str] | None]) -> list[str] | None:
    """Columns of texts as one, or None where any batch has none."""
    return None if None in parts else [text for part in parts for text in part or ()]


def encode_corpus(
    tokenizer: Any,
    text_a: Sequence[str],
    text_b: Sequence[str] | None,
    max_length: int,
    protected: re.Pattern[str] | None = None,
) -> Corpus:
    """Texts (or pairs) tokenised in chunks; each is cut to `max_length` tokens, what is `protected` never changes."""
    batches = []
    for start in range(0, max(1, len(text_a)), CHUNK):  # no texts are a corpus too: one empty batch
        stop = start + CHUNK
        second = None if text_b is None else text_b[start:stop]
        batches.append(encode_batch(tokenizer, text_a[start:stop], second, max_length, protected))
    return join_batches(batches, tokenizer.pad_token_id)


@dataclass
class BatchOrder:
    """Which texts make the batch of step t: a function of (lengths, batch size, seed, t) and of nothing else.

    An epoch is a permutation cut into full batches of texts of similar length, drawn in random order; the texts left
    over sit that epoch out, others the next. With fewer texts than a batch holds, texts repeat within it.
    """

    length_N: NDArray[np.int64]
    batch_size: int
    seed: int
    _epoch: int = -1
    _plan_TB: NDArray[np.int64] | None = None

    @property
    def batches_per_epoch(self) -> int:
        return max(1, len(self.length_N) // self.batch_size)

    def batch(self, step: int) -> NDArray[np.int64]:
        """Text numbers of the batch of step `step` (from 0), int64 array of shape (B,)."""
        epoch, place = divmod(step, self.batches_per_epoch)
        if epoch != self._epoch or self._plan_TB is None:
            self._epoch, self._plan_TB = epoch, self._plan(epoch)
        text_B: NDArray[np.int64] = self._plan_TB[place]
        return text_B

    def _plan(self, epoch: int) -> NDArray[np.int64]:
        rng = step_generator(self.seed, epoch, Draws.ORDER)
        total, size = len(self.length_N), self.batch_size
        if total < size:
            rounds = -(-size // total)
            return np.concatenate([rng.permutation(total) for _ in range(rounds)])[None, :size]
        order = rng.permutation(total)[: self.batches_per_epoch * size]
        noisy = self.length_N[order] + rng.uniform(0, NOISE, size=len(order))
        # Of few batches length alone would make the same ones again: ranks are shifted by up to this share of a block.
        # Two texts whose shifts differ meet with a probability of about 2/3 over the number of batches within reach.
        reach = min(SPREAD, 2 / 3 / (RETURN * self.batches_per_epoch))
        for start in range(0, len(order), BLOCK * size):
            block = slice(start, start + BLOCK * size)
            rank = np.argsort(np.argsort(noisy[block], kind="stable"), kind="stable") / len(noisy[block])
            order[block] = order[block][np.argsort(rank + rng.uniform(0, reach, size=len(rank)), kind="stable")]
        plan_TB = order.reshape(-1, size)
        return plan_TB[rng.permutation(len(plan_TB))]

    def used(self, steps: int) -> NDArray[np.int64]:
        """The texts that any of the first `steps` batches holds, sorted; shape (U,), U the number of them."""
        seen_N = np.zeros(len(self.length_N), dtype=bool)
        for step in range(steps):
            seen_N[self.batch(step)] = True
            if step % 64 == 63 and seen_N.all():
                break
        return np.flatnonzero(seen_N)
