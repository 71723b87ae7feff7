"""Contextual augmentation: tokens replaced or inserted as a masked language model expects them (Kobayashi 2018).

Command: `kdshift empirical augment --augmenter contextual --language-model google-bert/bert-base-uncased < lines.txt`.
One forward pass fills many places of many texts, where its known rivals ask for each place of each text anew.
Shape suffixes: B texts, L tokens, N places, W words, M tokens after.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from empirical.augment.changed_tokens import select_tokens
from empirical.augment.masked_model import MaskedModel
from empirical.augment.replacement import with_tokens
from empirical.augment.words import NewTokens, Words, rebuild
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.vocabulary import Vocabulary

MASKED_AT_ONCE = 0.3  # share of the eligible tokens: with more of them masked little context is left to go by


@dataclass(frozen=True)
class Contextual:
    """A selected token becomes one of the `neighbours` likeliest others there, in proportion to their probability.

    The selected tokens are filled in ceil(degree / 0.3) passes, each of which sees what the passes before it wrote.
    """

    model: MaskedModel
    neighbours: int
    name: str = "contextual"
    online: bool = True
    at_once: bool = False

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Replace exactly the nominal share of the eligible tokens; every eligible token counts, and differs after."""
        selected_BL = select_tokens(batch.eligible_BL, degree, rng)
        passes = max(1, math.ceil(degree / MASKED_AT_ONCE - 1e-9))
        turn_BL = np.where(selected_BL, rng.integers(0, passes, selected_BL.shape), -1)
        ids_BL = batch.ids_BL.copy()
        for turn in range(passes):
            place_BL = turn_BL == turn
            current = replace(batch, ids_BL=ids_BL)
            ids_BL[place_BL] = self.model.propose(current, place_BL, batch.ids_BL[place_BL], self.neighbours, rng)
        return with_tokens(batch, selected_BL, ids_BL[selected_BL])


@dataclass(frozen=True)
class ContextualInsertion:
    """A token that begins a word is put behind a selected word, as likely as the model expects it there.

    The degree counts words: a degree of 0.3 makes the text longer by a token for three words in ten. A text that
    would outgrow `max_length` loses its last tokens.
    """

    model: MaskedModel
    vocabulary: Vocabulary
    neighbours: int
    max_length: int | None = None
    name: str = "contextual-insert"
    online: bool = True
    at_once: bool = False

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Insert exactly as many tokens as the nominal share of the words; counts are words."""
        words = Words.of(batch, self.vocabulary)
        begins_BL = np.zeros(batch.ids_BL.shape, dtype=bool)
        begins_BL[words.row_W, words.column_W] = True
        selected_BL = select_tokens(begins_BL, degree, rng)
        last_S = words.stop_W[selected_BL[words.row_W, words.column_W]] - 1
        flat_N = batch.ids_BL[batch.mask_BL]
        repeat_N = np.ones(len(flat_N), dtype=np.int64)
        repeat_N[last_S] = 2
        anchor_M = np.repeat(np.arange(len(flat_N)), repeat_N)
        new_M = np.zeros(len(anchor_M), dtype=bool)
        new_M[1:] = anchor_M[1:] == anchor_M[:-1]
        tokens = NewTokens(
            ids_M=flat_N[anchor_M], anchor_M=anchor_M, from_M=np.where(new_M, -1, anchor_M), changed_M=new_M
        )
        counts = {"eligible_B": begins_BL.sum(axis=1), "changed_B": selected_BL.sum(axis=1)}
        grown = rebuild(batch, tokens, self.vocabulary, max_length=self.max_length, **counts)
        ids_BL = grown.batch.ids_BL.copy()
        allowed_V = self.vocabulary.ordinary_V & self.vocabulary.starts_V & self.vocabulary.begins_alnum_V
        ids_BL[grown.changed_BL] = self.model.propose(
            grown.batch, grown.changed_BL, None, self.neighbours, rng, allowed_V
        )
        return replace(grown, batch=replace(grown.batch, ids_BL=ids_BL))
