"""The degree where answers vary most: known in closed form for a scripted augmenter and a certain teacher."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from empirical.augment import make_augmenter
from empirical.augment.fast_degree import fast_degree
from empirical.augment.replacement import with_tokens
from empirical.config import AugmentConfig
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd
from tests.empirical.augment.linear_network import LinearNetwork
from theory.errors import InputError

DEGREES = (0.1, 0.3, 0.5, 0.9)


@dataclass(frozen=True)
class Coin:
    """Writes token 5 with probability `degree` over a text's first token, else token 6: a Bernoulli answer."""

    name: str = "coin"
    online: bool = True
    at_once: bool = False

    def __call__(self, batch, degree, rng, *, copy=0):
        first_BL = np.zeros_like(batch.mask_BL)
        first_BL[:, 1] = True
        return with_tokens(batch, first_BL, np.where(rng.random(len(batch)) < degree, 5, 6))


def teacher(batch):
    """All but certain of class 0 where the first token is 5, of class 1 elsewhere."""
    sign_N = np.where(batch.ids_BL[:, 1] == 5, 20.0, -20.0)
    return np.stack([sign_N, -sign_N], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def batch():
    return encode_batch(tiny_kd.tokenizer(), ["word1 word2"] * 4000, None, 16)


def test_the_top_and_its_height_are_those_of_a_coin(batch):
    found = fast_degree(batch, Coin(), teacher, degrees=DEGREES)
    assert found.degree == 0.5 and found.low == found.high == 0.5
    for degree, deviation in found.deviation:
        assert deviation**2 == pytest.approx(degree * (1 - degree), abs=0.02)
    assert found.asked == 4000 * 2 * 4


def test_few_texts_leave_the_choice_open_and_seeds_decide(batch):
    few = batch.rows(np.arange(12))
    found = fast_degree(few, Coin(), teacher, degrees=DEGREES)
    assert found.low < found.high and found.low <= found.degree <= found.high
    assert fast_degree(few, Coin(), teacher, degrees=DEGREES) == found
    assert fast_degree(few, Coin(), teacher, degrees=DEGREES, seed=3).deviation != found.deviation


def test_what_has_no_degree_to_choose_is_told(batch):
    few = batch.rows(np.arange(4))
    with pytest.raises(InputError, match="made online"):
        fast_degree(few, replace(Coin(), online=False), teacher)
    with pytest.raises(InputError, match="two or more"):
        fast_degree(few, Coin(), teacher, seeds=1)
    tokenizer, filtered = tiny_kd.tokenizer(), AugmentConfig(augmenter="random", entropy_quantile=0.5)
    network = LinearNetwork.random(len(tokenizer))
    texts = encode_batch(tokenizer, [f"word{n} bad{n % 8} good{n % 5}" for n in range(8)], None, 16)
    with pytest.raises(InputError, match="without a selection"):
        fast_degree(texts, make_augmenter(filtered, tokenizer=tokenizer, teacher=network), network)
