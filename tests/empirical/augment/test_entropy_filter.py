"""The filter asks the teacher about the augmented texts and keeps whole rows."""

from __future__ import annotations

import numpy as np
import pytest
from transformers import AutoTokenizer

from empirical.augment import make_augmenter
from empirical.augment.entropy_filter import EntropyFilter
from empirical.config import AugmentConfig
from empirical.models.minilm import minilm_path
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


def test_entropy_filter_drops_what_the_teacher_is_unsure_of(tokenizer):
    inner = make_augmenter(AugmentConfig(augmenter="random"), tokenizer=tokenizer)
    batch = encode_batch(tokenizer, ["a b", "c d e f g", "h", "i j k", "l m n o", "p"], None, 32)
    confidence = np.array([5.0, 0.0, 3.0, 1.0, 4.0, 2.0])
    seen = []

    def teacher(augmented):
        seen.append(augmented)
        return np.stack([confidence, np.zeros(6)], axis=1)

    result = EntropyFilter(inner, teacher, 0.5)(batch, 0.5, step_generator(0, 0, 1))
    full = inner(batch, 0.5, step_generator(0, 0, 1))
    assert result.row_B.tolist() == [0, 2, 4, 5], "the median is between two rows: the higher one stays"
    assert np.array_equal(seen[0].ids_BL, full.batch.ids_BL), "the teacher saw the augmented texts"
    assert np.array_equal(result.changed_B, full.changed_B[result.row_B])
    for place, row in enumerate(result.row_B):
        mask = result.batch.mask_BL[place]
        assert result.batch.ids_BL[place][mask].tolist() == full.batch.ids_BL[row][full.batch.mask_BL[row]].tolist()
    assert result.changed_BL.shape == result.batch.ids_BL.shape
