"""TreeMix: constituents of another text of the batch in place of one's own (Zhang et al., NAACL 2022).

Command: `kdshift empirical augment --augmenter treemix --degree 0.3 < lines.txt`.

In distillation the teacher labels the mixed text. Hard labels on augmented texts (beta above 0) stay those of the text
that lends its frame; the paper weights both labels by length.
Shape suffixes: B texts, L tokens, N real tokens of the batch in row-major order, M tokens after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from empirical.augment.augpro import draw_partners
from empirical.augment.changed_tokens import exact_counts
from empirical.augment.constituents import Constituents
from empirical.augment.whole_texts import texts_of
from empirical.augment.words import NewTokens, rebuild
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.codec import Codec


@dataclass(frozen=True, order=True)
class _Phrase:
    """A constituent as columns `first` to before `stop` of its row, in one text of a pair, with its token ids.

    whole: whether it is all of its text; such a one may be lent, but is never replaced.
    """

    first: int
    stop: int
    segment: int = field(compare=False)
    ids: tuple[int, ...] = field(compare=False)
    whole: bool = field(compare=False)

    def __len__(self) -> int:
        return self.stop - self.first


@dataclass(frozen=True)
class TreeMix:
    """Disjoint constituents, as many tokens together as the degree asks for, become constituents of another text.

    They are drawn from the longest that still fit, and each is replaced by the partner's constituent that comes
    nearest to it in length. So the changed share is the degree wherever the parse allows it, and never above it; the
    length of a text may change.

    constituents: of texts. tokenizer: of the batches. max_length: tokens that a text which grew is cut to.
    """

    constituents: Constituents
    tokenizer: Any
    max_length: int | None = None
    name: str = "treemix"
    online: bool = True
    at_once: bool = False

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Replace constituents up to the nominal share of the eligible tokens; counts are the original's tokens."""
        phrases = self._phrases(batch)
        partner_B = draw_partners(len(batch), rng).tolist()
        eligible_B = batch.eligible_BL.sum(axis=1)
        count_B = exact_counts(eligible_B, degree, rng)
        draw_BL = rng.random((len(batch), max(1, batch.ids_BL.shape[1]), 2)).tolist()
        chosen = [
            _exchanges(phrases[row], phrases[partner], count, draws)
            for row, (partner, count, draws) in enumerate(zip(partner_B, count_B.tolist(), draw_BL, strict=True))
        ]
        return rebuild(
            batch,
            _tokens(batch, chosen),
            Codec.of(self.tokenizer).vocabulary,
            eligible_B=eligible_B,
            changed_B=np.array([sum(len(old) for old, _ in row) for row in chosen], dtype=np.int64),
            max_length=self.max_length,
        )

    def _phrases(self, batch: Batch) -> list[list[_Phrase]]:
        """The constituents of each row; none where a row's tokens are not those of its text."""
        codec, columns = Codec.of(self.tokenizer), texts_of(self.tokenizer, batch)
        spans = [self.constituents(column) for column in columns]
        second = columns[1] if len(columns) > 1 else None
        encodings = codec.encodings(columns[0], second, batch.ids_BL.shape[1], offsets=True)
        found: list[list[_Phrase]] = []
        for row, encoding in enumerate(encodings):
            ids = batch.ids_BL[row, batch.mask_BL[row]].tolist()
            same = encoding.ids == ids
            parts = range(len(spans)) if same else ()
            found.append([phrase for part in parts for phrase in _located(spans[part][row], encoding, part, ids)])
        return found


def _located(spans: Sequence[tuple[int, int]], encoding: Any, segment: int, ids: list[int]) -> list[_Phrase]:
    """The spans that are whole tokens of one text, each run of tokens once."""
    places = [place for place, sequence in enumerate(encoding.sequence_ids) if sequence == segment]
    starts = {encoding.offsets[place][0]: place for place in reversed(places)}
    stops = {encoding.offsets[place][1]: place + 1 for place in places}
    runs = {(starts[start], stops[stop]) for start, stop in spans if start in starts and stop in stops}
    return [
        _Phrase(first, stop, segment, tuple(ids[first:stop]), stop - first == len(places))
        for first, stop in sorted(runs)
        if first < stop
    ]


def _exchanges(
    own: list[_Phrase], partner: list[_Phrase], count: int, draws: list[list[float]]
) -> list[tuple[_Phrase, _Phrase]]:
    """Disjoint phrases of one text, at most `count` tokens together, each with the partner's that replaces it."""
    chosen: list[tuple[_Phrase, _Phrase]] = []
    lent = {other.segment for other in partner}
    left = [phrase for phrase in own if not phrase.whole and phrase.segment in lent]
    for first_draw, second_draw in draws:
        left = [phrase for phrase in left if len(phrase) <= count]
        if not left:
            break
        longest = max(map(len, left))
        fitting = [phrase for phrase in left if 2 * len(phrase) >= longest]
        old = fitting[int(first_draw * len(fitting))]
        left = [phrase for phrase in left if phrase.stop <= old.first or phrase.first >= old.stop]
        others = [other for other in partner if other.segment == old.segment and other.ids != old.ids]
        if not others:
            continue
        nearest = min(abs(len(other) - len(old)) for other in others)
        others = [other for other in others if abs(len(other) - len(old)) == nearest]
        chosen.append((old, others[int(second_draw * len(others))]))
        count -= len(old)
    return sorted(chosen)


def _tokens(batch: Batch, chosen: Sequence[Sequence[tuple[_Phrase, _Phrase]]]) -> NewTokens:
    """All tokens of the batch with the chosen phrases exchanged, in row-major order."""
    flat = batch.ids_BL[batch.mask_BL].tolist()
    begin_B = np.cumsum(batch.mask_BL.sum(axis=1)) - batch.mask_BL.sum(axis=1)
    ids: list[int] = []
    anchor: list[int] = []
    origin: list[int] = []
    position = 0
    for begin, exchanges in zip(begin_B.tolist(), chosen, strict=True):
        for old, new in exchanges:
            start = begin + old.first
            kept = range(position, start)
            ids += [*flat[position:start], *new.ids]
            anchor += [*kept, *([start] * len(new))]
            origin += [*kept, *([-1] * len(new))]
            position = begin + old.stop
    kept = range(position, len(flat))
    origin_M = np.array([*origin, *kept], dtype=np.int64)
    return NewTokens(
        ids_M=np.array([*ids, *flat[position:]], dtype=np.int32),
        anchor_M=np.array([*anchor, *kept], dtype=np.int64),
        from_M=origin_M,
        changed_M=origin_M < 0,
    )
