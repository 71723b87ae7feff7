"""Augmenters that bring whole texts, offline only: back-translation, and held-out originals (ground truth).

Both report the degree they realised in the same way: a token of the original counts as changed when it is not found
again, in order, in the new text. The nominal degree means nothing to them.
Shape suffixes: B texts, L tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment.translation import Store, Translator
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.codec import decode_batch, encode_batch


@dataclass(frozen=True)
class BackTranslation:
    """The paper's synthesised data (section 3): English to a pivot language and back; labels are kept.

    Copy c goes through the pivot number c, counted round, so that every language gives as many texts as there are
    originals. A translation that comes back empty leaves its text as it was.

    tokenizer: of the batches.  max_length: tokens a translated text (or pair) is cut to.
    """

    translator: Translator
    store: Store
    tokenizer: Any
    max_length: int
    name: str = "back-translation"
    online: bool = False
    at_once: bool = False

    @property
    def kept_seconds(self) -> float:
        """What the translations that came from the store took when they were made."""
        return self.store.kept_seconds

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Translate every text; the batch's own texts where it has them, else what its tokens decode to."""
        pivot = self.translator.pivots[copy % len(self.translator.pivots)]
        seed = int(rng.integers(0, 2**31))
        columns = texts_of(self.tokenizer, batch)
        flat = [text for column in columns for text in column]
        new = self.store.round_trip(self.translator, [text for text in flat if text.strip()], pivot, seed)
        answers = iter(new)
        kept = [next(answers) if text.strip() else text for text in flat]
        kept = [text if text.strip() else original for text, original in zip(kept, flat, strict=True)]
        first, second = kept[: len(batch)], kept[len(batch) :] or None
        return compared(batch, encode_batch(self.tokenizer, first, second, self.max_length))


@dataclass(frozen=True)
class GroundTruth:
    """Held-out originals with their gold labels: the paper's upper bound for what a language model could write.

    The texts have nothing to do with those of the batch (`row_B` is -1). A call draws without replacement while the
    held-out texts last, so one call on all of the data is the paper's 1x; further copies are drawn anew.

    held_out: encoded by the same tokenizer as the batches.  labels: int array, one a held-out text, or None.
    """

    held_out: Batch
    labels: NDArray[np.integer] | None = None
    name: str = "ground-truth"
    online: bool = False
    at_once: bool = True

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """As many held-out texts as the batch has, in random order."""
        rounds = -(-len(batch) // len(self.held_out))
        order = np.concatenate([rng.permutation(len(self.held_out)) for _ in range(rounds)] or [np.zeros(0, int)])
        chosen_B = order[: len(batch)].astype(np.int64)
        return replace(
            compared(batch, self.held_out.rows(chosen_B)),
            row_B=np.full(len(batch), -1, dtype=np.int64),
            label_B=None if self.labels is None else np.asarray(self.labels, dtype=np.int64)[chosen_B],
        )


def texts_of(tokenizer: Any, batch: Batch) -> list[list[str]]:
    """The first texts of a batch and, of pairs, the second ones: as they came along, else decoded from their ids."""
    if batch.text_a is not None:
        return [list(batch.text_a), *([] if batch.text_b is None else [list(batch.text_b)])]
    return [column for column in decode_batch(tokenizer, batch) if column is not None]


def compared(old: Batch, new: Batch) -> Augmented:
    """New texts beside the old ones of the same rows: changed is what is not found again, in order."""
    changed_B, changed_BL = np.zeros(len(old), dtype=np.int64), new.eligible_BL.copy()
    for row in range(len(old)):
        for segment in (0, 1):
            old_at = np.flatnonzero(old.eligible_BL[row] & (old.segment_BL[row] == segment))
            new_at = np.flatnonzero(new.eligible_BL[row] & (new.segment_BL[row] == segment))
            old_ids, new_ids = old.ids_BL[row, old_at].tolist(), new.ids_BL[row, new_at].tolist()
            changed_B[row] += len(old_ids)
            for block in SequenceMatcher(None, old_ids, new_ids, autojunk=False).get_matching_blocks():
                changed_B[row] -= block.size
                changed_BL[row, new_at[block.b : block.b + block.size]] = False
    return Augmented(batch=new, eligible_B=old.eligible_BL.sum(axis=1), changed_B=changed_B, changed_BL=changed_BL)
