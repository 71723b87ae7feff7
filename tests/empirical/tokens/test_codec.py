"""Between text and ids: as the tokenizer itself does it, and back."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.tokens.codec import Codec, decode_batch, encode_batch, tokenizer_key
from tests.empirical.three_tokenizers import TEXT_A, TEXT_B, TOKENIZERS, tokenizer_of
from tests.empirical.tiny_kd import WORDS
from tests.empirical.tiny_kd import tokenizer as word_tokenizer


@pytest.fixture(scope="module", params=TOKENIZERS)
def tokenizer(request):
    return tokenizer_of(request.param)


@pytest.mark.parametrize("pair", [False, True])
def test_encoding_is_the_tokenizers_own(tokenizer, pair):
    text_b = TEXT_B if pair else None
    for limit in (128, 9):
        batch = encode_batch(tokenizer, TEXT_A, text_b, limit)
        own = tokenizer(
            TEXT_A, text_b, truncation=True, max_length=limit, padding=True, return_special_tokens_mask=True
        )
        assert np.array_equal(batch.ids_BL, own["input_ids"])
        assert np.array_equal(batch.mask_BL, np.array(own["attention_mask"], dtype=bool))
        assert not (batch.eligible_BL & np.array(own["special_tokens_mask"], dtype=bool)).any()
        # Literal special tokens and unknown characters in a text are not eligible either.
        assert not np.isin(batch.ids_BL[batch.eligible_BL], tokenizer.all_special_ids).any()
        sequences = [own.sequence_ids(row) for row in range(len(TEXT_A))]
        known = np.array([[-1 if s is None else s for s in row] for row in sequences])
        assert np.array_equal(batch.segment_BL[known >= 0], known[known >= 0])
        if pair and "token_type_ids" in own and np.any(own["token_type_ids"]):
            assert np.array_equal(batch.segment_BL, own["token_type_ids"])


def test_decoding_gives_texts_that_encode_alike(tokenizer):
    text_a = ["how do you know", "this is information", "yes"]
    single = encode_batch(tokenizer, text_a, None, 64)
    assert decode_batch(tokenizer, single) == (text_a, None)
    pairs = encode_batch(tokenizer, text_a, ["good dogs", "them", "two words"], 64)
    assert decode_batch(tokenizer, pairs) == (text_a, ["good dogs", "them", "two words"])


def test_a_text_stands_in_the_frame(tokenizer):
    codec = Codec.of(tokenizer)
    before, after = codec.frame()
    for text in ("how do you know", "yes"):
        assert before + codec.pieces(text) + after == tuple(tokenizer(text)["input_ids"])


def test_tokenizers_are_told_apart_by_what_they_do():
    key = tokenizer_key(word_tokenizer())
    used = word_tokenizer()
    used("good1 word1", truncation=True, max_length=3, padding="max_length")
    assert tokenizer_key(used) == key
    assert tokenizer_key(word_tokenizer([*reversed(WORDS)])) != key
