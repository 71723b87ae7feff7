"""A masked language model from an encoder: it learns, by its seed alone, and says what it cannot begin with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import BertConfig, BertForMaskedLM

from empirical.config import ModelConfig
from empirical.training.masked_lm import fit, train_masked_model
from tests.empirical import tiny_kd
from tests.empirical.tiny_masked import TEXTS
from theory.errors import InputError


def test_equal_seeds_give_equal_weights_and_the_global_generator_is_left_alone(tmp_path):
    source = ModelConfig(name=str(tiny_kd.bert(tmp_path / "bert", layers=1)))
    state = torch.random.get_rng_state()
    seeds = {"one": 0, "again": 0, "other": 1}
    for name, seed in seeds.items():
        assert train_masked_model(source, TEXTS, tmp_path / name, steps=3, seed=seed) > 0
    assert torch.equal(torch.random.get_rng_state(), state)
    one, again, other = (load_file(tmp_path / name / "model.safetensors") for name in seeds)
    assert all(torch.equal(one[key], again[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)


def test_fit_walks_down_and_leaves_out_steps_without_a_loss():
    """A quadratic bowl: AdamW with a rate that falls to zero ends near its bottom."""
    model = torch.nn.Linear(1, 1, bias=False)
    target = 0.75

    def loss_of(step: int) -> torch.Tensor | None:
        if step % 5 == 4:
            left_out.append(step)
            return None
        return (model.weight - target).square().sum()

    left_out: list[int] = []
    told: list[tuple[str, float, float]] = []
    losses = fit(model, loss_of, steps=100, learning_rate=0.1, progress=lambda *call: told.append(call))
    assert len(losses) == 80 and left_out == list(range(4, 100, 5))
    assert told == [("masked-lm", step, 100) for step in range(1, 101)], "the last step ends the stage, left out or not"
    assert losses[-1] < 1e-2 * max(losses[0], 0.1)
    assert np.all(np.isfinite(losses))


def test_what_it_cannot_begin_with_is_told(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        train_masked_model(ModelConfig(name=str(tmp_path / "nowhere")), TEXTS, tmp_path / "out", steps=1)
    bare = tiny_kd.bert(tmp_path / "bare", layers=1)
    tokenizer = tiny_kd.tokenizer()
    tokenizer.mask_token = None
    tokenizer.save_pretrained(bare)
    with pytest.raises(InputError, match="mask token"):
        train_masked_model(ModelConfig(name=str(bare)), TEXTS, tmp_path / "out", steps=1)


def test_a_model_that_has_a_head_keeps_it(tmp_path):
    """Training for no time at all leaves a saved head as it was."""
    size = len(tiny_kd.SPECIAL) + len(tiny_kd.WORDS)
    BertForMaskedLM(BertConfig(**tiny_kd.SIZES, num_hidden_layers=1, vocab_size=size)).save_pretrained(tmp_path / "in")
    tiny_kd.tokenizer().save_pretrained(tmp_path / "in")
    config = ModelConfig(name=str(tmp_path / "in"))
    train_masked_model(config, TEXTS, tmp_path / "out", steps=1, learning_rate=1e-12)
    before, after = (BertForMaskedLM.from_pretrained(tmp_path / side) for side in ("in", "out"))
    assert torch.allclose(before.cls.predictions.bias, after.cls.predictions.bias, atol=1e-6)
