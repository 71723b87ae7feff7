"""A task for masked language models whose answers are known, and a two-layer model that has learnt it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from empirical.config import ModelConfig
from empirical.training.masked_lm import train_masked_model
from tests.empirical import tiny_kd

# The middle word follows from its neighbours: what a model learns is known.
TEXTS = [f"bad{n} word{n} good{n}" for n in range(8)] * 4


def write(source: Path, out: Path) -> Path:
    """Train on TEXTS from an encoder written to `source`; the model is in `out`."""
    tiny_kd.bert(source, layers=2, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    final = train_masked_model(ModelConfig(name=str(source)), TEXTS, out, steps=160, learning_rate=1e-2)
    assert final < 0.4 * np.log(len(tiny_kd.SPECIAL) + len(tiny_kd.WORDS)), "far below what knows nothing has"
    return out
