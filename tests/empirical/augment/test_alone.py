"""A token alone: the classifier's own answer to a text of one token, asked once."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.augment import alone
from empirical.augment.alone import Alone
from empirical.tokens.batch import Batch
from tests.empirical.augment.linear_network import LinearNetwork


@pytest.fixture
def network():
    return LinearNetwork.random(50, classes=3)


def test_what_a_linear_classifier_says_to_a_token(network):
    ids = np.array([[7, 3], [3, 49]])
    expected = network.embeddings_VD[ids] @ network.weight_DC + network.bias_C
    found = Alone(network).logits(ids)
    assert found.shape == (2, 2, 3)
    assert np.abs(found - expected).max() <= 0.5 * 10**-alone.DECIMALS + 1e-6


def test_every_token_is_asked_once_however_many_are_asked_together(network, monkeypatch):
    whole = Alone(network).logits(np.arange(50))
    network.asked.clear()
    monkeypatch.setattr("empirical.augment.network.SCORED", 4)
    parted = Alone(network)
    for ids in (np.arange(10), np.array([9, 9, 30]), np.arange(50), np.zeros((0, 4), dtype=np.int64)):
        parted.logits(ids)
    assert sum(network.asked) == 50 and max(network.asked) == 4
    assert np.array_equal(parted.logits(np.arange(50)), whole)


def test_the_special_tokens_stand_round_it():
    seen: list[Batch] = []

    def scorer(batch: Batch) -> np.ndarray:
        seen.append(batch)
        return np.zeros((len(batch), 2), dtype=np.float32)

    Alone(scorer, ((1,), (2, 3))).logits(np.array([8, 6]))
    assert np.array_equal(seen[0].ids_BL, [[1, 6, 2, 3], [1, 8, 2, 3]])
    assert seen[0].mask_BL.all() and np.array_equal(seen[0].eligible_BL[0], [False, True, False, False])
