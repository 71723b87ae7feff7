"""Words as the unit of synonym replacement and EDA: whole, once, within their text, counted as documented."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer

from empirical.augment.synonym import Lexicon
from empirical.augment.words import Words
from empirical.models.minilm import minilm_path
from empirical.tokens.codec import Codec, encode_batch

SYNONYMS = {"big": ("large",), "dog": ("canis familiaris", "hound"), "unbelievably": ("implausibly",)}


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


@pytest.fixture(scope="module")
def lexicon(tokenizer):
    return Lexicon(Codec.of(tokenizer), lambda word: SYNONYMS.get(word.lower(), ()))


def words_of(tokenizer, *texts, text_b=None):
    batch = encode_batch(tokenizer, texts, text_b, 64)
    words = Words.of(batch, Codec.of(tokenizer).vocabulary)
    return ["".join(Codec.of(tokenizer).vocabulary.surfaces[p] for p in pieces) for pieces in words.pieces], words


def test_words_are_whole(tokenizer):
    spelled, words = words_of(tokenizer, "I don't like unbelievably big-ish dogs.", "", "it's 'fine'")
    assert spelled == [
        *("i", "don't", "like", "unbelievably", "big", "-", "ish", "dogs", "."),
        *("it's", "'", "fine", "'"),
    ]
    assert [list(row) for row in words.rows(3)] == [list(range(9)), [], list(range(9, 13))]
    spelled, words = words_of(tokenizer, "a b", text_b=["c d"])
    assert spelled == ["a", "b", "c", "d"]
    assert words.segment_W.tolist() == [0, 0, 1, 1]
