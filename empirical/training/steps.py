"""What every step of training reads: original texts, their augmented versions, made ahead in a background thread.

What step t holds depends on (data seed, t) and on nothing else (design: Randomness), whoever trains on it.
Shapes: B original texts, A augmented ones (A = B unless a filter or the data leave fewer).
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from empirical.augment import Augmenter
from empirical.augment.lines import write_texts
from empirical.config import AugmentConfig
from empirical.randomness import Draws, step_generator
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.codec import encode_batch
from empirical.tokens.corpus import BatchOrder, Corpus, join_batches
from theory.errors import InputError
from theory.progress_report import Progress

logger = logging.getLogger(__name__)

POOL_CHUNK = 512  # texts augmented at a time when copies are made offline
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
class Augmentation:
    """An augmenter at work in a run: online, afresh at every step, or offline, from copies made once.

    scored: how many texts the augmenter's filter had the teacher score so far (0 without a filter).
    tokenizer: the augmenter's, where a model reads another and the augmented texts must be written out, else None.
    max_length: tokens that texts are cut to. seconds: what the offline copies cost.
    """

    config: AugmentConfig
    augmenter: Augmenter
    data_seed: int
    max_length: int
    tokenizer: Any = None
    scored: Callable[[], int] = lambda: 0
    pool: Pool | None = None
    seconds: float = 0.0

    @property
    def mixed(self) -> bool:
        """Whether the copies are part of the data that batches are drawn from, instead of a half of every batch."""
        return self.config.mixing == "mixed"

    def prepare(self, corpus: Corpus, progress: Progress | None = None) -> None:
        """Make the offline copies, if the configuration asks for them; `seconds` is then what they cost.

        That is the time it took, and what answers that were kept from earlier runs (translations) took then.
        """
        if self.config.copies is None:
            if not self.augmenter.online:
                allowed = f"a number of copies: {self.augmenter.name} is made offline"
                raise InputError("augment.copies", None, allowed)
            if self.mixed:
                raise InputError("augment.mixing", "mixed", "halves for online augmentation, or a number of copies")
            return
        began = time.perf_counter()
        self.pool = Pool.make(self, corpus, self.config.copies, progress)
        self.seconds = time.perf_counter() - began + getattr(self.augmenter, "kept_seconds", 0.0)

    def draw(self, step: int, index_B: NDArray[np.int64], original: Batch) -> Augmented:
        """The augmented texts of step `step`."""
        if self.pool is not None:
            return self.pool.take(*self.entries(step, index_B))
        return self.make(original, step_generator(self.data_seed, step, Draws.AUGMENTATION))

    def entries(self, step: int, index_B: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which offline copies of these texts step `step` takes, and the rows of the batch they belong to."""
        assert self.pool is not None, "copies are made before the first step"
        return self.pool.entries(index_B, step_generator(self.data_seed, step, Draws.CHOICE))

    def make(self, original: Batch, rng: np.random.Generator, copy: int = 0) -> Augmented:
        """What the augmenter makes of a batch, with its texts where another tokenizer needs them."""
        made = self.augmenter(original, self.config.degree, rng, copy=copy)
        if self.tokenizer is None or made.batch.text_a is not None:
            return made
        texts = [text.texts for text in write_texts(made, original, self.tokenizer, self.max_length)]
        text_a, *text_b = zip(*texts, strict=True) if texts else [()]
        return replace(made, batch=replace(made.batch, text_a=text_a, text_b=text_b[0] if text_b else None))


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Offline copies: P augmented texts, of which each original text owns some.

    owner_P: the original of each text. entry_P: numbers of augmented texts, grouped by original; first_N, count_N: each
    original's group.
    eligible_P, changed_P: token counts. label_P, logits_PC: gold labels and teacher's logits brought along, or None.
    answered_PC: the teacher's logits from the store of answers, NaN where no step needs them; None: not asked for.
    """

    corpus: Corpus
    owner_P: NDArray[np.int64]
    entry_P: NDArray[np.int64]
    first_N: NDArray[np.int64]
    count_N: NDArray[np.int64]
    eligible_P: NDArray[np.int64]
    changed_P: NDArray[np.int64]
    label_P: NDArray[np.int64] | None
    logits_PC: NDArray[np.float32] | None
    answered_PC: NDArray[np.float32] | None = None

    @classmethod
    def make(
        cls,
        augmentation: Augmentation,
        corpus: Corpus,
        copies: int,
        progress: Progress | None = None,
    ) -> Pool:
        """`copies` augmented texts of every text, made once; a text without an original is dealt to one in turn."""
        parts: list[Augmented] = []
        rows: list[NDArray[np.int64]] = []
        size = len(corpus) if augmentation.augmenter.at_once else POOL_CHUNK
        starts = range(0, len(corpus), size)
        for copy in range(copies):
            for chunk, start in enumerate(starts):
                index = np.arange(start, min(start + size, len(corpus)))
                rng = step_generator(augmentation.data_seed, copy * len(starts) + chunk, Draws.COPIES)
                part = augmentation.make(corpus.batch(index), rng, copy)
                row_A = np.arange(len(part.batch)) if part.row_B is None else part.row_B
                rows.append(start + np.where(row_A >= 0, row_A, np.arange(len(row_A)) % len(index)))
                parts.append(part)
                if progress:
                    progress("augment offline", copy * len(starts) + chunk + 1, copies * len(starts))
        row_P = np.concatenate(rows)
        count_N = np.bincount(row_P, minlength=len(corpus))
        return cls(
            corpus=join_batches([part.batch for part in parts], corpus.pad_id),
            owner_P=row_P,
            entry_P=np.argsort(row_P, kind="stable"),
            first_N=np.cumsum(count_N) - count_N,
            count_N=count_N,
            eligible_P=np.concatenate([part.eligible_B for part in parts]),
            changed_P=np.concatenate([part.changed_B for part in parts]),
            label_P=_stacked([part.label_B for part in parts]),
            logits_PC=_stacked([part.logits_BC for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.corpus)

    def entries(
        self, index_B: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """One of the copies of each of these texts, each as likely, by number, and the rows of texts that have any."""
        row_A = np.flatnonzero(self.count_N[index_B] > 0)
        owner_A = index_B[row_A]
        place_A = self.first_N[owner_A] + rng.integers(0, np.maximum(1, self.count_N[owner_A]))
        return self.entry_P[place_A], row_A

    def take(self, entry_A: NDArray[np.int64], row_A: NDArray[np.int64] | None = None) -> Augmented:
        """The augmented texts of these numbers. row_A: the rows of the original batch they belong to, if any."""
        batch = self.corpus.batch(entry_A)
        logits_PC = self.answered_PC if self.logits_PC is None else self.logits_PC
        return Augmented(
            batch=batch,
            eligible_B=self.eligible_P[entry_A],
            changed_B=self.changed_P[entry_A],
            changed_BL=np.zeros_like(batch.mask_BL),
            row_B=row_A,
            label_B=None if self.label_P is None else self.label_P[entry_A],
            logits_BC=None if logits_PC is None else logits_PC[entry_A],
        )


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


def _stacked(parts: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    """Arrays one below the other, or None where any is missing."""
    here = [part for part in parts if part is not None]
    return np.concatenate(here) if len(here) == len(parts) else None


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
