"""EncT5: the encoder of T5, a pooling layer and a classification head (section 5.2, reference [16]).

The paper removes the decoder and adds a pooling layer without saying which; here it is the mean over the text's tokens.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedModel,
    T5Config,
    T5EncoderModel,
)
from transformers.modeling_outputs import SequenceClassifierOutput


class EncT5Config(T5Config):
    """T5's configuration under a name of its own; `classifier_dropout` as in T5."""

    model_type = "kdshift-enct5"


class EncT5ForSequenceClassification(PreTrainedModel):
    """T5's encoder, mean pooling over real tokens, a tanh layer, the classes."""

    config_class = EncT5Config
    base_model_prefix = "encoder"

    def __init__(self, config: EncT5Config) -> None:
        super().__init__(config)
        self.encoder = T5EncoderModel(config)
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.dense = nn.Linear(config.d_model, config.d_model)
        assert config.num_labels is not None  # a transformers configuration always has labels
        self.classifier = nn.Linear(config.d_model, config.num_labels)
        PreTrainedModel.post_init(self)

    def get_input_embeddings(self) -> nn.Module:
        embeddings: nn.Module = self.encoder.get_input_embeddings()
        return embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.encoder.set_input_embeddings(value)

    def _init_weights(self, module: nn.Module) -> None:
        """The head keeps PyTorch's initialisation; the encoder initialises itself."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SequenceClassifierOutput:
        """Logits of shape (B, C) for ids of shape (B, L)."""
        hidden_BLH = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weight_BL1 = attention_mask.to(hidden_BLH.dtype).unsqueeze(-1)
        pooled_BH = (hidden_BLH * weight_BL1).sum(dim=1) / weight_BL1.sum(dim=1).clamp(min=1)
        hidden_BH = torch.tanh(self.dense(self.dropout(pooled_BH)))
        return SequenceClassifierOutput(logits=self.classifier(self.dropout(hidden_BH)))


def from_t5(source: str, config: EncT5Config, **load: Any) -> EncT5ForSequenceClassification:
    """An EncT5 whose encoder holds the pretrained weights of the T5 at `source`; its head is new."""
    model = EncT5ForSequenceClassification(config)
    model.encoder = T5EncoderModel.from_pretrained(source, config=config, **load)
    return model


AutoConfig.register(EncT5Config.model_type, EncT5Config)
AutoModelForSequenceClassification.register(EncT5Config, EncT5ForSequenceClassification)
