"""Weights that exist as a pickle only: converted once, tensors alone, and loaded as any other."""

from __future__ import annotations

import json
import logging
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from empirical.config import ModelConfig
from empirical.models.classifier import build_model, embedding_matrix, load_classifier, weights_hash
from empirical.weights import quiet_loading, safetensors_source
from tests.empirical.tiny_kd import LABELS, bert, t5
from theory.errors import InputError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def pickled(folder: Path, shards: int = 1) -> Path:
    """The model in `folder` with its weights as BERT Small's are: a pickle, or several with an index."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    if shards == 1:
        torch.save(tensors, folder / "pytorch_model.bin")
        return folder
    names = {key: f"pytorch_model-{index % shards}.bin" for index, key in enumerate(tensors)}
    for file in set(names.values()):
        torch.save({key: tensors[key] for key, home in names.items() if home == file}, folder / file)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": names}))
    return folder


@pytest.mark.parametrize("shards", [1, 3])
def test_a_pickle_is_converted_once_with_a_message(shards, tmp_path, caplog):
    folder = bert(tmp_path / "bert")
    expected = weights_hash(build_model(ModelConfig(name=str(folder)), LABELS, 0))
    pickled(folder, shards)
    with caplog.at_level(logging.WARNING):
        models = [build_model(ModelConfig(name=str(folder)), LABELS, 0), load_classifier(str(folder))]
        embedding_matrix(ModelConfig(name=str(folder)))
    assert [weights_hash(model) for model in models] == [expected] * 2
    assert caplog.text.count("converted once to safetensors") == 1
    assert Path(safetensors_source(str(folder))).is_relative_to(tmp_path / "cache")
    assert not list(folder.glob("*.safetensors")), "nothing is written beside the original"


def test_safetensors_are_taken_as_they_are(tmp_path):
    folder = bert(tmp_path / "bert")
    torch.save({}, folder / "pytorch_model.bin")
    assert safetensors_source(str(folder)) == str(folder)
    assert safetensors_source(str(tmp_path)) == str(tmp_path) and safetensors_source("no/such-model") == "no/such-model"


def test_a_t5_with_a_pickle_becomes_an_enct5(tmp_path):
    config = ModelConfig(name=str(t5(tmp_path / "t5")), architecture="enct5")
    expected = weights_hash(build_model(config, LABELS, 0))
    pickled(tmp_path / "t5")
    assert weights_hash(build_model(config, LABELS, 0)) == expected


class Command:
    def __reduce__(self):
        return os.system, ("touch was-run",)


def test_a_pickle_with_a_program_in_it_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = pickled(bert(tmp_path / "bert"))
    torch.save({"weight": Command()}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="more than tensors"):
        build_model(ModelConfig(name=str(folder)), LABELS, 0)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Command(), protocol=2))
    with pytest.raises(InputError, match="more than tensors"):
        build_model(ModelConfig(name=str(folder)), LABELS, 0)
    assert not (tmp_path / "was-run").exists()


def test_names_that_share_memory_are_both_kept(tmp_path):
    folder = bert(tmp_path / "bert")
    tensors = load_file(folder / "model.safetensors")
    tensors["tied"] = tensors["bert.embeddings.word_embeddings.weight"]
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    kept = load_file(Path(safetensors_source(str(folder))) / "model.safetensors")
    assert torch.equal(kept["tied"], kept["bert.embeddings.word_embeddings.weight"])


def hub_cache(folder: Path, name: str, files: Path) -> None:
    """`files` as a snapshot in a hub cache, as a download would leave it."""
    home = folder / ("models--" + name.replace("/", "--"))
    snapshot = home / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    for file in files.iterdir():
        (snapshot / file.name).write_bytes(file.read_bytes())
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("a" * 40)


def test_a_hub_id_with_a_pickle_is_converted_from_the_hubs_cache(tmp_path, monkeypatch, caplog):
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    files = bert(tmp_path / "bert")
    expected = weights_hash(build_model(ModelConfig(name=str(files)), LABELS, 0))
    hub_cache(tmp_path / "hub", "google/bert_uncased_L-4_H-512_A-8", pickled(files))
    with caplog.at_level(logging.WARNING):
        model = build_model(ModelConfig(name="google/bert_uncased_L-4_H-512_A-8"), LABELS, 0)
    assert weights_hash(model) == expected and "converted once" in caplog.text


def test_loading_is_quiet_and_leaves_transformers_as_it_was():
    from transformers import logging

    before = logging.get_verbosity()
    with pytest.raises(OSError, match="gone"), quiet_loading():
        assert not logging.is_progress_bar_enabled() and logging.get_verbosity() == logging.ERROR
        raise OSError("gone")
    assert logging.is_progress_bar_enabled() and logging.get_verbosity() == before
