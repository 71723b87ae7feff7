"""Contextual augmentation by tiny language models, one of them trained here until context decides what it proposes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

from empirical.augment import make_augmenter
from empirical.augment.masked_model import MaskedModel
from empirical.config import AugmentConfig, ModelConfig
from empirical.randomness import step_generator
from empirical.tokens.batch import Batch
from empirical.tokens.codec import encode_batch
from empirical.training.masked_lm import train_masked_model
from tests.empirical import tiny_kd
from theory.errors import InputError

# The middle word follows from its neighbours: what a model learns is known.
TEXTS = [f"bad{n} word{n} good{n}" for n in range(8)] * 4


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A two-layer masked language model that has learnt TEXTS."""
    source, out = tmp_path_factory.mktemp("encoder"), tmp_path_factory.mktemp("masked")
    tiny_kd.bert(source, layers=2, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    config = ModelConfig(name=str(source))
    losses: list[float] = []
    report = lambda step, loss: losses.append(loss)  # noqa: E731
    final = train_masked_model(config, TEXTS, out, steps=160, learning_rate=1e-2, progress=report)
    assert final < 0.5 * np.mean(losses[:10])
    return out


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_kd.tokenizer()


@pytest.fixture(scope="module")
def batch(tokenizer) -> Batch:
    return encode_batch(tokenizer, [*TEXTS[:8], "word1", "", "bad0 [MASK] unknown!"], None, 32)


def made(name: str, model: Path | str | None, tokenizer, **values):
    config = AugmentConfig(augmenter=name, language_model=None if model is None else str(model), **values)
    return make_augmenter(config, tokenizer=tokenizer)


def test_the_context_decides(trained, tokenizer):
    """With the middle word masked the right one is the likeliest, and a refused one never comes."""
    batch = encode_batch(tokenizer, TEXTS[:8], None, 16)
    middle_BL = np.zeros(batch.ids_BL.shape, dtype=bool)
    middle_BL[:, 2] = True
    model = MaskedModel(str(trained), tokenizer)
    likeliest = model.propose(batch, middle_BL, None, 1, step_generator(0, 0, 1))
    assert (likeliest == batch.ids_BL[:, 2]).mean() >= 0.75
    others = model.propose(batch, middle_BL, batch.ids_BL[:, 2], 5, step_generator(0, 0, 1))
    assert not (others == batch.ids_BL[:, 2]).any()


def test_proposals_are_drawn_in_proportion_to_their_probability(trained, tokenizer):
    batch = encode_batch(tokenizer, ["bad1 word1 good2"] * 3000, None, 16)
    middle_BL = np.zeros(batch.ids_BL.shape, dtype=bool)
    middle_BL[:, 2] = True
    model = MaskedModel(str(trained), tokenizer)
    drawn = model.propose(batch, middle_BL, None, 4, step_generator(0, 0, 1))
    network = BertForMaskedLM.from_pretrained(trained).eval()
    ids = torch.from_numpy(batch.ids_BL[:1].astype(np.int64))
    ids[0, 2] = tokenizer.mask_token_id
    with torch.no_grad():
        logits = network(input_ids=ids).logits[0, 2]
    logits[: len(tiny_kd.SPECIAL)] = -torch.inf
    best = torch.topk(logits, 4)
    share = torch.softmax(best.values, dim=0).numpy()
    counts = np.array([(drawn == token).mean() for token in best.indices.numpy()])
    assert counts.sum() == pytest.approx(1)
    assert np.allclose(counts, share, atol=5 * np.sqrt(0.25 / 3000))


@pytest.mark.parametrize("degree", [0.0, 0.2, 0.5, 1.0])
def test_substitution_keeps_the_contract(trained, tokenizer, batch, degree):
    augmenter = made("contextual", trained, tokenizer)
    result = augmenter(batch, degree, step_generator(0, 0, 1))
    target = degree * result.eligible_B
    assert np.all(result.changed_B >= np.floor(target - 1e-9)) and np.all(result.changed_B <= np.ceil(target + 1e-9))
    assert np.array_equal(result.changed_BL, result.batch.ids_BL != batch.ids_BL)
    assert np.array_equal(result.changed_B, result.changed_BL.sum(axis=1))
    assert not np.isin(result.batch.ids_BL[result.changed_BL], tokenizer.all_special_ids).any()
    again = augmenter(batch, degree, step_generator(0, 0, 1))
    assert np.array_equal(result.batch.ids_BL, again.batch.ids_BL)


@pytest.mark.parametrize("degree", [0.0, 0.4, 1.0])
def test_insertion_makes_texts_longer_by_what_it_counts(trained, tokenizer, batch, degree):
    result = made("contextual-insert", trained, tokenizer)(batch, degree, step_generator(0, 0, 1))
    grown = result.batch.mask_BL.sum(axis=1) - batch.mask_BL.sum(axis=1)
    assert np.array_equal(grown, result.changed_B)
    target = degree * result.eligible_B
    assert np.all(result.changed_B >= np.floor(target - 1e-9)) and np.all(result.changed_B <= np.ceil(target + 1e-9))
    for row in range(len(batch)):
        kept = result.batch.ids_BL[row][result.batch.mask_BL[row] & ~result.changed_BL[row]]
        assert np.array_equal(kept, batch.ids_BL[row][batch.mask_BL[row]])
    assert not np.isin(result.batch.ids_BL[result.changed_BL], tokenizer.all_special_ids).any()


def test_what_is_no_masked_language_model_is_told(trained, tokenizer, tmp_path):
    for source, pattern in (
        (None, r"--language-model .*masked-lm"),
        (tmp_path / "nowhere", "nowhere"),
        (tiny_kd.bert(tmp_path / "headless"), "without its masked-LM head"),
    ):
        with pytest.raises(InputError, match=f"(?s){pattern}") as told:
            made("contextual", source, tokenizer)(
                encode_batch(tokenizer, TEXTS[:2], None, 16), 0.5, step_generator(0, 0, 1)
            )
        assert "\n" not in str(told.value)
    with pytest.raises(InputError, match="other tokens"):
        other = tiny_kd.tokenizer(["quite", "different", "words"])
        made("contextual", trained, other)(encode_batch(other, ["quite words"], None, 8), 1.0, step_generator(0, 0, 1))


def test_a_model_that_has_a_head_keeps_it(tmp_path):
    """Training for no time at all leaves a saved head as it was."""
    size = len(tiny_kd.SPECIAL) + len(tiny_kd.WORDS)
    BertForMaskedLM(BertConfig(**tiny_kd.SIZES, num_hidden_layers=1, vocab_size=size)).save_pretrained(tmp_path / "in")
    tiny_kd.tokenizer().save_pretrained(tmp_path / "in")
    config = ModelConfig(name=str(tmp_path / "in"))
    train_masked_model(config, TEXTS, tmp_path / "out", steps=1, learning_rate=1e-12)
    before, after = (BertForMaskedLM.from_pretrained(tmp_path / side) for side in ("in", "out"))
    assert torch.allclose(before.cls.predictions.bias, after.cls.predictions.bias, atol=1e-6)
