"""Every kind of teacher and student, fresh and tiny: built, cut, checked, saved, refused where it is wrong."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

from empirical.config import ModelConfig
from empirical.models.classifier import (
    arguments,
    build_model,
    check_tokenizer,
    embedding_matrix,
    load_classifier,
    load_tokenizer,
    save_model,
    takes_segments,
    weights_hash,
)
from empirical.tokens.codec import encode_batch
from tests.empirical.tiny_kd import LABELS, SPECIAL, WORDS, bert, distilbert, t5, tokenizer
from theory.errors import InputError

TEXTS = ["good1 word2 word3", "bad1", "fair2 word9 word8 word7 word1 word1"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {"bert": bert(root / "bert"), "distilbert": distilbert(root / "distilbert"), "t5": t5(root / "t5")}


def configs(folders):
    names = {kind: str(folder) for kind, folder in folders.items()}
    return {
        "bert": ModelConfig(name=names["bert"]),
        "cut": ModelConfig(name=names["bert"], layers=(0, 3)),
        "fresh": ModelConfig(name=names["bert"], layers=(0, 1), fresh=True, hidden_size=8),
        "distilbert": ModelConfig(name=names["distilbert"]),
        "fresh distilbert": ModelConfig(name=names["distilbert"], fresh=True, layers=(0,), hidden_size=8),
        "bilstm": ModelConfig(name=names["bert"], architecture="bilstm", hidden_size=12),
        "fresh bilstm": ModelConfig(name=names["bert"], architecture="bilstm", fresh=True),
        "enct5": ModelConfig(name=names["t5"], architecture="enct5"),
        "cut enct5": ModelConfig(name=names["t5"], architecture="enct5", layers=(0, 2)),
        "fresh enct5": ModelConfig(name=names["t5"], architecture="enct5", fresh=True, layers=(0,), hidden_size=8),
    }


KINDS = list(configs({"bert": "", "distilbert": "", "t5": ""}))


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing_and_weights_survive_the_disk(kind, folders, tmp_path):
    config = configs(folders)[kind]
    model = build_model(config, LABELS, 0).eval()
    words = load_tokenizer(config)
    together = model(**arguments(model, encode_batch(words, TEXTS, None, 32))).logits
    for row, text in enumerate(TEXTS):
        alone = model(**arguments(model, encode_batch(words, [text], None, 32))).logits
        torch.testing.assert_close(together[row], alone[0], rtol=1e-4, atol=1e-5)
    save_model(model, words, tmp_path / "saved")
    loaded = load_classifier(str(tmp_path / "saved")).eval()
    assert weights_hash(loaded) == weights_hash(model)
    assert list(loaded.config.id2label.values()) == list(LABELS)
    assert not list((tmp_path / "saved").glob("*.bin"))
    torch.testing.assert_close(loaded(**arguments(loaded, encode_batch(words, TEXTS, None, 32))).logits, together)


@pytest.mark.parametrize("kind", KINDS)
def test_fresh_weights_are_a_function_of_the_seed(kind, folders):
    config = configs(folders)[kind]
    state = torch.get_rng_state()
    first, again, other = (weights_hash(build_model(config, LABELS, seed)) for seed in (0, 0, 1))
    assert first == again
    assert (first != other) == (kind not in ("bert", "cut"))  # those hold saved heads: nothing in them is fresh
    assert torch.equal(torch.get_rng_state(), state), "the global generator was used"


def test_a_cut_student_holds_the_named_layers_of_its_source(folders):
    whole = build_model(ModelConfig(name=str(folders["bert"])), LABELS, 0)
    cut = build_model(ModelConfig(name=str(folders["bert"]), layers=(0, 3)), LABELS, 0)
    layers = cut.bert.encoder.layer
    assert len(layers) == 2 and cut.config.num_hidden_layers == 2
    for mine, theirs in zip(layers, (whole.bert.encoder.layer[0], whole.bert.encoder.layer[3]), strict=True):
        assert weights_hash(mine) == weights_hash(theirs)


def test_pretrained_embeddings_of_a_bilstm_are_its_sources(folders):
    config = ModelConfig(name=str(folders["bert"]), architecture="bilstm", freeze_embeddings=True)
    model = build_model(config, LABELS, 0)
    np.testing.assert_array_equal(model.embedding.weight.detach().numpy(), embedding_matrix(config))
    assert not model.embedding.weight.requires_grad
    assert model.classifier.weight.requires_grad


def test_dropout_is_the_runs_own(folders):
    for kind in ("bert", "bilstm", "enct5", "distilbert"):
        config = configs(folders)[kind].model_copy(update={"dropout": 0.0})
        model = build_model(config, LABELS, 0).train()
        inputs = arguments(model, encode_batch(load_tokenizer(config), TEXTS, None, 32))
        torch.testing.assert_close(model(**inputs).logits, model(**inputs).logits, rtol=0, atol=0)


def test_only_models_with_token_types_get_them(folders):
    kinds = {kind: build_model(config, LABELS, 0) for kind, config in configs(folders).items()}
    assert [kind for kind, model in kinds.items() if takes_segments(model)] == ["bert", "cut", "fresh"]
    batch = encode_batch(tokenizer(), ["good1"], ["word1 word2"], 16)
    assert arguments(kinds["bert"], batch)["token_type_ids"].tolist() == [[0, 0, 0, 1, 1, 1]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": (0, 4)}, "layers.*0 to 3"),
        ({"layers": ()}, "layers"),
        ({"architecture": "enct5"}, "architecture.*a T5 model"),
        ({"fresh": True, "hidden_size": 9}, "hidden_size.*multiple of the 2"),
        ({"name": "no/such-model"}, "no/such-model"),
        ({"name": "../../etc"}, "etc"),
    ],
)
def test_a_model_that_cannot_be_is_refused_in_one_line(folders, changes, message, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    config = ModelConfig(name=str(folders["bert"])).model_copy(update=changes)
    with pytest.raises(InputError, match=message):
        build_model(config, LABELS, 0)


def test_a_t5_keeps_its_first_layer(folders):
    with pytest.raises(InputError, match="layer 0 first"):
        build_model(ModelConfig(name=str(folders["t5"]), architecture="enct5", layers=(1,)), LABELS, 0)


def test_damaged_weights_are_refused(tmp_path):
    folder = bert(tmp_path / "bert")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InputError, match="weights of"):
        build_model(ModelConfig(name=str(folder)), LABELS, 0)


def test_weights_of_another_architecture_are_refused(tmp_path):
    folder = bert(tmp_path / "bert", layers=2)
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"num_hidden_layers": 2', '"num_hidden_layers": 3'))
    with pytest.raises(InputError, match=r"layer\.2.*missing"):
        build_model(ModelConfig(name=str(folder)), LABELS, 0)


def test_a_body_without_a_head_is_no_teacher(tmp_path):
    folder = t5(tmp_path / "t5")
    model = build_model(ModelConfig(name=str(folder), architecture="enct5"), LABELS, 0)
    save_model(model, tokenizer(), tmp_path / "whole")
    assert load_classifier(str(tmp_path / "whole"))
    body = bert(tmp_path / "bert")
    from transformers import BertModel

    BertModel.from_pretrained(body).save_pretrained(body)
    with pytest.raises(InputError, match=r"classifier.*missing"):
        load_classifier(str(body))


def test_a_head_for_other_classes_is_made_anew(folders):
    model = build_model(ModelConfig(name=str(folders["bert"])), ("no", "yes"), 0)
    assert model.classifier.weight.shape[0] == 2


def test_a_tokenizer_must_fit_the_weights(folders, caplog):
    caplog.set_level(logging.WARNING)
    model = build_model(ModelConfig(name=str(folders["bert"])), LABELS, 0)
    check_tokenizer(model, tokenizer(), "bert")
    larger = tokenizer([*WORDS, "one-more"])
    with pytest.raises(InputError, match=f"{len(SPECIAL) + len(WORDS) + 1} tokens"):
        check_tokenizer(model, larger, "bert")
    with pytest.raises(InputError, match="padding token"):
        check_tokenizer(model, tokenizer(pad_first=False), "bert")
