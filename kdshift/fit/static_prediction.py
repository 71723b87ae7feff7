"""A static student at work without PyTorch: its table folded into its first layer, texts as a sparse matrix.

    kdshift predict reviews-fit new.csv

It starts in a second and answers thousands of texts a second. Shapes: N texts, V token ids, D width of the embeddings,
H hidden units, C classes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax

from theory.errors import InputError

MODEL_TYPE = "kdshift-mean-embedding"
MOST_IN_LINE = 100_000  # characters of a text that are read: far more than any max_length takes


@dataclass(frozen=True, kw_only=True)
class StaticClassifier:
    """hidden_VH: embeddings times the first layer's weights. bias_H, weight_HC, bias_C: the rest of the network."""

    tokenizer: Any
    labels: tuple[str, ...]
    hidden_VH: NDArray[np.float32]
    bias_H: NDArray[np.float32]
    weight_HC: NDArray[np.float32]
    bias_C: NDArray[np.float32]

    @classmethod
    def load(cls, folder: Path, max_length: int) -> StaticClassifier | None:
        """The classifier of a Hugging Face folder; None where the folder holds one of another kind.

        Raises:
            InputError: a folder that cannot be read.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        try:
            settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            if settings.get("model_type") != MODEL_TYPE:
                return None
            weights = load_file(folder / "model.safetensors")
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except (OSError, ValueError, SafetensorError) as error:
            raise InputError("DIR", str(folder), f"a folder that kdshift fit has written ({error})") from None
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length)
        names = settings["id2label"]
        return cls(
            tokenizer=tokenizer,
            labels=tuple(str(names[str(index)]) for index in range(len(names))),
            hidden_VH=weights["embedding.weight"] @ weights["dense.weight"].T,
            bias_H=weights["dense.bias"],
            weight_HC=weights["classifier.weight"].T,
            bias_C=weights["classifier.bias"],
        )

    def predict_proba(self, text_a: Sequence[str], text_b: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Probabilities, float32 of shape (N, C)."""
        first = [text[:MOST_IN_LINE] for text in text_a]
        items: list[Any] = first if text_b is None else [*zip(first, (b[:MOST_IN_LINE] for b in text_b), strict=True)]
        encodings = self.tokenizer.encode_batch_fast(items)
        ids = [encoding.ids for encoding in encodings]
        length_N = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
        start_N = np.concatenate([[0], np.cumsum(length_N)])
        id_T = np.fromiter((token for row in ids for token in row), dtype=np.int32, count=int(start_N[-1]))
        share_T = np.repeat((1 / np.maximum(length_N, 1)).astype(np.float32), length_N)
        mixture = sparse.csr_matrix((share_T, id_T, start_N), shape=(len(ids), len(self.hidden_VH)))
        hidden_NH = np.maximum(mixture @ self.hidden_VH + self.bias_H, 0)
        return np.asarray(softmax(hidden_NH @ self.weight_HC + self.bias_C, axis=1), dtype=np.float32)
