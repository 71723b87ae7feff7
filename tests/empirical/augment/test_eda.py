"""EDA: four operations in equal shares, counted as documented, and no text emptied."""

from __future__ import annotations

import numpy as np
import pytest
from transformers import AutoTokenizer

from empirical.augment.eda import EasyDataAugmentation, _shares
from empirical.augment.synonym import Lexicon
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


def test_eda_shares_are_quarters_on_average():
    rng = np.random.default_rng(0)
    for count in (2, 5, 8, 13):
        shares = np.array([_shares(count, rng.random(4)) for _ in range(4000)])
        replacements, deletions, pairs = shares.mean(axis=0)
        insertions = count - replacements - deletions - 2 * pairs
        for share in (replacements, deletions, 2 * pairs, insertions):
            assert abs(share - count / 4) < 0.06


def test_eda_counts_what_it_did(tokenizer):
    """Replaced + inserted + swapped + deleted words is the count, read off the tokens alone."""
    lexicon = Lexicon(Codec.of(tokenizer), lambda word: {"big": ("large",), "dog": ("hound",)}.get(word, ()))
    batch = encode_batch(tokenizer, ["big dog one two three four five six seven eight"], None, 64)
    operations = np.zeros(4, dtype=int)
    for step in range(60):
        result = EasyDataAugmentation(lexicon)(batch, 0.8, step_generator(0, step, 1))
        mask = result.batch.mask_BL[0]
        source, changed, ids = result.source_BL[0][mask], result.changed_BL[0][mask], result.batch.ids_BL[0][mask]
        kept = (source >= 0) & (ids == batch.ids_BL[0][source])
        replaced, swapped = ((source >= 0) & ~kept).sum(), (kept & changed).sum()
        deleted, inserted = batch.mask_BL.sum() - len(np.unique(source[source >= 0])), (source < 0).sum()
        assert replaced + swapped + deleted + inserted == result.changed_B[0] == 8
        assert swapped % 2 == 0
        operations += [replaced, swapped, deleted, inserted]
    assert np.all(operations > 60)


def test_eda_never_empties_a_text_and_never_fails(tokenizer, lexicon):
    batch = encode_batch(tokenizer, ["the", "the the", "of"], ["a", "a a a a", "."], 32)
    for step in range(30):
        result = EasyDataAugmentation(lexicon)(batch, 1.0, step_generator(0, step, 1))
        assert result.changed_B.tolist() == [2, 6, 2]
        for segment in (0, 1):
            assert (result.batch.eligible_BL & (result.batch.segment_BL == segment)).any(axis=1).all()


def test_a_text_that_grows_keeps_to_max_length(tokenizer):
    long = "a very long synonym of that word"
    lexicon = Lexicon(Codec.of(tokenizer), lambda word: (long,) if word == "big" else ())
    batch = encode_batch(tokenizer, ["big dog " * 20, "big dog"], None, 24)
    assert batch.mask_BL.sum(axis=1).tolist() == [24, 4]
    grown = EasyDataAugmentation(lexicon)(batch, 1.0, step_generator(0, 0, 1)).batch.mask_BL.sum(axis=1)
    assert grown[0] > 24
    for step in range(5):
        new = EasyDataAugmentation(lexicon, max_length=24)(batch, 1.0, step_generator(0, step, 1)).batch
        assert new.mask_BL.sum(axis=1).max() <= 24
        last = new.mask_BL.sum(axis=1) - 1
        assert (new.ids_BL[[0, 1], last] == tokenizer.sep_token_id).all()
