"""Contents name what a teacher reads: equal texts are equal, padding and company do not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from empirical.config import ModelConfig
from empirical.models.classifier import load_classifier, load_tokenizer
from empirical.teachers.answering import CONTENT_BYTES, NetworkAnswers, text_contents, token_contents
from empirical.teachers.fine_tuned import Teacher
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd


def test_token_contents_ignore_padding_and_know_pairs() -> None:
    tokenizer = tiny_kd.tokenizer()
    alone = token_contents(encode_batch(tokenizer, ["word1"], None, 16))
    padded = token_contents(encode_batch(tokenizer, ["word1", "word1 word2 word3", "word1"], None, 16))
    assert alone[0] == padded[0] == padded[2] != padded[1] and len(alone[0]) == CONTENT_BYTES
    pairs = token_contents(encode_batch(tokenizer, ["word1", "word1 word2"], ["word2 word3", "word3"], 16))
    assert len({*pairs, *alone}) == 3


def test_text_contents_know_where_a_pair_is_parted() -> None:
    assert text_contents(["ab"], None) == text_contents(["ab"], None) != text_contents(["Ab"], None)
    assert text_contents(["a"], ["bc"]) != text_contents(["ab"], ["c"])
    assert len(text_contents(["\ud800"], None)[0]) == CONTENT_BYTES, "half a surrogate is a text, too"


def test_a_networks_key_is_its_weights_and_its_answers_its_logits(tmp_path: Path) -> None:
    def network(folder: Path, seed: int) -> NetworkAnswers:
        source = str(tiny_kd.bert(folder, layers=1, seed=seed))
        tokenizer = load_tokenizer(ModelConfig(name=source))
        teacher = Teacher(load_classifier(source), tokenizer, tiny_kd.LABELS, precision="fp32")
        return NetworkAnswers(teacher, "teacher", tiny_kd.LABELS)

    one, same, other = network(tmp_path / "a", 0), network(tmp_path / "b", 0), network(tmp_path / "c", 1)
    assert one.key == same.key != other.key
    batch = encode_batch(tiny_kd.tokenizer(), ["good1", "bad2 word3"], None, 16)
    assert np.array_equal(one.answer(batch), one.teacher.numpy_logits(batch)) and one.answer(batch).shape == (2, 3)
    assert one.contents(batch) == token_contents(batch)
