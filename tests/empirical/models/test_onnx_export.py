"""ONNX gives the same logits as PyTorch, for students of every kind, padded or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from empirical.models.bilstm import BiLSTMConfig, BiLSTMForSequenceClassification
from empirical.models.classifier import arguments, load_classifier
from empirical.models.mean_embedding import MeanEmbeddingConfig, MeanEmbeddingForSequenceClassification
from empirical.models.onnx_export import OnnxClassifier, export_onnx, quantise
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd
from theory.errors import InputError

pytest.importorskip("onnxruntime")


def static() -> MeanEmbeddingForSequenceClassification:
    torch.manual_seed(0)
    size = len(tiny_kd.SPECIAL) + len(tiny_kd.WORDS)
    settings = MeanEmbeddingConfig(vocab_size=size, embedding_size=8, hidden_size=8, num_labels=3)
    return MeanEmbeddingForSequenceClassification(settings).eval()


def bilstm() -> BiLSTMForSequenceClassification:
    size = len(tiny_kd.SPECIAL) + len(tiny_kd.WORDS)
    settings = BiLSTMConfig(vocab_size=size, embedding_size=8, hidden_size=6, num_hidden_layers=2, num_labels=3)
    torch.manual_seed(0)
    return BiLSTMForSequenceClassification(settings)


@pytest.mark.parametrize(("texts", "words"), [(5, 12), (1, 2)])
def test_a_bilstm_is_exported_for_any_batch_and_length(tmp_path: Path, texts: int, words: int) -> None:
    model = bilstm()
    export_onnx(model, tmp_path / "model.onnx")
    given = [" ".join(f"word{at % 9}" for at in range(words - number % 2)) for number in range(texts)]
    batch = encode_batch(tiny_kd.tokenizer(), given, None, 32)
    with torch.inference_mode():
        wanted = model(**arguments(model, batch)).logits.numpy()
    assert np.abs(OnnxClassifier(tmp_path / "model.onnx").logits(batch) - wanted).max() < 1e-5


class Fixed(MeanEmbeddingForSequenceClassification):
    """A model that the tracer takes for one batch alone."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> object:
        assert len(input_ids) == 2
        return super().forward(input_ids, attention_mask)


def test_a_graph_of_one_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--onnx: found 'Fixed'"):
        export_onnx(Fixed(static().config), tmp_path / "model.onnx")


@pytest.mark.slow  # `teachers/test_onnx_answers.py` holds the same of a network, every time
@pytest.mark.parametrize("kind", ["bert", "static"])
def test_onnx_and_pytorch_agree(tmp_path: Path, kind: str) -> None:
    model = static() if kind == "static" else load_classifier(str(tiny_kd.bert(tmp_path / "bert", layers=1)))
    export_onnx(model, tmp_path / "model.onnx")
    batch = encode_batch(tiny_kd.tokenizer(), ["good1 word3 word4", "bad2", "fair1 word0"], None, 16)
    with torch.inference_mode():
        wanted = model(**arguments(model, batch)).logits.numpy()
    assert np.abs(OnnxClassifier(tmp_path / "model.onnx").logits(batch) - wanted).max() < 1e-4
    quantise(tmp_path / "model.onnx", tmp_path / "int8.onnx")
    assert np.abs(OnnxClassifier(tmp_path / "int8.onnx").logits(batch) - wanted).max() < 0.2
