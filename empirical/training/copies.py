"""An augmenter at work in a run: afresh at every step, or offline copies, made once and drawn from (section 2).

What is made for a text depends on (data seed, step) or (data seed, copy) alone. Shapes: B original texts, A augmented
ones, N texts of the training subset, P offline copies, C classes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment import Augmenter
from empirical.augment.lines import write_texts
from empirical.config import AugmentConfig
from empirical.randomness import Draws, step_generator
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.corpus import Corpus, join_batches
from theory.errors import InputError
from theory.progress_report import Progress

POOL_CHUNK = 512  # texts augmented at a time when copies are made offline


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


def _stacked(parts: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    """Arrays one below the other, or None where any is missing."""
    here = [part for part in parts if part is not None]
    return np.concatenate(here) if len(here) == len(parts) else None
