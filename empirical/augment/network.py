"""What augmenters ask of a classifier: its logits, and for those that search along its slope, a gradient.

The rooms above fill these in (`empirical.models.input_gradient`); augmenters never see a framework's tensors.
Shape suffixes: B texts, L tokens, C classes, D embedding width, V token ids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from empirical.tokens.batch import Batch

Scorer = Callable[[Batch], NDArray[np.floating]]
Weight = Callable[[NDArray[np.float32]], NDArray[np.float32]]

SCORED = 512  # texts that a classifier is asked about at a time


class Network(Protocol):
    """A classifier on this machine, asked for logits and for the slope of a combination of them."""

    @property
    def embeddings_VD(self) -> NDArray[np.float32]:
        """Its input embeddings, float32 of shape (V, D)."""
        ...

    def __call__(self, batch: Batch) -> NDArray[np.float32]:
        """Logits, shape (B, C)."""
        ...

    def pull_back(self, batch: Batch, weight: Weight) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits of shape (B, C), and for each text the gradient of sum_c weight_c * logit_c by its token embeddings.

        weight: function from the logits to the weights, both of shape (B, C); it is not differentiated.
        The gradient has shape (B, L, D).
        """
        ...


def score_in_parts(score: Scorer, batch: Batch) -> NDArray[np.floating]:
    """A classifier's logits of any number of texts, asked by `SCORED` in their order; shape (B, C)."""
    parts = np.split(np.arange(len(batch)), range(SCORED, len(batch), SCORED))
    return np.concatenate([score(batch.rows(part)) for part in parts])
