"""What a teacher reads of a text has a name of its own: padding does not matter, segments and pairs do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from empirical.teachers.answering import CONTENT_BYTES, NetworkAnswers, content, text_contents, token_contents
from empirical.tokens.codec import encode_batch
from tests.empirical.tiny_kd import tokenizer


def test_token_contents_do_not_see_padding_and_do_see_order_and_segments() -> None:
    both = encode_batch(tokenizer(), ["word1 word2", "word1 word2 word3 word4"], None, 16)
    alone = encode_batch(tokenizer(), ["word1 word2"], None, 16)
    assert alone.ids_BL.shape[1] < both.ids_BL.shape[1]
    assert token_contents(both)[0] == token_contents(alone)[0] != token_contents(both)[1]
    assert token_contents(encode_batch(tokenizer(), ["word2 word1"], None, 16)) != token_contents(alone)
    segment_BL = alone.segment_BL.copy()
    segment_BL[0, -1] = 1
    assert token_contents(replace(alone, segment_BL=segment_BL)) != token_contents(alone)


def test_text_contents_tell_a_pair_from_its_texts_joined() -> None:
    single, pair = text_contents(["a b"], None), text_contents(["a"], ["b"])
    assert single != pair != text_contents(["b"], ["a"])
    assert text_contents(["a", "a"], None)[0] == text_contents(["a"], None)[0] == content(b"a")
    assert all(len(name) == CONTENT_BYTES for name in single + pair + text_contents(["\ud800"], None))


def test_a_networks_key_holds_its_weights_and_its_precision() -> None:
    class Network:
        hash, precision = "abc", "bf16"

        def numpy_logits(self, batch):
            return np.ones((len(batch), 2), dtype=np.float32)

    teacher = NetworkAnswers(Network(), "t", ("no", "yes"))  # type: ignore[arg-type]
    assert teacher.key == "abc-bf16" and teacher.labels == ("no", "yes")
    batch = encode_batch(tokenizer(), ["word1"], None, 8)
    assert teacher.answer(batch).shape == (1, 2) and teacher.contents(batch) == token_contents(batch)
