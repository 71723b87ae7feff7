"""The sizes of models that need not be here, as an estimate counts them: layers, widths, parameters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from empirical.config import ModelConfig
from empirical.models.bilstm import BiLSTMConfig
from empirical.models.classifier import source_of


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Size of an encoder: layers, width, inner width, vocabulary; of a BiLSTM, `inner` is its embeddings' width."""

    layers: int
    hidden: int
    inner: int
    vocabulary: int
    recurrent: bool = False

    @property
    def parameters(self) -> int:
        if self.recurrent:
            return 8 * self.hidden * (self.hidden + self.inner) + self.vocabulary * self.inner
        return self.layers * (4 * self.hidden**2 + 2 * self.hidden * self.inner) + self.vocabulary * self.hidden


GATED = 3  # matrices of a gated feed-forward; EncT5's pooling layer counts as one more layer
KNOWN = {
    "bert-large-uncased": Shape(layers=24, hidden=1024, inner=4096, vocabulary=30_522),
    "bert-base-uncased": Shape(layers=12, hidden=768, inner=3072, vocabulary=30_522),
    "distilbert-base-uncased": Shape(layers=6, hidden=768, inner=3072, vocabulary=30_522),
    "google/bert_uncased_L-4_H-512_A-8": Shape(layers=4, hidden=512, inner=2048, vocabulary=30_522),
    "google/t5-v1_1-large": Shape(layers=25, hidden=1024, inner=GATED * 2816 // 2, vocabulary=32_128),
    "google/t5-v1_1-small": Shape(layers=9, hidden=512, inner=GATED * 1024 // 2, vocabulary=32_128),
}


def size_of(model: ModelConfig) -> tuple[Shape, str]:
    """The size of a model as it is cut or widened, and a note where it had to be assumed (else an empty text)."""
    if model.architecture == "bilstm":
        sizes = BiLSTMConfig()
        base, note = (None, "") if model.fresh else _encoder(model)
        embedding = sizes.embedding_size if base is None else base.hidden
        hidden = model.hidden_size or sizes.hidden_size
        return Shape(layers=1, hidden=hidden, inner=embedding, vocabulary=sizes.vocab_size, recurrent=True), note
    whole, note = _encoder(model)
    layers = whole.layers if model.layers is None else len(model.layers)
    hidden = model.hidden_size or whole.hidden
    inner = 4 * hidden if model.hidden_size else whole.inner
    return Shape(layers=layers, hidden=hidden, inner=inner, vocabulary=whole.vocabulary), note


def _encoder(model: ModelConfig) -> tuple[Shape, str]:
    """The whole encoder a model starts from, and a note where its size is not known here."""
    file = Path(source_of(model)) / "config.json"
    if file.is_file():
        values = json.loads(file.read_text("utf-8"))
        shape = Shape(
            layers=_first(values, "num_hidden_layers", "n_layers", "num_layers"),
            hidden=_first(values, "hidden_size", "dim", "d_model"),
            inner=_inner(values),
            vocabulary=values["vocab_size"],
        )
        return shape, ""
    if model.name in KNOWN:
        return KNOWN[model.name], ""
    return KNOWN["bert-base-uncased"], f"the size of {model.name} is not known here: BERT Base's assumed"


def _inner(values: dict[str, Any]) -> int:
    """Width of the feed-forward, half as much again where it is gated (three matrices instead of two)."""
    gated = str(values.get("feed_forward_proj", "")).startswith("gated")
    return _first(values, "intermediate_size", "hidden_dim", "d_ff") * (GATED if gated else 2) // 2


def _first(values: dict[str, Any], *names: str) -> int:
    return int(next(values[name] for name in names if name in values))
