"""Contextual augmentation by tiny language models, one of them trained here until context decides what it proposes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from empirical.augment import make_augmenter
from empirical.config import AugmentConfig
from empirical.randomness import step_generator
from empirical.tokens.batch import Batch
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd
from tests.empirical.tiny_masked import TEXTS


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_kd.tokenizer()


@pytest.fixture(scope="module")
def batch(tokenizer) -> Batch:
    return encode_batch(tokenizer, [*TEXTS[:8], "word1", "", "bad0 [MASK] unknown!"], None, 32)


def made(name: str, model: Path | str | None, tokenizer, **values):
    config = AugmentConfig(augmenter=name, language_model=None if model is None else str(model), **values)
    return make_augmenter(config, tokenizer=tokenizer)


@pytest.mark.parametrize("degree", [0.0, 0.2, 0.5, 1.0])
def test_substitution_keeps_the_contract(trained, tokenizer, batch, degree):
    augmenter = made("contextual", trained, tokenizer)
    result = augmenter(batch, degree, step_generator(0, 0, 1))
    target = degree * result.eligible_B
    assert np.all(result.changed_B >= np.floor(target - 1e-9)) and np.all(result.changed_B <= np.ceil(target + 1e-9))
    assert np.array_equal(result.changed_BL, result.batch.ids_BL != batch.ids_BL)
    assert np.array_equal(result.changed_B, result.changed_BL.sum(axis=1))
    assert not np.isin(result.batch.ids_BL[result.changed_BL], tokenizer.all_special_ids).any()
    again = augmenter(batch, degree, step_generator(0, 0, 1))
    assert np.array_equal(result.batch.ids_BL, again.batch.ids_BL)


@pytest.mark.parametrize("degree", [0.0, 0.4, 1.0])
def test_insertion_makes_texts_longer_by_what_it_counts(trained, tokenizer, batch, degree):
    result = made("contextual-insert", trained, tokenizer)(batch, degree, step_generator(0, 0, 1))
    grown = result.batch.mask_BL.sum(axis=1) - batch.mask_BL.sum(axis=1)
    assert np.array_equal(grown, result.changed_B)
    target = degree * result.eligible_B
    assert np.all(result.changed_B >= np.floor(target - 1e-9)) and np.all(result.changed_B <= np.ceil(target + 1e-9))
    for row in range(len(batch)):
        kept = result.batch.ids_BL[row][result.batch.mask_BL[row] & ~result.changed_BL[row]]
        assert np.array_equal(kept, batch.ids_BL[row][batch.mask_BL[row]])
    assert not np.isin(result.batch.ids_BL[result.changed_BL], tokenizer.all_special_ids).any()
