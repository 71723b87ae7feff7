"""A bidirectional LSTM classifier, the light student of Tang et al. (the paper's reference [25]).

It is a transformers model, so that weights, configurations and label names are stored as every other model's.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence
from transformers import AutoConfig, AutoModelForSequenceClassification, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class BiLSTMConfig(PretrainedConfig):
    """Sizes of a BiLSTM classifier; `hidden_size` is the width of one direction (150 in [25])."""

    model_type = "kdshift-bilstm"

    def __init__(
        self,
        vocab_size: int = 30522,
        embedding_size: int = 300,
        hidden_size: int = 150,
        dropout: float = 0.1,
        pad_token_id: int = 0,
        num_hidden_layers: int = 1,
        **rest: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.num_hidden_layers = num_hidden_layers
        super().__init__(pad_token_id=pad_token_id, **rest)


class BiLSTMForSequenceClassification(PreTrainedModel):
    """Embedding, one bidirectional LSTM, the last state of both directions, a ReLU layer, the classes."""

    config_class = BiLSTMConfig
    base_model_prefix = "bilstm"

    def __init__(self, config: BiLSTMConfig) -> None:
        super().__init__(config)
        width = 2 * config.hidden_size
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size, padding_idx=config.pad_token_id)
        self.lstm = nn.LSTM(
            config.embedding_size,
            config.hidden_size,
            num_layers=config.num_hidden_layers,
            bidirectional=True,
            batch_first=True,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.dense = nn.Linear(width, width)
        self.classifier = nn.Linear(width, config.num_labels)
        self.post_init()

    def get_input_embeddings(self) -> nn.Embedding:
        return self.embedding

    def set_input_embeddings(self, value: nn.Embedding) -> None:
        self.embedding = value

    def _init_weights(self, module: nn.Module) -> None:
        """PyTorch's own initialisation stays: it is what [25] uses."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SequenceClassifierOutput:
        """Logits of shape (B, C) for ids of shape (B, L); padding is packed away, so it changes nothing."""
        embedded_BLE = self.dropout(self.embedding(input_ids))
        length_B = attention_mask.sum(dim=1).cpu()
        packed = pack_padded_sequence(embedded_BLE, length_B, batch_first=True, enforce_sorted=False)
        _, (state, _) = self.lstm(packed)
        last_BH = torch.cat([state[-2], state[-1]], dim=1)
        hidden_BH = self.dropout(torch.relu(self.dense(last_BH)))
        return SequenceClassifierOutput(logits=self.classifier(hidden_BH))


AutoConfig.register(BiLSTMConfig.model_type, BiLSTMConfig)
AutoModelForSequenceClassification.register(BiLSTMConfig, BiLSTMForSequenceClassification)
