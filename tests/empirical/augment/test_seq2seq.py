"""Back-translation by a seq2seq model: forced languages, order, and no global random numbers."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer

from empirical.augment import make_augmenter
from empirical.config import AugmentConfig
from empirical.models.minilm import minilm_path
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch
from theory.errors import InputError


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


@pytest.fixture(scope="module")
def tiny_nllb(tmp_path_factory):
    """A fresh NLLB-like model: M2M-100's architecture, random weights, a tokenizer of a few words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import M2M100Config, M2M100ForConditionalGeneration, PreTrainedTokenizerFast

    words = [
        "<s>",
        "<pad>",
        "</s>",
        "<unk>",
        "the",
        "house",
        "is",
        "red",
        "la",
        "casa",
        "eng_Latn",
        "fra_Latn",
        "rus_Cyrl",
    ]
    backend = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    codes = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    folder = tmp_path_factory.mktemp("nllb")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=32, **codes)
    tokenizer.add_special_tokens({"additional_special_tokens": words[10:]})
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "decoder_start_token_id": 2}
    config = M2M100Config(vocab_size=len(words), pad_token_id=1, bos_token_id=0, eos_token_id=2, **sizes, **heads)
    M2M100ForConditionalGeneration(config).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("decoding", ["beam", "sample"])
def test_seq2seq_engine_forces_the_language_and_keeps_the_order(tiny_nllb, tokenizer, tmp_path, decoding):
    import torch

    settings = {"engine": tiny_nllb, "pivots": ("fra_Latn", "rus_Cyrl"), "decoding": decoding}
    config = AugmentConfig(augmenter="back-translation", **settings)
    augmenter = make_augmenter(config, tokenizer=tokenizer, cache=tmp_path, max_length=32)
    engine = augmenter.translator
    forced = []
    model, _ = engine._model.load()
    generate = model.generate
    model.generate = lambda **given: forced.append(given["forced_bos_token_id"]) or generate(**given)
    texts = ["the house", "the house is red the house is red", "red"]
    state = torch.random.get_rng_state()
    answers = engine.round_trip(texts, "fra_Latn", 1)
    assert forced == [11, 10], "to French, and back to English"
    assert torch.equal(torch.random.get_rng_state(), state), "no global random numbers are used up"
    assert engine.round_trip(texts, "fra_Latn", 1) == answers
    assert not any(code in answer for answer in answers for code in ("_Latn", "_Cyrl", "</s>"))
    if decoding == "sample":
        assert any(engine.round_trip(texts, "fra_Latn", seed) != answers for seed in range(2, 8))
    result = augmenter(encode_batch(tokenizer, texts, None, 32), 0.3, step_generator(0, 0, 1), copy=1)
    assert len(result.batch) == 3 and forced[-2] == 12


def test_unknown_model_or_language_is_told(tiny_nllb, tmp_path, tokenizer):
    for settings, message in (
        ({"engine": str(tmp_path / "none")}, "engine: found"),
        ({"engine": tiny_nllb, "pivots": ("xxx_Latn",)}, "pivots: found 'xxx_Latn'"),
    ):
        config = AugmentConfig(augmenter="back-translation", **settings)
        augmenter = make_augmenter(config, tokenizer=tokenizer, cache=tmp_path)
        with pytest.raises(InputError, match=message):
            augmenter(encode_batch(tokenizer, ["the house"], None, 32), 0.3, step_generator(0, 0, 1))
