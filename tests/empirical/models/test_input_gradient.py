"""The gradient by the input embeddings against finite differences, for every architecture with an embedding table."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from empirical.config import ModelConfig
from empirical.models.classifier import build_model, load_tokenizer
from empirical.models.input_gradient import InputGradient
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd


@pytest.fixture(scope="module", params=["encoder", "bilstm", "distilbert"])
def classifier(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    source = tiny_kd.distilbert(folder) if request.param == "distilbert" else tiny_kd.bert(folder)
    kind = "bilstm" if request.param == "bilstm" else "encoder"
    config = ModelConfig(name=str(source), architecture=kind)
    return build_model(config, tiny_kd.LABELS, 0), load_tokenizer(config)


def test_gradient_is_that_of_finite_differences(classifier):
    model, tokenizer = classifier
    batch = encode_batch(tokenizer, ["bad1 word3 good2", "word7 fair0"], None, 16)
    weight_BC = np.array([[1.0, -1.0, 0.0], [0.0, 0.5, 2.0]], dtype=np.float32)
    network = InputGradient(model)
    logits_BC, slope_BLD = network.pull_back(batch, lambda logits: weight_BC)
    assert np.allclose(logits_BC, network(batch), atol=1e-5)
    assert slope_BLD.shape == (*batch.ids_BL.shape, network.embeddings_VD.shape[1])
    table = model.get_input_embeddings().weight
    token, direction = int(batch.ids_BL[0, 1]), torch.linspace(-1, 1, table.shape[1])
    values = []
    for step in (3e-3, -3e-3):
        with torch.no_grad():
            table[token] += step * direction
            values.append(float((network(batch) * weight_BC).sum()))
            table[token] -= step * direction
    assert (values[0] - values[1]) / 6e-3 == pytest.approx(
        float(slope_BLD[0, 1] @ direction.numpy()), rel=2e-2, abs=1e-4
    )
    assert not batch.mask_BL.all() and np.allclose(slope_BLD[~batch.mask_BL], 0, atol=1e-6)


def test_columns_are_the_tasks_and_passes_are_counted(classifier):
    model, tokenizer = classifier
    batch, seen = encode_batch(tokenizer, ["bad1 word3", "good2"], None, 16), []
    turned = InputGradient(model, columns=[2, 0, 1], count=seen.append)
    assert np.allclose(turned(batch), InputGradient(model)(batch)[:, [2, 0, 1]])
    weight = lambda logits: np.eye(3, dtype=np.float32)[[0, 0]]  # noqa: E731
    plain = lambda logits: np.eye(3, dtype=np.float32)[[2, 2]]  # noqa: E731
    assert np.allclose(turned.pull_back(batch, weight)[1], InputGradient(model).pull_back(batch, plain)[1], atol=1e-6)
    assert seen == [2, 2]
    assert InputGradient(model, score=lambda batch: np.zeros((2, 3), np.float32))(batch).sum() == 0
