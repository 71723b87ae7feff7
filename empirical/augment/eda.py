"""EDA [32]: synonym replacement, random insertion, random swap and random deletion of words, in equal shares.

How changed words are counted, so that their share of the text's words is the degree:
    synonym replacement  one for a replaced word;
    random insertion     one for an inserted word (a synonym of a word of the text, as in the original);
    random swap          two, because both words leave their places;
    random deletion      one for a removed word; the last word of a text is never removed.
All words are eligible. Every word is as likely to change as any other, so the share of tokens is the degree on average
too. Where an operation finds nothing to do (no synonym, nothing left to swap or remove) insertion takes its share, and
where no word of the text has a synonym, insertion repeats a word: the exact count holds on every text that has a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from empirical.augment.changed_tokens import exact_counts
from empirical.augment.synonym import Lexicon, Pieces
from empirical.augment.words import Words, rebuild
from empirical.tokens.batch import Augmented, Batch


@dataclass
class _Edits:
    """What happens to the words of one row, by word number; a word takes part in one operation at most."""

    replaced: dict[int, Pieces] = field(default_factory=dict)
    swapped: dict[int, int] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    inserted: dict[int, list[Pieces]] = field(default_factory=dict)

    def untouched(self, words: Iterable[int]) -> list[int]:
        return [w for w in words if w not in self.replaced and w not in self.swapped and w not in self.deleted]


@dataclass(frozen=True)
class EasyDataAugmentation:
    """The four operations of EDA on whole words; both texts of a pair are eligible, and no word leaves its text."""

    lexicon: Lexicon
    name: str = "eda"
    online: bool = True
    at_once: bool = False

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Change exactly the nominal share of the words; counts are words."""
        words = Words.of(batch, self.lexicon.codec.vocabulary)
        rows = words.rows(len(batch))
        eligible_B = np.array([len(row) for row in rows], dtype=np.int64)
        count_B = exact_counts(eligible_B, degree, rng)
        split_B4, draw_W3 = rng.random((len(batch), 4)), rng.random((len(words), 3)).tolist()
        order_W = np.lexsort((rng.random(len(words)), words.row_W)).tolist()
        edits = [
            self._edit(words, order_W[row.start : row.stop], count, split_4, draw_W3[row.start : row.stop])
            for row, count, split_4 in zip(rows, count_B.tolist(), split_B4, strict=True)
        ]
        tokens = _Tokens(batch.ids_BL[batch.mask_BL].tolist())
        for row, edit in zip(rows, edits, strict=True):
            tokens.write(words, row, edit)
        tokens.copy(len(tokens.flat))
        vocabulary = self.lexicon.codec.vocabulary
        return rebuild(batch, vocabulary, tokens.anchor, tokens.ids, tokens.origin, tokens.changed, eligible_B, count_B)

    def _edit(
        self, words: Words, order: list[int], count: int, split_4: NDArray[np.float64], draws: list[list[float]]
    ) -> _Edits:
        """The edits of one row: `count` words of `order` (the row's words in random order), shared out by `split_4`."""
        edits = _Edits()
        if not count:
            return edits
        replacements, deletions, pairs = _shares(count, split_4)
        options = {word: self.lexicon(words.pieces[word]) for word in order}
        for word, draw in zip((word for word in order if options[word]), draws[:replacements], strict=False):
            edits.replaced[word] = options[word][int(draw[0] * len(options[word]))]
        _swap(edits, words, order, pairs)
        _delete(edits, words, order, deletions)
        kept = [word for word in order if word not in edits.deleted]
        donors = [word for word in order if options[word]]
        for draw in draws[: count - len(edits.replaced) - len(edits.swapped) - len(edits.deleted)]:
            anchor = kept[int(draw[1] * len(kept))]
            candidates = options[donors[int(draw[2] * len(donors))]] if donors else [words.pieces[w] for w in kept]
            edits.inserted.setdefault(anchor, []).append(candidates[int(draw[0] * len(candidates))])
        return edits


def _shares(count: int, split_4: NDArray[np.float64]) -> tuple[int, int, int]:
    """Replacements, deletions and swapped pairs of `count` changes: a quarter each on average, the rest insertions."""
    pairs = min(int(count / 8 + split_4[0]), count // 2)
    share, left = divmod(count - 2 * pairs, 3)
    extra = split_4[1:].argsort()[:left]
    return share + (0 in extra), share + (1 in extra), pairs


def _swap(edits: _Edits, words: Words, order: Sequence[int], pairs: int) -> None:
    waiting: dict[int, int] = {}
    for word in edits.untouched(order):
        if len(edits.swapped) == 2 * pairs:
            return
        segment = int(words.segment_W[word])
        partner = waiting.setdefault(segment, word)
        if words.pieces[partner] != words.pieces[word]:
            edits.swapped |= {word: partner, partner: word}
            del waiting[segment]


def _delete(edits: _Edits, words: Words, order: Sequence[int], deletions: int) -> None:
    left = Counter(words.segment_W[list(order)].tolist())
    for word in edits.untouched(order):
        if len(edits.deleted) == deletions:
            return
        segment = int(words.segment_W[word])
        if left[segment] > 1:
            left[segment] -= 1
            edits.deleted.add(word)


@dataclass
class _Tokens:
    """The new batch's tokens as they are written, in row-major order (see `words.rebuild`)."""

    flat: list[int]
    position: int = 0
    anchor: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    changed: list[bool] = field(default_factory=list)

    def copy(self, stop: int) -> None:
        """The original tokens up to `stop`."""
        places = range(self.position, stop)
        self.anchor += places
        self.ids += self.flat[self.position : stop]
        self.origin += places
        self.changed += [False] * len(places)
        self.position = stop

    def write(self, words: Words, row: range, edits: _Edits) -> None:
        """One row's words, with what stands between them."""
        for word in row:
            start, stop = int(words.start_W[word]), int(words.stop_W[word])
            self.copy(start)
            if word in edits.replaced:
                ids = edits.replaced[word]
                self._put(start, ids, [start, *([-1] * (len(ids) - 1))])
            elif word in edits.swapped:
                partner = edits.swapped[word]
                self._put(start, words.pieces[partner], range(words.start_W[partner], words.stop_W[partner]))
            elif word not in edits.deleted:
                self.copy(stop)
            self.position = stop
            for ids in edits.inserted.get(word, ()):
                self._put(start, ids, [-1] * len(ids))

    def _put(self, anchor: int, ids: Sequence[int], origin: Sequence[int]) -> None:
        self.anchor += [anchor] * len(ids)
        self.ids += ids
        self.origin += origin
        self.changed += [True] * len(ids)
