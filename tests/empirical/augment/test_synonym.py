"""Synonym replacement: one occurrence, whole words, in the word's case, within the text's limit."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer

from empirical.augment.synonym import Lexicon, SynonymReplacement, _same_case
from empirical.models.minilm import minilm_path
from empirical.randomness import step_generator
from empirical.tokens.codec import Codec, encode_batch

SYNONYMS = {"big": ("large",), "dog": ("canis familiaris", "hound"), "unbelievably": ("implausibly",)}


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


@pytest.fixture(scope="module")
def lexicon(tokenizer):
    return Lexicon(Codec.of(tokenizer), lambda word: SYNONYMS.get(word.lower(), ()))


def test_only_the_chosen_occurrence_of_a_word_changes(tokenizer, lexicon):
    batch = encode_batch(tokenizer, ["big big big big"], None, 32)
    result = SynonymReplacement(lexicon)(batch, 0.5, step_generator(0, 0, 1))
    new = tokenizer.convert_ids_to_tokens(result.batch.ids_BL[0])
    assert sorted(new[1:5]) == ["big", "big", "large", "large"]
    assert (result.eligible_B.tolist(), result.changed_B.tolist()) == ([4], [2])


def test_synonyms_of_several_pieces_and_for_several_pieces(tokenizer, lexicon):
    batch = encode_batch(tokenizer, ["the unbelievably big dog ran"], ["a dog"], 32)
    seen = set()
    for step in range(20):
        result = SynonymReplacement(lexicon)(batch, 1.0, step_generator(0, step, 1))
        row = result.batch.ids_BL[0][result.batch.mask_BL[0]]
        seen.add(tokenizer.decode(row, skip_special_tokens=True))
        assert result.changed_B.tolist() == [4]
        changed = tokenizer.decode(result.batch.ids_BL[0][result.changed_BL[0]])
        assert "the" not in changed.split() and "ran" not in changed.split()
    kinds = ("canis familiaris", "hound")
    assert seen == {f"the implausibly large {one} ran a {two}" for one in kinds for two in kinds}


def test_case_follows_the_word():

    assert _same_case("Car", "auto") == "Auto"
    assert _same_case("CAR", "auto") == "AUTO"
    assert _same_case("car", "auto") == "auto"


def test_a_row_never_outgrows_the_model(tokenizer):
    lexicon = Lexicon(Codec.of(tokenizer), lambda word: ("a very long synonym of that word",) if word == "big" else ())
    batch = encode_batch(tokenizer, ["big " * 300], ["big big"], 512)
    new = SynonymReplacement(lexicon)(batch, 1.0, step_generator(0, 0, 1)).batch
    assert new.ids_BL.shape[1] == 512
    assert (new.eligible_BL[0] & (new.segment_BL[0] == 1)).sum() == 14
    separators = [new.ids_BL[0, 0], *new.ids_BL[0][new.mask_BL[0] & ~new.eligible_BL[0]][1:]]
    assert separators == [tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.sep_token_id]
