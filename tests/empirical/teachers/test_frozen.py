"""A trained classifier handed to augmenters: its labels in the task's order, another tokenizer refused."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.config import ModelConfig
from empirical.models.classifier import load_tokenizer
from empirical.teachers.frozen import frozen_network
from empirical.tokens.codec import encode_batch
from tests.empirical import tiny_kd
from theory.errors import InputError


def test_labels_are_put_into_the_tasks_order(tmp_path):
    source = str(tiny_kd.bert(tmp_path))
    tokenizer = load_tokenizer(ModelConfig(name=source))
    batch = encode_batch(tokenizer, ["bad1 word3", "good2"], None, 16)
    own = frozen_network("--teacher", source, tokenizer)(batch)
    turned = frozen_network("--teacher", source, tokenizer, ("good", "bad", "fair"))(batch)
    assert np.allclose(turned, own[:, [2, 0, 1]])


def test_another_tokenizer_and_a_missing_model_are_told(tmp_path):
    source = str(tiny_kd.bert(tmp_path))
    with pytest.raises(InputError, match=r"--student: .*tokenizer"):
        frozen_network("--student", source, tiny_kd.tokenizer(["other", "words"]))
    with pytest.raises(InputError, match="nowhere"):
        frozen_network("--student", str(tmp_path / "nowhere"), tiny_kd.tokenizer())
