"""A seq2seq model as two augmenters use it: bounded, seeded, leaving the global generator alone."""

from __future__ import annotations

import pytest
import torch

from empirical.augment.seq2seq_model import Seq2SeqModel
from tests.empirical.augment import tiny_t5
from theory.errors import InputError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return Seq2SeqModel(tiny_t5.write(tmp_path_factory.mktemp("t5")), "language_model", "a T5")


def test_answers_are_bounded_grouped_and_seeded(model):
    texts = ["the house is red", "good"]
    assert model.limit == 64
    state = torch.random.get_rng_state()
    options = {"do_sample": True, "num_return_sequences": 3}
    one, again, other = (model.generate(texts, seed, **options) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert len(one) == 6 and one.shape[1] <= 2 * 5 + 10
    assert torch.equal(one, again) and (one.shape != other.shape or not torch.equal(one, other))
    assert model.generate(texts, 0, max_length=4).shape[1] <= 4


def test_a_model_is_loaded_once(model):
    assert model.load()[0] is model.load()[0]
    assert not model.load()[0].training


def test_a_model_that_is_not_to_be_had_is_told(tmp_path):
    with pytest.raises(InputError, match=r"engine: found .*nowhere.*; allowed: something else"):
        Seq2SeqModel(str(tmp_path / "nowhere"), "engine", "something else").load()
