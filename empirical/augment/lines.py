"""Text in, text out: augmented token ids put back into the text they came from.

What did not change is copied from the original character by character: case, spaces and characters that the tokenizer
does not know stay as they were, whatever the tokenizer makes of them inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from empirical.augment.protocol import Augmenter
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.codec import Codec, batch_of
from empirical.tokens.vocabulary import Vocabulary

Part = tuple[str, bool]


@dataclass(frozen=True)
class AugmentedText:
    """One augmented text (or pair): its parts in order, each with whether it is changed, and the counts.

    parts: for each text of the example, (characters, changed) parts whose concatenation is the augmented text.
    row: number of the original it was made from, -1 for none.
    """

    parts: tuple[tuple[Part, ...], ...]
    row: int
    eligible: int
    changed: int

    @property
    def texts(self) -> tuple[str, ...]:
        """The augmented text, or both texts of the pair."""
        return tuple("".join(characters for characters, _ in parts) for parts in self.parts)


def augment_texts(
    augmenter: Augmenter,
    tokenizer: Any,
    text_a: Sequence[str],
    text_b: Sequence[str] | None,
    degree: float,
    rng: np.random.Generator,
    *,
    max_length: int,
    copy: int = 0,
) -> list[AugmentedText]:
    """Augment texts (or pairs) through a tokenizer; what lies beyond `max_length` tokens is left as it is.

    Returns one AugmentedText a text, or fewer where a filter drops some.
    """
    codec = Codec.of(tokenizer)
    encodings = codec.encodings(text_a, text_b, max_length, offsets=True)
    batch = batch_of(codec.vocabulary, encodings, text_a, text_b)
    return _written(augmenter(batch, degree, rng, copy=copy), batch, encodings, codec, max_length)


def write_texts(augmented: Augmented, original: Batch, tokenizer: Any, max_length: int) -> list[AugmentedText]:
    """What an augmenter made of a batch that keeps its texts, as text: for readers with another tokenizer.

    tokenizer, max_length: what `original` was encoded with.
    """
    assert original.text_a is not None
    codec = Codec.of(tokenizer)
    encodings = codec.encodings(original.text_a, original.text_b, max_length, offsets=True)
    return _written(augmented, original, encodings, codec, max_length)


def _written(
    augmented: Augmented, original: Batch, encodings: Sequence[Any], codec: Codec, max_length: int
) -> list[AugmentedText]:
    row_B = np.arange(len(augmented.batch)) if augmented.row_B is None else augmented.row_B
    texts = [column for column in (original.text_a, original.text_b) if column is not None]
    if augmented.batch.text_a is not None:
        parts = _whole_texts(augmented, codec, max_length)
    else:
        rewriter = _Rewriter(augmented, original, row_B, codec.vocabulary)
        parts = [
            rewriter.row(place, [_Original.of(column[row], encodings[row], at) for at, column in enumerate(texts)])
            for place, row in enumerate(row_B.tolist())
        ]
    counts = zip(row_B.tolist(), augmented.eligible_B.tolist(), augmented.changed_B.tolist(), strict=True)
    return [AugmentedText(part, *count) for part, count in zip(parts, counts, strict=True)]


def _whole_texts(augmented: Augmented, codec: Codec, max_length: int) -> list[tuple[tuple[Part, ...], ...]]:
    """The parts of texts that an augmenter wrote itself: unchanged are the tokens it found in the original."""
    texts = [column for column in (augmented.batch.text_a, augmented.batch.text_b) if column is not None]
    encodings = codec.encodings(texts[0], texts[1] if len(texts) > 1 else None, max_length, offsets=True)
    return [
        tuple(
            tuple(_spans(texts[segment][place], encoding, segment, augmented.changed_BL[place]))
            for segment in range(len(texts))
        )
        for place, encoding in enumerate(encodings)
    ]


def _spans(text: str, encoding: Any, segment: int, changed_L: Any) -> list[Part]:
    parts, position = [], 0
    for sequence, (start, stop), changed in zip(encoding.sequence_ids, encoding.offsets, changed_L, strict=False):
        if sequence == segment and stop > position:
            parts.append((text[position : max(start, position)], False))
            parts.append((text[max(start, position) : stop], bool(changed)))
            position = stop
    return [*parts, (text[position:], False)]


@dataclass(frozen=True)
class _Original:
    """One original text and where its tokens lie in it: token `first` to before `stop` of the row."""

    text: str
    ids: Sequence[int]
    offsets: Sequence[tuple[int, int]]
    first: int
    stop: int

    @classmethod
    def of(cls, text: str, encoding: Any, segment: int) -> _Original:
        sequences = encoding.sequence_ids
        count = sequences.count(segment)
        first = sequences.index(segment) if count else 0
        return cls(text, encoding.ids, encoding.offsets, first, first + count)

    def cut(self, place: int) -> tuple[int, int]:
        """Where the gap before a token ends and its word begins; tokens may share characters or begin with spaces."""
        before = self.offsets[place - 1][1] if place > self.first else 0
        start, stop = max(self.offsets[place][0], before), self.offsets[place][1]
        return before, start + len(self.text[start:stop]) - len(self.text[start:stop].lstrip())

    @property
    def tail(self) -> str:
        return self.text[self.offsets[self.stop - 1][1] if self.stop > self.first else 0 :]


class _Run(NamedTuple):
    """Tokens of one row that are written in one piece.

    token: id of the first.  source: the original token that it stands for, -1 for none.  length: how many they are.
    verbatim: whether they lie in the original just so.  changed: whether they count as changed.
    """

    token: int
    source: int
    length: int
    verbatim: bool
    changed: bool


class _Rewriter:
    """Writes augmented rows into their originals, in runs: what is whole in the original is copied whole."""

    def __init__(self, augmented: Augmented, batch: Batch, row_B: NDArray[np.int64], vocabulary: Vocabulary) -> None:
        new, self.vocabulary = augmented.batch, vocabulary
        shape = new.ids_BL.shape
        source_BL = augmented.source_BL
        self.source_BL = np.broadcast_to(np.arange(shape[1]), shape) if source_BL is None else source_BL
        own_BL = (
            np.take_along_axis(batch.ids_BL[row_B], np.maximum(self.source_BL, 0), axis=1) if shape[1] else new.ids_BL
        )
        self.verbatim_BL = (self.source_BL >= 0) & (own_BL == new.ids_BL)
        special_BL = vocabulary.special_V[new.ids_BL]
        goes_on_BL = self.verbatim_BL[:, 1:] & self.verbatim_BL[:, :-1] & ~special_BL[:, 1:] & ~special_BL[:, :-1]
        goes_on_BL &= self.source_BL[:, 1:] == self.source_BL[:, :-1] + 1
        goes_on_BL &= augmented.changed_BL[:, 1:] == augmented.changed_BL[:, :-1]
        goes_on_BL &= new.segment_BL[:, 1:] == new.segment_BL[:, :-1]
        self.breaks_BL = new.mask_BL.copy()
        self.breaks_BL[:, 1:] &= ~goes_on_BL
        self.length_B = new.mask_BL.sum(axis=1).tolist()
        self.new, self.changed_BL = new, augmented.changed_BL

    def row(self, place: int, originals: Sequence[_Original]) -> tuple[tuple[Part, ...], ...]:
        """The parts of each text of one row."""
        begins = np.flatnonzero(self.breaks_BL[place]).tolist()
        runs: list[list[_Run]] = [[] for _ in originals]
        ids, sources = self.new.ids_BL[place].tolist(), self.source_BL[place].tolist()
        segments, verbatim = self.new.segment_BL[place].tolist(), self.verbatim_BL[place].tolist()
        changed = self.changed_BL[place].tolist()
        for begin, end in zip(begins, [*begins[1:], self.length_B[place]], strict=True):
            original, source = originals[segments[begin]], sources[begin]
            if source < 0 or original.first <= source < original.stop:
                run = _Run(ids[begin], source, end - begin, verbatim[begin], changed[begin])
                runs[segments[begin]].append(run)
        return tuple(
            tuple(_write(pieces, original, self.vocabulary)) for pieces, original in zip(runs, originals, strict=True)
        )


def _write(runs: Sequence[_Run], original: _Original, vocabulary: Vocabulary) -> Iterator[Part]:
    """The parts of one text. What stood before its first token stays only where that token still comes first."""
    last, follows = "", original.first  # the last character written; the original token that would come next
    for run in runs:
        gap, word = _spelled(run, original, vocabulary)
        moved = not run.verbatim or run.source != follows
        if moved and word[:1].isalnum():
            gap = _parted(gap, run, last, bool(vocabulary.starts_V[run.token]))
        if not last and run.source != original.first:
            gap = ""
        yield gap, False
        yield word, run.changed
        last = (gap + word)[-1:] or last
        follows = run.source + run.length if run.verbatim else -1
    yield original.tail, False


def _spelled(run: _Run, original: _Original, vocabulary: Vocabulary) -> tuple[str, str]:
    """The gap before a run and its characters: those of the original where it has them, else the token's own."""
    own = vocabulary.surfaces[run.token]
    if run.source < 0:
        return " " if vocabulary.starts_V[run.token] else "", own
    before, start = original.cut(run.source)
    gap = original.text[before:start]
    if not run.verbatim:
        return gap, own
    return gap, original.text[start : max(start, original.offsets[run.source + run.length - 1][1])]


def _parted(gap: str, run: _Run, last: str, starts: bool) -> str:
    """The gap where neighbours are no longer what they were: the token's own mark parts or joins them."""
    if starts:
        return gap or (" " if last.isalnum() else "")
    return gap if run.verbatim else ""
