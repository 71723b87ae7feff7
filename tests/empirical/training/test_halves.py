"""Halves of a step and the parts of them that processes and micro-batches take."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from empirical.tokens.codec import encode_batch
from empirical.training.halves import deal, joined
from tests.empirical.tiny_kd import (
    tokenizer,
)

TEXTS = ["good1 word2", "bad1", "fair2 word9 word8 word7", "word1 word2 word3"]


def test_joined_batches_are_padded_with_the_tokenizers_padding():
    words = tokenizer(pad_first=False)
    parts = [encode_batch(words, [text], None, 9) for text in TEXTS]
    whole = encode_batch(words, TEXTS, None, 9)
    np.testing.assert_array_equal(joined(parts, words.pad_token_id).ids_BL, whole.ids_BL)
    np.testing.assert_array_equal(joined(parts, words.pad_token_id).mask_BL, whole.mask_BL)


@given(length=st.integers(0, 40), parts=st.integers(1, 6), world=st.integers(1, 4))
def test_every_text_is_dealt_exactly_once(length, parts, world):
    dealt = [
        deal(length, part=part, parts=parts, rank=rank, world=world) for rank in range(world) for part in range(parts)
    ]
    np.testing.assert_array_equal(np.sort(np.concatenate(dealt)), np.arange(length))
    sizes = [sum(len(row) for row in dealt[rank * parts : (rank + 1) * parts]) for rank in range(world)]
    assert max(sizes) - min(sizes) <= 1, "processes share evenly"
