"""TreeMix on parses written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.augment.constituents import Constituents
from empirical.augment.lines import augment_texts
from empirical.augment.translation import Store
from empirical.augment.treemix import TreeMix
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd
from tests.empirical.augment.halving_parser import HalvingParser

TEXTS = ["bad1 bad2 bad3 word1 word2 word3", "good1 good2 good3 word4", "word5", "", "fair1 fair2 fair3 fair4 fair5"]


@pytest.fixture
def treemix(tmp_path):
    return TreeMix(Constituents(HalvingParser(), Store(tmp_path / "parses.sqlite")), tiny_kd.tokenizer())


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("degree", [0.0, 0.3, 0.5, 1.0])
def test_phrases_of_the_partner_replace_ones_own(treemix, degree, pair):
    tokenizer = treemix.tokenizer
    batch = encode_batch(tokenizer, TEXTS, TEXTS[1:] + TEXTS[:1] if pair else None, 64)
    for seed in range(6):
        result = treemix(batch, degree, step_generator(seed, 0, 1))
        assert np.all(result.changed_B <= np.ceil(degree * result.eligible_B + 1e-9))
        for row in range(len(batch)):
            kept = result.batch.ids_BL[row][result.batch.mask_BL[row] & ~result.changed_BL[row]].tolist()
            own = batch.ids_BL[row][batch.mask_BL[row]].tolist()
            assert len(own) - len(kept) == result.changed_B[row]
            rest = iter(own)
            assert all(token in rest for token in kept)  # in their order
        brought = set(result.batch.ids_BL[result.changed_BL].tolist())
        assert brought <= set(batch.ids_BL[batch.eligible_BL].tolist())
        assert np.all(np.diff(result.batch.mask_BL.astype(int), axis=1) <= 0)


@pytest.mark.parametrize("degree", [0.3, 0.5, 0.7])
def test_where_phrases_fit_the_degree_is_realised(treemix, degree):
    """Every word is a phrase here, so that nothing but the partner's own words can be missing."""
    batch = encode_batch(treemix.tokenizer, [TEXTS[0], TEXTS[1], TEXTS[4], TEXTS[2]], None, 64)
    for seed in range(5):
        result = treemix(batch, degree, step_generator(seed, 0, 1))
        target = degree * result.eligible_B[:3]
        assert np.all(result.changed_B[:3] >= np.floor(target)) and np.all(result.changed_B[:3] <= np.ceil(target))
        assert result.changed_B[3] == 0  # a lone word is all of its text


def test_degree_zero_and_randomness(treemix):
    batch = encode_batch(treemix.tokenizer, TEXTS, None, 64)
    assert np.array_equal(treemix(batch, 0.0, step_generator(0, 0, 1)).batch.ids_BL, batch.ids_BL)
    one, again = (treemix(batch, 0.5, step_generator(3, 0, 1)).batch.ids_BL for _ in range(2))
    assert np.array_equal(one, again)
    others = [treemix(batch, 0.5, step_generator(seed, 0, 1)).batch.ids_BL for seed in range(6)]
    assert any(other.shape != one.shape or not np.array_equal(other, one) for other in others)


def test_texts_come_out_as_texts(treemix):
    lines = augment_texts(treemix, treemix.tokenizer, TEXTS, None, 0.5, step_generator(0, 0, 1), max_length=64)
    assert [line.texts[0] for line in lines][:2] != TEXTS[:2]
    assert all(word in tiny_kd.WORDS for line in lines for word in line.texts[0].split())
