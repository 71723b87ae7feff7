"""EncT5: the paper's sizes to the digit it prints, and pooling that reads every real token and no padding."""

from __future__ import annotations

import pytest
import torch

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
