"""EncT5: the paper's sizes to the digit it prints, and pooling that reads every real token and no padding."""

from __future__ import annotations

import base64
import json

import pytest
import torch
from transformers import T5Config

from empirical.config import ModelConfig
from empirical.models.classifier import load_tokenizer
from empirical.models.enct5 import AttentionPooling, EncT5Config, EncT5ForSequenceClassification

# The published configurations of google/t5-v1_1-large and -small.
V1_1 = {"vocab_size": 32_128, "d_kv": 64, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
LARGE = {**V1_1, "d_model": 1024, "d_ff": 2816, "num_layers": 24, "num_heads": 16}
SMALL = {**V1_1, "d_model": 512, "d_ff": 1024, "num_layers": 8, "num_heads": 6}


@pytest.mark.parametrize(("sizes", "millions", "printed"), [(LARGE, 354.1, 354), (SMALL, 37.7, 37)])
def test_the_papers_sizes(sizes, millions, printed):
    with torch.device("meta"):
        model = EncT5ForSequenceClassification(EncT5Config(**sizes, num_labels=2, is_encoder_decoder=False))
    found = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    assert round(found, 1) == millions and int(found) == printed


def tiny(seed: int = 0) -> AttentionPooling:
    torch.manual_seed(seed)
    return AttentionPooling(EncT5Config(**{**SMALL, "d_model": 16, "d_kv": 4, "d_ff": 32, "num_heads": 2})).eval()


def test_pooling_reads_every_real_token_and_no_padding():
    pooling = tiny()
    hidden_BLH = torch.randn(1, 5, 16, generator=torch.Generator().manual_seed(1))
    mask_BL = torch.tensor([[1, 1, 1, 1, 0]])
    pooled_BH = pooling(hidden_BLH, mask_BL)
    for place in range(5):
        other_BLH = hidden_BLH.clone()
        other_BLH[0, place] += 1.0
        same = torch.allclose(pooling(other_BLH, mask_BL), pooled_BH, atol=1e-6)
        assert same == (place == 4)


def test_one_token_is_attended_to_alone():
    """With one real token the attention is the identity on its value: the output has a closed form."""
    pooling = tiny()
    hidden_BLH = torch.randn(2, 1, 16, generator=torch.Generator().manual_seed(1))
    state = pooling.query + pooling.o(pooling.v(hidden_BLH[:, 0]))
    expected = pooling.final_norm(pooling.feed_forward(state))
    torch.testing.assert_close(pooling(hidden_BLH, torch.ones(2, 1)), expected)


# A SentencePiece model of eight pieces: <pad>, </s>, <unk>, "good", "bad", "word", "s" and the word mark.
PIECES = (
    "Cg4KBTxwYWQ+FQAAAAAYAwoNCgQ8L3M+FQAAAAAYAwoOCgU8dW5rPhUAAAAAGAIKEAoH4paBZ29vZBUAAIC/GAEKDwoG4paBYmFkFQAAwL8YAQoQ"
    "CgfiloF3b3JkFQAAAMAYAQoKCgFzFQAAQMAYAQoMCgPiloEVAACAwBgBEi4YAcACAsgC////////////AdACAdgCAOoCBTx1bms++gIEPC9zPoID"
    "BTxwYWQ+GgwKCGlkZW50aXR5GAE="
)


def test_a_tokenizer_that_is_a_sentencepiece_model_alone_is_read(tmp_path):
    """So it may be on the hub with T5 v1.1: no tokenizer.json."""
    (tmp_path / "spiece.model").write_bytes(base64.b64decode(PIECES))
    T5Config(vocab_size=120).save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer", "extra_ids": 100}))
    tokenizer = load_tokenizer(ModelConfig(name=str(tmp_path), architecture="enct5"))
    assert tokenizer("good bad words")["input_ids"] == [3, 4, 5, 6, 1] and tokenizer.pad_token_id == 0
