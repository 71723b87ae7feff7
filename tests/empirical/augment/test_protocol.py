"""What every augmenter owes: the degree contract, untouched specials and structure, randomness as an argument."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.stats import binomtest

from empirical.augment import make_augmenter
from empirical.config import AugmentConfig
from empirical.randomness import step_generator
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.codec import encode_batch
from tests.empirical.augment.linear_network import LinearNetwork
from tests.empirical.three_tokenizers import TEXT_A, TEXT_B, TOKENIZERS, common_wordpiece, tokenizer_of

ONLINE = ("knn", "random", "synonym", "eda", "augpro-mix", "augpro-fgsm")


@pytest.fixture(scope="module", params=TOKENIZERS)
def tokenizer(request):
    return common_wordpiece() if request.param == "wordpiece" else tokenizer_of(request.param)


@pytest.fixture(scope="module", params=ONLINE)
def augmenter(request, tokenizer):
    vectors = np.random.default_rng(0).standard_normal((len(tokenizer), 8)).astype(np.float32)
    networks = {
        name: LinearNetwork.random(len(tokenizer), seed=seed) for seed, name in enumerate(("teacher", "student"))
    }
    config = AugmentConfig(augmenter=request.param)
    return make_augmenter(config, tokenizer=tokenizer, embeddings=vectors, **networks)


@pytest.fixture(scope="module", params=["single", "pair"])
def batch(request, tokenizer) -> Batch:
    return encode_batch(tokenizer, TEXT_A, TEXT_B if request.param == "pair" else None, 128)


def specials(batch: Batch) -> list[list[int]]:
    kept_BL = batch.mask_BL & ~batch.eligible_BL
    return [ids[kept].tolist() for ids, kept in zip(batch.ids_BL, kept_BL, strict=True)]


def same(one: Augmented, other: Augmented) -> bool:
    return np.array_equal(one.batch.ids_BL, other.batch.ids_BL) and np.array_equal(one.changed_BL, other.changed_BL)


@pytest.mark.parametrize("degree", [0.0, 0.1, 0.3, 0.7, 1.0])
def test_exactly_the_nominal_count_changes(augmenter, batch, degree):
    for seed in range(10):
        result = augmenter(batch, degree, step_generator(seed, 0, 1))
        target = degree * result.eligible_B
        assert np.all(result.changed_B >= np.floor(target - 1e-9))
        assert np.all(result.changed_B <= np.ceil(target + 1e-9))
    assert result.eligible_B.sum() > 10
    assert result.eligible_B[4] == 0 or batch.text_b is not None


def test_the_expected_count_is_the_degree(augmenter, batch):
    """The extra token comes with the fractional probability: a binomial test over steps, for each text."""
    eligible = augmenter(batch, 0.3, step_generator(0, 0, 1)).eligible_B
    steps = 150
    extra = np.zeros(len(batch), dtype=int)
    for step in range(steps):
        changed = augmenter(batch, 0.3, step_generator(5, step, 1)).changed_B
        extra += changed - np.floor(0.3 * eligible + 1e-9).astype(int)
    for count, length in zip(extra, eligible, strict=True):
        share = 0.3 * length - math.floor(0.3 * length + 1e-9)
        assert binomtest(int(count), steps, min(max(share, 0.0), 1.0)).pvalue > 1e-5


def test_degree_zero_changes_nothing(augmenter, batch):
    result = augmenter(batch, 0.0, step_generator(0, 0, 1))
    assert np.array_equal(result.batch.ids_BL, batch.ids_BL)
    assert np.array_equal(result.batch.segment_BL, batch.segment_BL)
    assert np.array_equal(result.batch.eligible_BL, batch.eligible_BL)
    assert not result.changed_BL.any()


def test_special_tokens_and_structure_stay(augmenter, batch):
    for seed in range(5):
        new = augmenter(batch, 0.9, step_generator(seed, 0, 1)).batch
        assert specials(new) == specials(batch)
        # Padding is on the right only, and the second text comes after the first.
        assert np.all(np.diff(new.mask_BL.astype(int), axis=1) <= 0)
        assert all(np.all(np.diff(row[mask]) >= 0) for row, mask in zip(new.segment_BL, new.mask_BL, strict=True))
        # Neither text of an example loses its last token.
        for segment in (0, 1):
            had = (batch.eligible_BL & (batch.segment_BL == segment)).any(axis=1)
            has = (new.eligible_BL & (new.segment_BL == segment)).any(axis=1)
            assert np.array_equal(had, has)


def test_randomness_is_an_argument(augmenter, batch):
    one, again = (augmenter(batch, 0.5, step_generator(3, 7, 1)) for _ in range(2))
    assert same(one, again)
    steps = [augmenter(batch, 0.5, step_generator(3, step, 1)).batch.ids_BL for step in range(8)]
    assert any(not np.array_equal(steps[0], other) for other in steps[1:])


def test_any_thread_gives_the_same(augmenter, batch):
    serial = [augmenter(batch, 0.5, step_generator(1, step, 1)) for step in range(12)]
    with ThreadPoolExecutor(8) as pool:
        threads = list(pool.map(lambda step: augmenter(batch, 0.5, step_generator(1, step, 1)), range(12)))
    assert all(same(one, other) for one, other in zip(serial, threads, strict=True))


def test_the_original_batch_is_left_alone(augmenter, batch):
    before = batch.ids_BL.copy()
    augmenter(batch, 1.0, step_generator(0, 0, 1))
    assert np.array_equal(batch.ids_BL, before)


@pytest.mark.parametrize("name", ["knn", "random", "augpro-mix"])
def test_replaced_tokens_differ_and_are_ordinary(name, tokenizer, batch):
    vectors = np.random.default_rng(0).standard_normal((len(tokenizer), 8)).astype(np.float32)
    augmenter = make_augmenter(AugmentConfig(augmenter=name), tokenizer=tokenizer, embeddings=vectors)
    result = augmenter(batch, 1.0, step_generator(0, 0, 1))
    assert np.array_equal(result.changed_BL, batch.eligible_BL)
    assert np.array_equal(result.batch.ids_BL != batch.ids_BL, batch.eligible_BL)
    assert np.array_equal(result.changed_B, result.changed_BL.sum(axis=1))
    special = [index for index, token in tokenizer.added_tokens_decoder.items() if token.special]
    new = result.batch.ids_BL[result.changed_BL]
    assert not np.isin(new, special).any()
    assert not any("unused" in token for token in tokenizer.convert_ids_to_tokens(new))
