"""The static student: the mean of a text's token embeddings and one hidden layer, the fastest classifier here.

It is a transformers model, and its file imports nothing of this project, so that it travels inside the folders of
`kdshift fit` and loads where only transformers is installed (`trust_remote_code=True`).
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class MeanEmbeddingConfig(PretrainedConfig):
    """Sizes of a static student; `num_hidden_layers` is there because every configuration has it.

    The BiLSTM's sizes have the same names; they are written again here because this file travels alone.
    """

    model_type = "kdshift-mean-embedding"

    def __init__(
        self,
        vocab_size: int = 30522,
        embedding_size: int = 128,
        hidden_size: int = 128,
        dropout: float = 0.1,
        pad_token_id: int = 0,
        num_hidden_layers: int = 0,
        **rest: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.num_hidden_layers = num_hidden_layers
        super().__init__(**{"pad_token_id": pad_token_id, **rest})


class MeanEmbeddingForSequenceClassification(PreTrainedModel):
    """Embeddings, their mean over the text, a ReLU layer, the classes."""

    config_class = MeanEmbeddingConfig
    base_model_prefix = "mean_embedding"
    _auto_class = "AutoModelForSequenceClassification"

    def __init__(self, config: MeanEmbeddingConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size, padding_idx=config.pad_token_id)
        self.dropout = nn.Dropout(config.dropout)
        self.dense = nn.Linear(config.embedding_size, config.hidden_size)
        self.classifier = nn.Linear(config.hidden_size, cast(int, config.num_labels))
        self.post_init()  # type: ignore[no-untyped-call]  # transformers' own, inherited

    def get_input_embeddings(self) -> nn.Embedding:
        return self.embedding

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.embedding = cast(nn.Embedding, value)

    def _init_weights(self, module: nn.Module) -> None:
        """PyTorch's own initialisation stays."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> SequenceClassifierOutput:
        """Logits of shape (B, C) for ids of shape (B, L); padding changes nothing."""
        mask_BL = input_ids != self.config.pad_token_id if attention_mask is None else attention_mask
        mask_BL1 = mask_BL.unsqueeze(-1).to(self.embedding.weight.dtype)
        sum_BE = (self.embedding(input_ids) * mask_BL1).sum(dim=1)
        mean_BE = sum_BE / mask_BL1.sum(dim=1).clamp(min=1.0)
        hidden_BH = torch.relu(self.dense(self.dropout(mean_BE)))
        return SequenceClassifierOutput(logits=self.classifier(self.dropout(hidden_BH)))


MeanEmbeddingConfig._auto_class = "AutoConfig"
AutoConfig.register(MeanEmbeddingConfig.model_type, MeanEmbeddingConfig, exist_ok=True)
AutoModelForSequenceClassification.register(MeanEmbeddingConfig, MeanEmbeddingForSequenceClassification, exist_ok=True)
