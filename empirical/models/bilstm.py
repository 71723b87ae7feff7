"""A bidirectional LSTM classifier, the light student of Tang et al. (the paper's reference [25]).

It is a transformers model, so that weights, configurations and label names are stored as every other model's.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
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
        super().__init__(**{"pad_token_id": pad_token_id, **rest})


class BiLSTMLayer(nn.Module):
    """One LSTM layer in both directions over padded texts: two plain LSTMs, which take half a packed one's time."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.ahead = nn.LSTM(width, hidden, batch_first=True)
        self.back = nn.LSTM(width, hidden, batch_first=True)

    def forward(self, x_BLE: Tensor, row_B1: Tensor, turned_BL: Tensor) -> Tensor:
        """States of both directions side by side, (B, L, 2H) in the order of the text; those at padding mean nothing.

        turned_BL: for each place of a text read backwards its place in the text; applied twice it gives the text again.
        """
        return torch.cat([self.ahead(x_BLE)[0], self.back(x_BLE[row_B1, turned_BL])[0][row_B1, turned_BL]], dim=2)


class BiLSTMForSequenceClassification(PreTrainedModel):
    """Embedding, one bidirectional LSTM, the last state of both directions, a ReLU layer, the classes."""

    config_class = BiLSTMConfig
    base_model_prefix = "bilstm"

    def __init__(self, config: BiLSTMConfig) -> None:
        super().__init__(config)
        width, classes = 2 * config.hidden_size, config.num_labels
        assert classes is not None  # a transformers configuration always has labels
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size, padding_idx=config.pad_token_id)
        widths = [config.embedding_size, *[width] * (config.num_hidden_layers - 1)]
        self.layers = nn.ModuleList(BiLSTMLayer(size, config.hidden_size) for size in widths)
        self.dropout = nn.Dropout(config.dropout)
        self.dense = nn.Linear(width, width)
        self.classifier = nn.Linear(width, classes)
        PreTrainedModel.post_init(self)

    def get_input_embeddings(self) -> nn.Embedding:
        return self.embedding

    def set_input_embeddings(self, value: nn.Module) -> None:
        assert isinstance(value, nn.Embedding)
        self.embedding = value

    def _init_weights(self, module: nn.Module) -> None:
        """PyTorch's own initialisation stays: it is what [25] uses."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SequenceClassifierOutput:
        """Logits of shape (B, C) for ids of shape (B, L); padding stands on the right and changes nothing."""
        state_BLE = self.dropout(self.embedding(input_ids))
        row_B = torch.arange(input_ids.shape[0], device=input_ids.device)
        last_B = attention_mask.sum(dim=1).long() - 1
        # A text read backwards starts at its own last token: its padding stays behind it.
        turned_BL = last_B[:, None] - torch.arange(input_ids.shape[1], device=input_ids.device)
        turned_BL = torch.where(turned_BL < 0, turned_BL + input_ids.shape[1], turned_BL)
        for layer in self.layers:
            state_BLE = layer(state_BLE, row_B[:, None], turned_BL)
        half = self.config.hidden_size
        last_BH = torch.cat([state_BLE[row_B, last_B, :half], state_BLE[:, 0, half:]], dim=1)
        hidden_BH = self.dropout(torch.relu(self.dense(last_BH)))
        return SequenceClassifierOutput(logits=self.classifier(hidden_BH))


AutoConfig.register(BiLSTMConfig.model_type, BiLSTMConfig)
AutoModelForSequenceClassification.register(BiLSTMConfig, BiLSTMForSequenceClassification)
