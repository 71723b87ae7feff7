"""A classifier asked in parts: the answers of the whole, in order, in calls of bounded size."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.augment import network
from empirical.augment.network import score_in_parts
from empirical.tokens.codec import encode_batch
from tests.empirical.augment.linear_network import LinearNetwork
from tests.empirical.three_tokenizers import tokenizer_of


@pytest.mark.parametrize("most", [1, 3, 7, 100])
def test_parts_add_up_to_the_whole(most, monkeypatch):
    tokenizer = tokenizer_of("minilm")
    batch = encode_batch(tokenizer, [f"text number {n} " * (n % 4 + 1) for n in range(7)], None, 64)
    teacher = LinearNetwork.random(len(tokenizer))
    whole = teacher(batch)
    teacher.asked.clear()
    monkeypatch.setattr(network, "SCORED", most)
    assert np.allclose(score_in_parts(teacher, batch), whole, atol=1e-6)
    assert sum(teacher.asked) == len(batch) and max(teacher.asked) <= most
