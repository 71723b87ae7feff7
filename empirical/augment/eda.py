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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from empirical.augment.changed_tokens import exact_counts
from empirical.augment.synonym import Lexicon, Pieces
from empirical.augment.words import NewTokens, Words, rebuild
from empirical.tokens.batch import Augmented, Batch

T = TypeVar("T")


@dataclass
class _Edits:
    """What happens to the words of one row, by word number; a word takes part in one operation at most."""

    replaced: dict[int, Pieces] = field(default_factory=dict)
    swapped: dict[int, int] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    inserted: dict[int, list[Pieces]] = field(default_factory=dict)

    def untouched(self, words: Iterable[int]) -> list[int]:
        return [w for w in words if w not in self.replaced and w not in self.swapped and w not in self.deleted]

    @property
    def count(self) -> int:
        """Changed words, before insertions."""
        return len(self.replaced) + len(self.swapped) + len(self.deleted)


@dataclass(frozen=True, kw_only=True)
class _Chance:
    """What is drawn for one row of W words: all numbers uniform in [0, 1), the w-th of each W for the w-th change.

    order: the row's words in random order; every operation takes the first that it can use.
    split_4: how the changes are shared out (`_shares`).
    option_W: which of the candidates is put in.  anchor_W: behind which word.  donor_W: whose synonyms they are.
    """

    order: list[int]
    split_4: NDArray[np.float64]
    option_W: NDArray[np.float64]
    anchor_W: NDArray[np.float64]
    donor_W: NDArray[np.float64]


@dataclass(frozen=True)
class EasyDataAugmentation:
    """The four operations of EDA on whole words; both texts of a pair are eligible, and no word leaves its text.

    max_length: tokens that a text which grew is cut to; None: what the tokenizer's model takes.
    """

    lexicon: Lexicon
    max_length: int | None = None
    name: str = "eda"
    online: bool = True
    at_once: bool = False

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Change exactly the nominal share of the words; counts are words."""
        vocabulary = self.lexicon.codec.vocabulary
        words = Words.of(batch, vocabulary)
        rows = words.rows(len(batch))
        eligible_B = np.array([len(row) for row in rows], dtype=np.int64)
        count_B = exact_counts(eligible_B, degree, rng)
        tokens = _Writer(batch.ids_BL[batch.mask_BL].tolist())
        for row, count, chance in zip(rows, count_B.tolist(), _chances(words, rows, rng), strict=True):
            tokens.write(words, row, self._edits(words, count, chance) if count else _Edits())
        return rebuild(
            batch,
            tokens.finished(),
            vocabulary,
            eligible_B=eligible_B,
            changed_B=count_B,
            max_length=self.max_length,
        )

    def _edits(self, words: Words, count: int, chance: _Chance) -> _Edits:
        """`count` changed words of one row, insertions making up for what the other operations could not do."""
        edits = _Edits()
        replacements, deletions, pairs = _shares(count, chance.split_4)
        options = {word: self.lexicon(words.pieces[word]) for word in chance.order}
        _replace(edits, options, chance, replacements)
        _swap(edits, words, chance.order, pairs)
        _delete(edits, words, chance.order, deletions)
        _insert(edits, words, options, chance, count - edits.count)
        return edits


def _chances(words: Words, rows: Sequence[range], rng: np.random.Generator) -> Iterator[_Chance]:
    """What is drawn for each row, all of it at once."""
    split_B4, draw_W3 = rng.random((len(rows), 4)), rng.random((len(words), 3))
    order_W = np.lexsort((rng.random(len(words)), words.row_W)).tolist()
    for row, split_4 in zip(rows, split_B4, strict=True):
        own = slice(row.start, row.stop)
        option_W, anchor_W, donor_W = draw_W3[own].T
        yield _Chance(order=order_W[own], split_4=split_4, option_W=option_W, anchor_W=anchor_W, donor_W=donor_W)


def _pick(candidates: Sequence[T], uniform: float) -> T:
    """One of the candidates, each as likely."""
    return candidates[int(uniform * len(candidates))]


def _shares(count: int, split_4: NDArray[np.float64]) -> tuple[int, int, int]:
    """Replacements, deletions and swapped pairs of `count` changes: a quarter each on average, the rest insertions."""
    pairs = min(int(count / 8 + split_4[0]), count // 2)
    share, left = divmod(count - 2 * pairs, 3)
    extra = split_4[1:].argsort()[:left]
    return share + (0 in extra), share + (1 in extra), pairs


def _replace(edits: _Edits, options: Mapping[int, Sequence[Pieces]], chance: _Chance, replacements: int) -> None:
    replaceable = (word for word in chance.order if options[word])
    for word, option in zip(replaceable, chance.option_W[:replacements].tolist(), strict=False):
        edits.replaced[word] = _pick(options[word], option)


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


def _insert(
    edits: _Edits, words: Words, options: Mapping[int, Sequence[Pieces]], chance: _Chance, insertions: int
) -> None:
    """Behind words that stay: synonyms of the row's words, or where it has none, its words again."""
    kept = [word for word in chance.order if word not in edits.deleted]
    donors = [word for word in chance.order if options[word]]
    again = [words.pieces[word] for word in kept]
    for number in range(insertions):
        candidates = options[_pick(donors, chance.donor_W[number])] if donors else again
        anchor = _pick(kept, chance.anchor_W[number])
        edits.inserted.setdefault(anchor, []).append(_pick(candidates, chance.option_W[number]))


@dataclass
class _Writer:
    """Writes the new batch's tokens from left to right over the original's, `flat` (row-major)."""

    flat: list[int]
    position: int = 0
    ids: list[int] = field(default_factory=list)
    anchor: list[int] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    changed: list[bool] = field(default_factory=list)

    def copy(self, stop: int) -> None:
        """The original tokens up to `stop`."""
        places = range(self.position, stop)
        self.ids += self.flat[self.position : stop]
        self.anchor += places
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
        self.ids += ids
        self.anchor += [anchor] * len(ids)
        self.origin += origin
        self.changed += [True] * len(ids)

    def finished(self) -> NewTokens:
        """All tokens, after the rest of the originals."""
        self.copy(len(self.flat))
        return NewTokens(
            ids_M=np.array(self.ids, dtype=np.int32),
            anchor_M=np.array(self.anchor, dtype=np.int64),
            from_M=np.array(self.origin, dtype=np.int64),
            changed_M=np.array(self.changed, dtype=bool),
        )
