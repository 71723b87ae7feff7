"""The Python door: a scikit-learn classifier of labels and soft labels, and a collator like a run's steps."""

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
    model = clone(kdshift.Distiller(degree=degree, augmenter="random", copies=1, model=str(bert), steps=300)).fit(
        given, labels
    )
    assert list(model.classes_) == sorted(tiny_kd.LABELS)
    p_NC = model.predict_proba(given)
    assert p_NC.shape == (60, 3) and np.allclose(p_NC.sum(axis=1), 1, atol=1e-5)
    assert model.score(given, labels) > 0.8


def test_soft_labels_are_taken_and_wrong_ones_refused(bert: Path) -> None:
    given, _ = texts(30)
    soft = np.tile([0.2, 0.8], (30, 1))
    model = kdshift.Distiller(degree=0, model=str(bert), steps=300).fit(given, soft)
    assert np.allclose(model.predict_proba(given), soft, atol=0.1)
    for target in (soft[:5], soft * 2, soft[:, :, None]):
        with pytest.raises(InputError, match="target"):
            kdshift.Distiller(model=str(bert)).fit(given, target)
    with pytest.raises(InputError, match="degree"):
        kdshift.Distiller(degree=30, model=str(bert)).fit(given, soft)


def test_light_students_choose_the_degree(bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kdshift.fit.degree_choice.STEPS", 30)
    monkeypatch.setattr("kdshift.fit.options.DEGREES", (0.3, 0.7))
    given, labels = texts(48)
    model = kdshift.Distiller(degree="auto", augmenter="random", copies=1, model=str(bert), steps=20).fit(given, labels)
    found = model.recommendation_
    assert model.degree_ == found["degree"] and model.degree_ in (0.0, 0.3, 0.7)
    assert found["low"] <= found["gain"] <= found["high"] and found["replicates"] == 4
    assert model.predict_proba(given).shape == (48, 3)
    with pytest.raises(InputError, match="auto"):
        kdshift.Distiller(degree="most", model=str(bert)).fit(given, labels)


def test_a_teacher_answers_for_the_copies_that_it_is_shown(bert: Path) -> None:
    seen: list[str] = []

    class Stubborn:
        """Whatever changed is of the second class."""

        def predict_proba(self, given: list[str]) -> np.ndarray:
            seen.extend(given)
            return np.tile([0.01, 0.98, 0.01], (len(given), 1))

    given, labels = texts(30)
    options = {"degree": 1.0, "augmenter": "random", "copies": 2, "model": str(bert), "steps": 200}
    taught = kdshift.Distiller(teacher=Stubborn(), **options).fit(given, labels)
    alone = kdshift.Distiller(**options).fit(given, labels)
    assert len(seen) == 60 and not set(seen) & set(given)
    fair = list(taught.classes_).index("fair")
    assert fair == 1
    others = [f"word{number} word{number + 1}" for number in range(30)]
    assert taught.predict_proba(others)[:, fair].mean() > alone.predict_proba(others)[:, fair].mean() + 0.2


def test_a_grid_search_chooses_among_degrees(bert: Path) -> None:
    from sklearn.model_selection import GridSearchCV

    given, labels = texts(36)
    search = GridSearchCV(
        kdshift.Distiller(augmenter="random", copies=1, model=str(bert), steps=40), {"degree": [0.0, 0.5]}, cv=2
    ).fit(given, labels)
    assert search.best_params_["degree"] in (0.0, 0.5) and 0 <= search.best_score_ <= 1
    assert len(search.predict(given)) == 36


def test_the_collators_ids_are_the_command_lines(
    bert: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io
    import json
    import sys
    from types import SimpleNamespace

    from kdshift.cli import main

    given = [f"word{number % 40} good{number % 8} word{(3 * number) % 40}" for number in range(8)]
    lines = io.BytesIO("\n".join(given).encode())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=lines, isatty=lambda: False))
    arguments = ["empirical", "augment", "--augmenter", "random", "--degree", "0.5", "--seed", "7", "--json"]
    try:
        main([*arguments, "--model", str(bert)])
    except SystemExit as ended:
        assert not ended.code
    written = [json.loads(line)["augmented"] for line in capsys.readouterr().out.splitlines()]
    tokenizer = tiny_kd.tokenizer()
    collate = kdshift.AugmentingCollator(
        tokenizer, RandomReplacement.of(Vocabulary.of(tokenizer)), 0.5, max_length=32, seed=7
    )
    made = collate([{"text": text} for text in given])["input_ids"].numpy()
    assert np.array_equal(made, encode_batch(tokenizer, written, None, 32).ids_BL)


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
