"""An encoder's sentence representation: the mean of its last hidden states over a text's tokens.

Serves `kdshift empirical shift` and `recommend`, which measure how far augmented texts move. Shapes: B texts, L tokens,
D width of the representation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel

from empirical.config import ModelConfig
from empirical.models.classifier import arguments, source_of
from empirical.tokens.batch import Batch
from empirical.weights import quiet_loading
from theory.errors import InputError


def load_encoder(config: ModelConfig) -> Any:
    """The pretrained encoder of a model, whole and without a head: its states are kept for every token.

    Raises:
        InputError: there is none at that place.
    """
    try:
        with quiet_loading():
            return AutoModel.from_pretrained(source_of(config), trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise InputError("model", config.name, "`minilm`, or an encoder on this machine or on the hub") from error


def pooled_encoder(encoder: Any) -> Callable[[Batch], NDArray[np.float32]]:
    """The mean over a text's tokens of an encoder's last hidden states, as sentence-transformers pools.

    encoder: from `load_encoder`. A classifier's own encoder will not do: its last layer computes the first token only
        (`models.last_layer`), and a mean over that one state would be silently that state.
    Returns a function from a Batch to a float32 array of shape (B, D).
    """
    encoder.eval()

    def encode(batch: Batch) -> NDArray[np.float32]:
        with torch.inference_mode():
            hidden_BLD = encoder(**arguments(encoder, batch, encoder.device)).last_hidden_state.float()
            assert hidden_BLD.shape[:2] == batch.mask_BL.shape, f"states of shape {tuple(hidden_BLD.shape)}"
            mask_BL1 = torch.from_numpy(batch.mask_BL).to(hidden_BLD.device).unsqueeze(-1)
            pooled_BD: NDArray[np.float32] = ((hidden_BLD * mask_BL1).sum(dim=1) / mask_BL1.sum(dim=1)).cpu().numpy()
            return pooled_BD

    return encode
