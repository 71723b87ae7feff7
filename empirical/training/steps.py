"""What every step of training reads: original texts, their augmented versions, made ahead in a background thread.

What step t holds depends on (data seed, t) and on nothing else (design: Randomness), whoever trains on it.
Shapes: B original texts, A augmented ones (A = B unless a filter or the data leave fewer).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.codec import encode_batch
from empirical.tokens.corpus import BatchOrder, Corpus
from empirical.training.copies import Augmentation

AHEAD = 3  # steps made before they are asked for

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step's texts, for every tokenizer that reads them.

    number: the step, from 0. index_B: the original texts' numbers in the training subset.
    original, augmented: batches by tokenizer; `augmented` is None without augmented data.
    label_B, augmented_label_A: gold labels; those of augmented texts are y' = y unless the augmenter knows better.
    augmented_logits_AC: the teacher's logits of augmented texts where a filter has asked for them.
    new_originals, new_copies: original texts, and offline copies with kept answers, that no earlier step held.
    filter_calls: texts the teacher scored for a filter; those it scored for the offline copies belong to step 0.
    eligible, changed: token counts of the augmented texts' originals.
    """

    number: int
    index_B: NDArray[np.int64]
    original: dict[str, Batch]
    label_B: NDArray[np.int64]
    augmented: dict[str, Batch] | None
    augmented_label_A: NDArray[np.int64] | None
    augmented_logits_AC: NDArray[np.float32] | None
    new_originals: int
    new_copies: int
    filter_calls: int
    eligible: int
    changed: int


@dataclass(kw_only=True)
class Stream:
    """The steps of a run, in order.

    corpora: the training subset by tokenizer; base: the tokenizer whose ids are augmented. order: of the original
    texts, and of the copies after them where these are mixed into the data.
    tokenizers: the tokenizers themselves, for texts that must be re-tokenised.
    """

    corpora: dict[str, Corpus]
    tokenizers: dict[str, Any]
    base: str
    label_N: NDArray[np.int64]
    order: BatchOrder
    max_length: int
    augmentation: Augmentation | None = None

    @property
    def seconds(self) -> float:
        """What was spent before the first step: the making of offline copies."""
        return 0.0 if self.augmentation is None else self.augmentation.seconds

    def used(self, steps: int) -> NDArray[np.int64]:
        """The original texts that any of the first `steps` steps holds, sorted; shape (U,), U the number of them."""
        used_U = self.order.used(steps)
        return used_U[used_U < len(self.label_N)]

    def used_copies(self, steps: int) -> NDArray[np.int64]:
        """The offline copies that any of the first `steps` steps holds, sorted; none where texts are made online."""
        seen_P = np.zeros(self._copies, dtype=bool)
        for step in range(steps if self._copies else 0):
            seen_P[self._copies_of(step)] = True
        return np.flatnonzero(seen_P)

    @property
    def _copies(self) -> int:
        pool = None if self.augmentation is None else self.augmentation.pool
        return 0 if pool is None else len(pool)

    def _copies_of(self, step: int) -> NDArray[np.int64]:
        """The offline copies of a step."""
        assert self.augmentation is not None
        index_B, copy_A = self._drawn(step)
        return copy_A if self.augmentation.mixed else self.augmentation.entries(step, index_B)[0]

    def _drawn(self, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(original texts, copies) of a step; copies that are mixed into the data are numbered after the originals."""
        drawn_B = self.order.batch(step)
        total = len(self.label_N)
        return drawn_B[drawn_B < total], drawn_B[drawn_B >= total] - total

    def steps(self, first: int, stop: int) -> Generator[Step, None, None]:
        """Steps `first` to `stop` - 1, each made in the background while the ones before it are used."""
        seen = _Seen(original_N=np.zeros(len(self.label_N), dtype=bool), copy_P=np.zeros(self._copies, dtype=bool))
        for step in range(first):
            seen.original_N[self._drawn(step)[0]] = True
            if self._copies:
                seen.copy_P[self._copies_of(step)] = True
        return run_ahead(lambda step: self._make(step, seen), range(first, stop))

    def _make(self, step: int, seen: _Seen) -> Step:
        index_B, copy_A = self._drawn(step)
        new = _mark(seen.original_N, index_B)
        pool = None if self.augmentation is None else self.augmentation.pool
        kept = pool is not None and pool.answered_PC is not None
        new_copies = _mark(seen.copy_P, self._copies_of(step)) if kept else 0
        original = {key: corpus.batch(index_B) for key, corpus in self.corpora.items()}
        label_B = self.label_N[index_B]
        scored = self.augmentation.scored() if self.augmentation and step > 0 else 0
        drawn = None
        if self.augmentation is not None and self.augmentation.mixed:
            drawn = self._mixed_in(self.augmentation, copy_A)
        elif self.augmentation is not None:
            drawn = self.augmentation.draw(step, index_B, original[self.base])
        return Step(
            number=step,
            index_B=index_B,
            original=original,
            label_B=label_B,
            augmented=None if drawn is None else self._retokenised(drawn.batch),
            augmented_label_A=None if drawn is None else _labels(drawn, label_B),
            augmented_logits_AC=None if drawn is None else drawn.logits_BC,
            new_originals=new,
            new_copies=new_copies,
            filter_calls=(self.augmentation.scored() if self.augmentation else 0) - scored,
            eligible=0 if drawn is None else int(drawn.eligible_B.sum()),
            changed=0 if drawn is None else int(drawn.changed_B.sum()),
        )

    def _mixed_in(self, augmentation: Augmentation, copy_A: NDArray[np.int64]) -> Augmented:
        """These copies with their gold labels: y' = y unless the augmenter brought its own."""
        assert augmentation.pool is not None, "copies are made before the first step"
        drawn = augmentation.pool.take(copy_A)
        if drawn.label_B is None:
            return replace(drawn, label_B=self.label_N[augmentation.pool.owner_P[copy_A]])
        return drawn

    def _retokenised(self, batch: Batch) -> dict[str, Batch]:
        """An augmented batch for every tokenizer: as it is for the one it was made with, its texts for others."""
        batches = {self.base: batch}
        for key in self.corpora:
            if key != self.base:
                assert batch.text_a is not None, "an augmentation without a tokenizer, though another model reads texts"
                batches[key] = encode_batch(self.tokenizers[key], batch.text_a, batch.text_b, self.max_length)
        return batches


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """Which original texts, and which offline copies, the steps made so far have held."""

    original_N: NDArray[np.bool_]
    copy_P: NDArray[np.bool_]


def _mark(seen: NDArray[np.bool_], index: NDArray[np.int64]) -> int:
    """Mark these as seen; how many were not before."""
    new = int((~seen[np.unique(index)]).sum())
    seen[index] = True
    return new


def _labels(drawn: Augmented, label_B: NDArray[np.int64]) -> NDArray[np.int64]:
    if drawn.label_B is not None:
        return drawn.label_B
    return label_B if drawn.row_B is None else label_B[drawn.row_B]


def run_ahead(make: Callable[[int], T], numbers: range) -> Generator[T, None, None]:
    """`make(number)` for each number, in order, computed by one background thread a few numbers ahead."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches") as pool:
        waiting: deque[Any] = deque()
        upcoming = iter(numbers)
        try:
            for number in upcoming:
                waiting.append(pool.submit(make, number))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
