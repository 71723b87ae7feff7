"""MixKD: virtual texts between two texts, read through each model's own table, refused where a text is needed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from empirical.augment import make_augmenter
from empirical.bank.plan import Shift
from empirical.config import AugmentConfig
from empirical.models.bilstm import BiLSTMConfig, BiLSTMForSequenceClassification
from empirical.models.classifier import arguments, load_classifier
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch
from empirical.training.halves import joined
from tests.empirical import tiny_kd
from theory.errors import InputError

TEXTS = ["bad1 bad2 word3", "good1 good2 good3 word4 word5", "fair1"]


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_kd.tokenizer()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_classifier(str(tiny_kd.bert(tmp_path_factory.mktemp("bert"), layers=1))).eval()


def logits(model, batch):
    with torch.no_grad():
        return model(**arguments(model, batch)).logits


def made(tokenizer, degree, seed=0, **values):
    augmenter = make_augmenter(AugmentConfig(augmenter="mixkd", **values), tokenizer=tokenizer)
    batch = encode_batch(tokenizer, TEXTS, None, 32)
    return batch, augmenter(batch, degree, step_generator(seed, 0, 1))


def test_it_is_marked_as_having_no_text(tokenizer):
    batch, result = made(tokenizer, 0.3)
    assert result.batch.text_a is None and result.batch.mixed is not None
    assert np.array_equal(result.batch.ids_BL, batch.ids_BL)
    special_BL = batch.mask_BL & ~batch.eligible_BL
    assert np.array_equal(result.batch.mixed.ids_BL[special_BL], batch.ids_BL[special_BL])
    target = 0.3 * result.eligible_B
    assert np.all(np.abs(result.changed_B - target) < 1)
    _, nothing = made(tokenizer, 0.0)
    assert nothing.batch.mixed is None and not nothing.changed_BL.any()


def test_the_ends_are_texts_and_between_them_outputs_move_continuously(tokenizer, model):
    batch, half = made(tokenizer, 0.5)
    _, whole = made(tokenizer, 1.0)
    other = encode_batch(tokenizer, TEXTS, None, 32)
    other.ids_BL[:] = half.batch.mixed.ids_BL
    assert torch.allclose(logits(model, whole.batch), logits(model, other), atol=1e-5)
    _, little = made(tokenizer, 1e-4)
    assert torch.allclose(logits(model, little.batch), logits(model, batch), atol=1e-2)
    assert not torch.allclose(logits(model, half.batch), logits(model, batch), atol=1e-3)


def test_a_model_mixes_rows_of_its_own_table(tokenizer, model):
    batch, result = made(tokenizer, 0.25)
    inputs = arguments(model, result.batch)
    table = model.get_input_embeddings().weight
    ids, others = (torch.from_numpy(x.astype(np.int64)) for x in (batch.ids_BL, result.batch.mixed.ids_BL))
    assert torch.allclose(inputs["inputs_embeds"], 0.75 * table[ids] + 0.25 * table[others], atol=1e-6)
    assert "input_ids" not in inputs and inputs["inputs_embeds"].requires_grad


def test_rows_and_halves_keep_the_mixture(tokenizer, model):
    batch, result = made(tokenizer, 0.4)
    alone = logits(model, result.batch)
    index = np.array([2, 0])
    assert torch.allclose(logits(model, result.batch.rows(index)), alone[index], atol=1e-5)
    both = joined([batch, result.batch.rows(np.arange(3))], tokenizer.pad_token_id)
    assert torch.allclose(logits(model, both), torch.cat([logits(model, batch), alone]), atol=1e-5)


def test_what_needs_a_text_refuses_it(tokenizer, model):
    with pytest.raises(ValueError, match="mixkd makes no texts"):
        Shift(augmenter="mixkd", degrees=(0.3,))
    with pytest.raises(InputError, match="selection: found 'glitter'"):
        made(tokenizer, 0.3, selection="glitter")
    _, result = made(tokenizer, 0.3)
    with pytest.raises(InputError, match="takes embeddings"):
        arguments(BiLSTMForSequenceClassification(BiLSTMConfig(vocab_size=80, hidden_size=4)), result.batch)
