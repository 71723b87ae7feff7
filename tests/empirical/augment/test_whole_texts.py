"""Whole new texts: pivots in turn, what is lost counted, held-out texts with their labels."""

from __future__ import annotations

import numpy as np
import pytest
from transformers import AutoTokenizer

from empirical.augment.translation import Store
from empirical.augment.whole_texts import BackTranslation, GroundTruth
from empirical.models.minilm import minilm_path
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch
from tests.empirical.augment.shouting import Shouting


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


def test_back_translation_goes_round_the_pivots_and_counts_what_is_lost(tokenizer, tmp_path):
    augmenter = BackTranslation(Shouting(), Store(tmp_path / "t.sqlite"), tokenizer, 64)
    batch = encode_batch(tokenizer, ["one two", "three", ""], ["four", "five six", "x"], 64)
    for copy, pivot in enumerate(("aa", "bb", "aa")):
        result = augmenter(batch, 0.3, step_generator(0, 0, 1), copy=copy)
        assert result.batch.text_a == (f"{pivot} one two", f"{pivot} three", "")
        assert result.batch.text_b == (f"{pivot} four", f"{pivot} five six", f"{pivot} x")
        assert result.changed_B.tolist() == [0, 0, 0]
        assert result.changed_BL.any()
    assert not augmenter.online
    # Without the texts, the batch's own tokens are translated.
    bare = batch.rows(np.arange(3))
    object.__setattr__(bare, "text_a", None)
    assert augmenter(bare, 0.3, step_generator(0, 0, 1)).batch.text_a == ("aa one two", "aa three", "")


def test_an_empty_translation_leaves_the_text(tokenizer, tmp_path):
    engine = Shouting()
    engine.round_trip = lambda texts, pivot, seed: [" " for _ in texts]
    augmenter = BackTranslation(engine, Store(tmp_path / "t.sqlite"), tokenizer, 64)
    result = augmenter(encode_batch(tokenizer, ["one two"], None, 64), 0.3, step_generator(0, 0, 1))
    assert result.batch.text_a == ("one two",) and result.degree == 0


def test_ground_truth_draws_held_out_texts_with_their_labels(tokenizer):
    held_out = encode_batch(tokenizer, [f"held out number {number}" for number in range(10)], None, 32)
    augmenter = GroundTruth(held_out, np.arange(10) * 11)
    batch = encode_batch(tokenizer, ["some text"] * 7, None, 32)
    result = augmenter(batch, 0.3, step_generator(0, 0, 1))
    numbers = [int(text.split()[-1]) for text in result.batch.text_a]
    assert len(set(numbers)) == 7, "drawn without replacement while they last"
    assert result.label_B.tolist() == [11 * number for number in numbers]
    assert result.row_B.tolist() == [-1] * 7 and result.degree == 1.0 and not augmenter.online
    more = augmenter(encode_batch(tokenizer, ["a"] * 23, None, 32), 0.3, step_generator(0, 0, 1))
    assert np.bincount(more.label_B // 11).tolist().count(2) == 7
