"""A fitted last layer: the logistic regression's own answers, through the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import softmax

from empirical.config import ModelConfig
from empirical.models.classifier import build_model
from empirical.tokens.corpus import Corpus, encode_corpus
from kdshift.fit.learner import predict_logits
from kdshift.fit.linear_start import fitted_head, inputs, last_layer
from kdshift.fit.scoring import log_loss
from tests.empirical import tiny_kd


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_kd.bert(tmp_path_factory.mktemp("bert"), layers=1)


def corpus_of(count: int) -> tuple[Corpus, np.ndarray]:
    label_N = np.arange(count) % 3
    given = [f"{tiny_kd.LABELS[label]}{at % 8} word{at % 40} " * (1 + at % 4) for at, label in enumerate(label_N)]
    return encode_corpus(tiny_kd.tokenizer(), given, None, 32), label_N


def test_inputs_times_weights_are_the_logits_whatever_the_order(bert: Path) -> None:
    model = build_model(ModelConfig(name=str(bert)), tiny_kd.LABELS, 0)
    corpus, _ = corpus_of(40)
    rows = np.random.default_rng(0).permutation(40)[:25]
    layer, found_MH = last_layer(model), inputs(model, corpus, rows)
    assert layer is not None and found_MH is not None
    with torch.no_grad():
        logits_MC = layer(torch.from_numpy(found_MH)).numpy()
    assert np.allclose(logits_MC, predict_logits(model, corpus, rows), atol=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_head_is_the_logistic_regression_that_validation_prefers(classes: int) -> None:
    rng = np.random.default_rng(classes)
    label_N = rng.integers(classes, size=600)
    x_NH = (7 + 3 * rng.normal(size=(600, 5)) + 4 * np.eye(classes, 5)[label_N]).astype(np.float32)
    train_N, validation_N, other_N = np.split(np.arange(600), [300, 400])
    head = fitted_head(x_NH, label_N, train_N, validation_N, classes)
    assert head is not None and head.weight_CH.shape == (classes, 5)
    logits_MC = x_NH[other_N] @ head.weight_CH.T + head.bias_C
    assert log_loss(softmax(logits_MC, axis=1), label_N[other_N]) < 0.9 * np.log(classes)
    assert (logits_MC.argmax(axis=1) == label_N[other_N]).mean() > 1.4 / classes


def test_a_network_starts_with_the_heads_answers(bert: Path) -> None:
    model = build_model(ModelConfig(name=str(bert)), tiny_kd.LABELS, 0)
    corpus, label_N = corpus_of(60)
    found_NH = inputs(model, corpus, np.arange(60))
    assert found_NH is not None
    head = fitted_head(found_NH, label_N, np.arange(40), np.arange(40, 60), 3)
    assert head is not None
    head.put_into(model)
    logits_NC = predict_logits(model, corpus)
    assert np.allclose(found_NH @ head.weight_CH.T + head.bias_C, logits_NC, atol=1e-3)


def test_without_every_class_or_a_linear_layer_nothing_is_fitted(bert: Path) -> None:
    assert (
        fitted_head(np.ones((6, 2), dtype=np.float32), np.zeros(6, dtype=int), np.arange(3), np.arange(3, 6), 2) is None
    )
    model = build_model(ModelConfig(name=str(bert)), tiny_kd.LABELS, 0)
    layer = last_layer(model)
    assert layer is not None
    layer.out_features = 7
    assert inputs(model, corpus_of(3)[0], np.arange(3)) is None
