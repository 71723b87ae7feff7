"""The pooled representation is the mean over a text's tokens, and of no state less."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from empirical.config import ModelConfig
from empirical.models.classifier import build_model, load_tokenizer
from empirical.models.encoder import load_encoder, pooled_encoder
from empirical.tokens.batch import Batch
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd
from theory.errors import InputError


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ModelConfig:
    return ModelConfig(name=str(tiny_kd.bert(tmp_path_factory.mktemp("encoder"))))


@pytest.fixture(scope="module")
def batch(source: ModelConfig) -> Batch:
    texts = ["good1 word2 word3", "bad1", "word5 fair2 word7 word9 good3 word11"]
    return encode_batch(load_tokenizer(source), texts, None, 32)


def test_padding_does_not_count_and_every_token_does(source: ModelConfig, batch: Batch) -> None:
    encoder = load_encoder(source)
    found_BD = pooled_encoder(encoder)(batch)
    for row, mask_L in enumerate(batch.mask_BL):
        ids = torch.from_numpy(batch.ids_BL[row, mask_L].astype(np.int64))[None]
        with torch.inference_mode():
            alone_LD = encoder(input_ids=ids).last_hidden_state[0].numpy()
        assert np.allclose(found_BD[row], alone_LD.mean(axis=0), atol=1e-5)
        assert mask_L.sum() == 3 or not np.allclose(found_BD[row], alone_LD[0], atol=1e-2)


def test_a_classifier_that_computes_its_first_token_only_is_refused(source: ModelConfig, batch: Batch) -> None:
    classifier = build_model(source, tiny_kd.LABELS, 0)
    with pytest.raises(AssertionError, match="states of shape"):
        pooled_encoder(classifier.base_model)(batch)


def test_a_model_that_is_nowhere_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match="model: found"):
        load_encoder(ModelConfig(name=str(tmp_path / "none")))
