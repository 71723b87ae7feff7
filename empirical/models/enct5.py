"""EncT5: T5's encoder, one pooling layer of cross-attention, a classification head (section 5.2, reference [16]).

The paper prints 354M and 37M parameters. That is the encoder of T5 v1.1 Large and Small with one pooling layer of
cross-attention and feed-forward (354.1M, 37.7M); a mean over the tokens would give 336M and 36M with the first T5.
The layer's weights are new: the paper does not say whether theirs came from T5's decoder.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedModel,
    T5Config,
    T5EncoderModel,
)
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.models.t5.modeling_t5 import T5LayerFF, T5LayerNorm


class EncT5Config(T5Config):
    """T5's configuration under a name of its own; `classifier_dropout` as in T5."""

    model_type = "kdshift-enct5"


class AttentionPooling(nn.Module):
    """A layer of T5's decoder without self-attention: one learned query reads all tokens, then the feed-forward."""

    def __init__(self, config: EncT5Config) -> None:
        super().__init__()
        width, self.heads = config.d_model, config.num_heads
        inner = config.num_heads * config.d_kv
        self.query = nn.Parameter(torch.randn(width))
        self.norm = T5LayerNorm(width, eps=config.layer_norm_epsilon)
        self.q, self.k, self.v = (nn.Linear(width, inner, bias=False) for _ in range(3))
        self.o = nn.Linear(inner, width, bias=False)
        self.feed_forward = T5LayerFF(config)
        self.final_norm = T5LayerNorm(width, eps=config.layer_norm_epsilon)
        self.dropout = nn.Dropout(config.dropout_rate)
        # T5 does not scale its scores: its initial queries are smaller by the root of a head's width instead.
        spread: dict[nn.Module, int] = {self.q: width * config.d_kv, self.k: width, self.v: width, self.o: inner}
        dense = self.feed_forward.DenseReluDense
        spread |= {
            layer: config.d_ff if layer is dense.wo else width for layer in dense.children() if _is_linear(layer)
        }
        for layer, size in spread.items():
            assert isinstance(layer, nn.Linear)
            nn.init.normal_(layer.weight, std=size**-0.5)

    def forward(self, hidden_BLH: Tensor, mask_BL: Tensor) -> Tensor:
        """The pooled text, (B, H), of states (B, L, H); padding (mask 0) is not read."""
        query_B1H = self.query.expand(len(hidden_BLH), 1, -1)

        def split(x_BLI: Tensor) -> Tensor:
            return torch.unflatten(x_BLI, -1, (self.heads, -1)).transpose(1, 2)

        context = F.scaled_dot_product_attention(
            split(self.q(self.norm(query_B1H))),
            split(self.k(hidden_BLH)),
            split(self.v(hidden_BLH)),
            attn_mask=mask_BL.bool()[:, None, None, :],
            dropout_p=self.dropout.p if self.training else 0.0,
            scale=1.0,
        )
        state_B1H = query_B1H + self.dropout(self.o(context.transpose(1, 2).flatten(2)))
        pooled_BH: Tensor = self.final_norm(self.feed_forward(state_B1H)).squeeze(1)
        return pooled_BH


def _is_linear(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear)


class EncT5ForSequenceClassification(PreTrainedModel):
    """T5's encoder, attention pooling over real tokens, the classes."""

    config_class = EncT5Config
    base_model_prefix = "encoder"

    def __init__(self, config: EncT5Config) -> None:
        super().__init__(config)
        self.encoder = T5EncoderModel(config)
        self.pooling = AttentionPooling(config)
        self.dropout = nn.Dropout(config.classifier_dropout)
        assert config.num_labels is not None  # a transformers configuration always has labels
        self.classifier = nn.Linear(config.d_model, config.num_labels)
        PreTrainedModel.post_init(self)

    def get_input_embeddings(self) -> nn.Module:
        embeddings: nn.Module = self.encoder.get_input_embeddings()
        return embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.encoder.set_input_embeddings(value)

    def _init_weights(self, module: nn.Module) -> None:
        """The pooling layer and the head initialise themselves, and so does the encoder."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SequenceClassifierOutput:
        """Logits of shape (B, C) for ids of shape (B, L)."""
        hidden_BLH = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        pooled_BH = self.pooling(hidden_BLH, attention_mask)
        return SequenceClassifierOutput(logits=self.classifier(self.dropout(pooled_BH)))


def from_t5(source: str, config: EncT5Config, **load: Any) -> EncT5ForSequenceClassification:
    """An EncT5 whose encoder holds the pretrained weights of the T5 at `source`; pooling layer and head are new."""
    model = EncT5ForSequenceClassification(config)
    model.encoder = T5EncoderModel.from_pretrained(source, config=config, **load)
    return model


AutoConfig.register(EncT5Config.model_type, EncT5Config)
AutoModelForSequenceClassification.register(EncT5Config, EncT5ForSequenceClassification)
