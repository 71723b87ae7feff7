"""Flips on a classifier that adds up its tokens: there the greedy search finds the fewest changes there are."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from transformers import AutoTokenizer

from empirical.augment import flip, make_augmenter
from empirical.augment.alone import Alone
from empirical.augment.flip import LabelFlip, find_flips
from empirical.config import AugmentConfig
from empirical.models.minilm import minilm_path
from empirical.randomness import step_generator
from empirical.tokens.codec import Codec, encode_batch
from tests.empirical import tiny_kd
from tests.empirical.augment.linear_network import LinearNetwork

TEXTS = [
    "how do you know that this is true",
    "dogs",
    "",
    "the quick brown fox jumped happily over unbelievably lazy dogs",
    "self driving cars are not worth the risk",
] * 3


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


@pytest.fixture(scope="module")
def network(tokenizer):
    return LinearNetwork.random(len(Codec.of(tokenizer).vocabulary), classes=2)


@pytest.fixture(scope="module")
def table(network):
    """Four candidates a token, drawn at random: no token is its own."""
    size = len(network.embeddings_VD)
    return ((np.arange(size)[:, None] + np.random.default_rng(3).integers(1, size, (size, 4))) % size).astype(np.int32)


@pytest.fixture(scope="module")
def batch(tokenizer):
    return encode_batch(tokenizer, TEXTS, None, 64)


def test_the_fewest_changes_on_an_additive_classifier(network, table, batch, monkeypatch):
    """With one change a round no smaller set of changes turns the label: every smaller one is tried."""
    monkeypatch.setattr(flip, "PACE", 10**6)
    short = batch.rows(np.array([0, 1, 4]))
    halves = np.random.default_rng(0).random((*short.ids_BL.shape, 4)).argsort(axis=2)[:, :, :2]
    found = find_flips(network, Alone(network), table, short, short.eligible_BL.sum(axis=1), np.random.default_rng(0))
    label = network(short).argmax(axis=1)
    for row in np.flatnonzero(found.flipped_B):
        places = np.flatnonzero(short.eligible_BL[row])
        for count in range(found.changes_B[row]):
            for chosen in combinations(places, count):
                for tokens in product(*(table[short.ids_BL[row, place]][halves[row, place]] for place in chosen)):
                    ids = short.ids_BL.copy()
                    ids[row, list(chosen)] = tokens
                    assert network(replace(short, ids_BL=ids))[row].argmax() == label[row]
    assert found.flipped_B.any()


@pytest.mark.parametrize("degree", [0.2, 0.6, 1.0])
@pytest.mark.parametrize("before", [False, True])
def test_a_flip_is_one_and_the_text_before_is_none(network, table, batch, degree, before):
    result = LabelFlip(network, table, Alone(network), before)(batch, degree, step_generator(0, 0, 1))
    assert np.allclose(result.logits_BC, network(result.batch), atol=1e-4)
    turned = result.logits_BC.argmax(axis=1) != network(batch).argmax(axis=1)
    assert not turned.any() if before else turned.sum() >= 3
    assert np.all(result.changed_B <= np.ceil(degree * result.eligible_B))
    assert np.array_equal(result.changed_BL, result.batch.ids_BL != batch.ids_BL)
    assert not (result.changed_BL & ~batch.eligible_BL).any()


def test_the_text_before_has_fewer_changes(network, table, batch):
    flips, before = (
        LabelFlip(network, table, Alone(network), side)(batch, 1.0, step_generator(0, 0, 1)) for side in (False, True)
    )
    turned = flips.logits_BC.argmax(axis=1) != network(batch).argmax(axis=1)
    assert np.all(before.changed_B[turned] < flips.changed_B[turned])
    assert np.array_equal(before.changed_B[~turned], flips.changed_B[~turned])


def test_the_two_sides_of_a_turn_are_a_round_apart_and_few_texts_are_asked(network, table, batch):
    network.asked.clear()
    alone = Alone(network)
    alone.logits(np.arange(len(network.embeddings_VD)))
    known = sum(network.asked)
    found = find_flips(network, alone, table, batch, batch.eligible_BL.sum(axis=1), step_generator(0, 0, 1))
    before_B = (found.before_BL != batch.ids_BL).sum(axis=1)
    turned = found.flipped_B
    assert np.all(found.changes_B[turned] - before_B[turned] <= 1 + before_B[turned] // flip.PACE)
    assert np.array_equal(found.before_BL[~turned], found.ids_BL[~turned])
    assert sum(network.asked) - known <= 4 * len(batch)


def test_the_rounds_grow_with_what_has_changed():
    assert flip.rounds(14).tolist() == [0, 1, 2, 3, 5, 7, 10, 14] and flip.rounds(0).tolist() == [0]


def test_degree_zero_changes_nothing_and_randomness_is_an_argument(network, table, batch):
    augmenter = LabelFlip(network, table, Alone(network))
    assert np.array_equal(augmenter(batch, 0.0, step_generator(0, 0, 1)).batch.ids_BL, batch.ids_BL)
    one, again, other = (augmenter(batch, 1.0, step_generator(seed, 0, 1)).batch.ids_BL for seed in (0, 0, 1))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_a_text_does_not_depend_on_how_the_batch_is_parted(network, table, batch, monkeypatch):
    whole = LabelFlip(network, table, Alone(network))(batch, 1.0, step_generator(0, 0, 1))
    monkeypatch.setattr(flip, "PART", 2)
    parted = LabelFlip(network, table, Alone(network))(batch, 1.0, step_generator(0, 0, 1))
    assert np.array_equal(whole.batch.ids_BL, parted.batch.ids_BL)


def test_made_by_name(tmp_path):
    tokenizer = tiny_kd.tokenizer()
    network = LinearNetwork.random(len(tokenizer))
    for name in ("flip", "flip-before"):
        config = AugmentConfig(augmenter=name, neighbours=3)
        augmenter = make_augmenter(config, tokenizer=tokenizer, network=network, cache=tmp_path)
        assert augmenter.name == name and not augmenter.online
