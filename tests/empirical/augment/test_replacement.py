"""Random replacement: every other ordinary token as likely."""

from __future__ import annotations

import numpy as np
from scipy.stats import chisquare

from empirical.augment import make_augmenter
from empirical.config import AugmentConfig
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch
from tests.empirical.three_tokenizers import tokenizer_of


def test_random_replacement_is_uniform_over_the_others():
    tokenizer = tokenizer_of("unigram")
    augmenter = make_augmenter(AugmentConfig(augmenter="random"), tokenizer=tokenizer)
    batch = encode_batch(tokenizer, ["the"] * 2000, None, 16)
    new = augmenter(batch, 1.0, step_generator(0, 0, 1)).batch
    own = int(batch.ids_BL[batch.eligible_BL][0])
    others = np.setdiff1d(augmenter.ordinary, [own])
    counts = np.bincount(new.ids_BL[new.eligible_BL], minlength=len(tokenizer))
    assert counts[others].sum() == new.eligible_BL.sum()
    assert chisquare(counts[others]).pvalue > 1e-4
