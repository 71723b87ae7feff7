"""What an augmenter needs and lacks is named."""

from __future__ import annotations

import numpy as np
import pytest
from transformers import AutoTokenizer

from empirical.augment import make_augmenter
from empirical.config import AugmentConfig
from empirical.models.minilm import minilm_path
from theory.errors import InputError


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


def test_make_augmenter_says_what_is_missing(tokenizer, tmp_path):
    def config(**given):
        return AugmentConfig(**given)

    with pytest.raises(InputError, match=r"augmenter: found 'kn'.*nearest: knn"):
        make_augmenter(config(augmenter="kn"), tokenizer=tokenizer)
    with pytest.raises(InputError, match="embeddings"):
        make_augmenter(config(augmenter="knn"), tokenizer=tokenizer)
    with pytest.raises(InputError, match="a row for each of 30522"):
        make_augmenter(config(), tokenizer=tokenizer, embeddings=np.zeros((9, 2), np.float32), cache=tmp_path)
    with pytest.raises(InputError, match="held-out"):
        make_augmenter(config(augmenter="ground-truth"), tokenizer=tokenizer)
    with pytest.raises(InputError, match="teacher"):
        make_augmenter(config(augmenter="random", entropy_quantile=0.5), tokenizer=tokenizer)
    with pytest.raises(InputError, match="pivots"):
        make_augmenter(config(augmenter="back-translation", pivots=("fra",)), tokenizer=tokenizer, cache=tmp_path)
