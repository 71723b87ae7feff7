"""A split that students are scored on, never trained on: validation, test, and a task's further test splits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empirical.metric import confusion, score
from empirical.tokens.corpus import Corpus


@dataclass(frozen=True, kw_only=True)
class EvaluationSplit:
    """A split for one tokenizer: its texts, its labels, the metrics wanted."""

    corpus: Corpus
    label_N: NDArray[np.int64]
    metrics: tuple[str, ...]

    def scores(self, output_NC: NDArray[np.float32]) -> dict[str, float]:
        """Every metric by name, of a model's logits of shape (N, C)."""
        count_CC = confusion(self.label_N, output_NC.argmax(axis=1), output_NC.shape[1])
        return {metric: float(score(metric, count_CC)) for metric in self.metrics}
