"""The Python door: a scikit-learn classifier that learns from labels and soft labels, and a collator like a run's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kdshift
from empirical.augment.replacement import RandomReplacement
from empirical.randomness import Draws, step_generator
from empirical.tokens.codec import encode_batch
from empirical.tokens.vocabulary import Vocabulary
from tests.empirical import tiny_kd
from theory.errors import InputError


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_kd.bert(tmp_path_factory.mktemp("bert"), layers=2)


def texts(count: int = 60) -> tuple[list[str], list[str]]:
    labels = [tiny_kd.LABELS[number % 3] for number in range(count)]
    return [f"{label}{number % 8} word{number % 40}" for number, label in enumerate(labels)], labels


@pytest.mark.parametrize("degree", [0.0, 0.5])
def test_it_learns_and_is_a_classifier_of_scikit_learn(bert: Path, degree: float) -> None:
    from sklearn.base import clone

    given, labels = texts()
    model = clone(kdshift.Distiller(degree=degree, augmenter="random", copies=1, model=str(bert))).fit(given, labels)
    assert list(model.classes_) == sorted(tiny_kd.LABELS)
    p_NC = model.predict_proba(given)
    assert p_NC.shape == (60, 3) and np.allclose(p_NC.sum(axis=1), 1, atol=1e-5)
    assert model.score(given, labels) > 0.8


def test_soft_labels_are_taken_and_wrong_ones_refused(bert: Path) -> None:
    given, _ = texts(30)
    soft = np.tile([0.2, 0.8], (30, 1))
    model = kdshift.Distiller(degree=0, model=str(bert)).fit(given, soft)
    assert np.allclose(model.predict_proba(given), soft, atol=0.1)
    for target in (soft[:5], soft * 2, soft[:, :, None]):
        with pytest.raises(InputError, match="target"):
            kdshift.Distiller(model=str(bert)).fit(given, target)
    with pytest.raises(InputError, match="degree"):
        kdshift.Distiller(degree=30, model=str(bert)).fit(given, soft)


def test_the_collator_draws_what_a_runs_step_draws() -> None:
    tokenizer = tiny_kd.tokenizer()
    augmenter = RandomReplacement.of(Vocabulary.of(tokenizer))
    collate = kdshift.AugmentingCollator(tokenizer, augmenter, 0.5, max_length=32, seed=7)
    given, _ = texts(8)
    features = [{"text": text, "label": number % 3} for number, text in enumerate(given)]
    first, second = collate(features), collate(features)
    batch = encode_batch(tokenizer, given, None, 32)
    for step, made in enumerate((first, second)):
        wanted = augmenter(batch, 0.5, step_generator(7, step, Draws.AUGMENTATION)).batch
        assert np.array_equal(made["input_ids"].numpy(), wanted.ids_BL)
    assert (first["input_ids"] != second["input_ids"]).any() and first["labels"].tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
