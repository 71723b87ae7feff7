"""A static student without PyTorch: the same probabilities as with it, and the speed that is promised."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from empirical.models.classifier import save_model
from empirical.models.mean_embedding import MeanEmbeddingConfig, MeanEmbeddingForSequenceClassification
from kdshift.fit.prediction import ShippedStudent
from kdshift.fit.static_prediction import StaticClassifier
from tests.empirical import tiny_kd
from theory.errors import InputError

LENGTH = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer, path = tiny_kd.tokenizer(), tmp_path_factory.mktemp("static") / "model"
    settings = MeanEmbeddingConfig(
        vocab_size=len(tokenizer), embedding_size=64, hidden_size=32, pad_token_id=tokenizer.pad_token_id,
        id2label=dict(enumerate(tiny_kd.LABELS)), label2id={name: at for at, name in enumerate(tiny_kd.LABELS)},
    )  # fmt: skip
    torch.manual_seed(0)
    save_model(MeanEmbeddingForSequenceClassification(settings).eval(), tokenizer, path)
    return path


def texts(count: int) -> list[str]:
    return [" ".join(f"word{(number * step) % 40}" for step in range(1, 2 + number % 20)) for number in range(count)]


def test_probabilities_are_the_networks(folder: Path) -> None:
    fast, slow = StaticClassifier.load(folder, LENGTH), ShippedStudent.load(folder, LENGTH)
    assert fast is not None and fast.labels == slow.labels == tiny_kd.LABELS
    given = [*texts(60), "", "quite unknown!"]
    assert np.allclose(fast.predict_proba(given), slow.predict_proba(given), atol=1e-5)
    other = given[::-1]
    assert np.allclose(fast.predict_proba(given, other), slow.predict_proba(given, other), atol=1e-5)
    assert not np.allclose(fast.predict_proba(given, other), fast.predict_proba(given), atol=1e-3)


def test_another_model_is_left_to_pytorch_and_a_broken_folder_is_told(folder: Path, tmp_path: Path) -> None:
    assert StaticClassifier.load(tiny_kd.bert(tmp_path, layers=1), LENGTH) is None
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text((folder / "config.json").read_text(encoding="utf-8"), encoding="utf-8")
    (broken / "model.safetensors").write_bytes(b"nothing")
    for path in (broken, tmp_path / "none"):
        with pytest.raises(InputError, match="DIR"):
            StaticClassifier.load(path, LENGTH)


def processor_seconds(work: Callable[[], object]) -> float:
    """The least of three runs."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def test_it_answers_five_thousand_short_texts_a_second(folder: Path) -> None:
    fast = StaticClassifier.load(folder, 128)
    assert fast is not None
    given = texts(4000)
    spent = processor_seconds(lambda: fast.predict_proba(given))
    assert len(given) / spent > 2_500, "a second of one core; two cores are asked for 5,000"
