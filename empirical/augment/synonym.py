"""Synonym replacement [12]: whole words, of one token or several, become WordNet synonyms.

Shape suffixes: B texts, L tokens, N real tokens in row-major order, W words, S selected words, M tokens after.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from empirical.augment.changed_tokens import select_tokens
from empirical.augment.words import NewTokens, Words, rebuild
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.codec import Codec

Pieces = tuple[int, ...]


@dataclass(frozen=True)
class Lexicon:
    """A thesaurus over words as token ids: each word is looked up once, and its synonyms are kept as token ids.

    codec: the tokenizer's.  thesaurus: function from a word to its synonyms, sorted (`wordnet.Thesaurus`).
    """

    codec: Codec
    thesaurus: Callable[[str], tuple[str, ...]]
    known: dict[Pieces, tuple[Pieces, ...]] = field(default_factory=dict)

    def __call__(self, pieces: Pieces) -> tuple[Pieces, ...]:
        """The synonyms of a word, each as token ids and none equal to it; an empty tuple where there is none."""
        if (found := self.known.get(pieces)) is None:
            found = self.known[pieces] = self._look_up(pieces)
        return found

    def _look_up(self, pieces: Pieces) -> tuple[Pieces, ...]:
        vocabulary = self.codec.vocabulary
        word = "".join(vocabulary.surfaces[piece] for piece in pieces)
        space = " " if vocabulary.starts_V[pieces[0]] else ""
        spelled = (self.codec.pieces(space + _same_case(word, synonym)) for synonym in self.thesaurus(word))
        distinct = dict.fromkeys(ids for ids in spelled if ids and not vocabulary.special_V[list(ids)].any())
        return tuple(ids for ids in distinct if ids != pieces)


def _same_case(word: str, synonym: str) -> str:
    if len(word) > 1 and word.isupper():
        return synonym.upper()
    return synonym[:1].upper() + synonym[1:] if word[:1].isupper() else synonym


@dataclass(frozen=True)
class SynonymReplacement:
    """A selected word becomes one of its synonyms, each as likely; only that occurrence of the word changes.

    The degree counts words, because a word of several pieces changes whole or not at all. Eligible are the words
    that have a synonym: no stop words, no numbers, no names that WordNet lacks. At degree 1 all of those change.

    max_length: tokens that a text which grew is cut to; None: what the tokenizer's model takes.
    """

    lexicon: Lexicon
    max_length: int | None = None
    name: str = "synonym"
    online: bool = True
    at_once: bool = False

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Replace exactly the nominal share of the words that have synonyms; counts are words."""
        words = Words.of(batch, self.lexicon.codec.vocabulary)
        options = [self.lexicon(pieces) for pieces in words.pieces]
        eligible_BL = np.zeros(batch.ids_BL.shape, dtype=bool)
        eligible_BL[words.row_W, words.column_W] = [bool(option) for option in options]
        selected_BL = select_tokens(eligible_BL, degree, rng)
        selected_S = np.flatnonzero(selected_BL[words.row_W, words.column_W])
        draws = rng.random(len(selected_S)).tolist()
        chosen = [
            options[word][int(draw * len(options[word]))] for word, draw in zip(selected_S.tolist(), draws, strict=True)
        ]
        flat_N = batch.ids_BL[batch.mask_BL]
        repeat_N = np.ones(len(flat_N), dtype=np.int64)
        for start, stop, ids in zip(words.start_W[selected_S], words.stop_W[selected_S], chosen, strict=True):
            repeat_N[start:stop] = 0
            repeat_N[start] = len(ids)
        anchor_M = np.repeat(np.arange(len(flat_N)), repeat_N)
        new_M = np.isin(anchor_M, words.start_W[selected_S])
        ids_M = flat_N[anchor_M]
        ids_M[new_M] = [piece for ids in chosen for piece in ids]
        from_M = anchor_M.copy()
        # A synonym stands at its word's first piece; its further pieces stand for nothing.
        from_M[1:][(anchor_M[1:] == anchor_M[:-1]) & new_M[1:]] = -1
        return rebuild(
            batch,
            NewTokens(ids_M=ids_M, anchor_M=anchor_M, from_M=from_M, changed_M=new_M),
            self.lexicon.codec.vocabulary,
            eligible_B=eligible_BL.sum(axis=1),
            changed_B=selected_BL.sum(axis=1),
            max_length=self.max_length,
        )
