"""Teachers of a fit: none sees its fold, early stopping watches texts apart, assistants learn what they were given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from empirical.config import ModelConfig
from empirical.models.classifier import load_tokenizer
from empirical.tokens.corpus import Corpus, encode_corpus
from kdshift.fit.folds import make_folds
from kdshift.fit.own_teachers import OwnTeachers, PaidCopies
from kdshift.fit.own_texts import OwnTexts, read_texts
from kdshift.fit.temperature import temperature
from tests.empirical import tiny_kd


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> OwnTexts:
    folder = tmp_path_factory.mktemp("own")
    tiny_kd.bert(folder / "bert", layers=1)
    return read_texts(tiny_kd.table(folder / "texts.csv", rows=80))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_kd.bert(tmp_path_factory.mktemp("bert"), layers=1))


def corpus_of(own: OwnTexts, source: str) -> Corpus:
    return encode_corpus(load_tokenizer(ModelConfig(name=source)), own.train.text_a, None, 32)


def teachers(own: OwnTexts, source: str, folder: Path, **more: object) -> OwnTeachers:
    folds = make_folds(own, 0)
    outside = more.get("answer_NC") is not None
    return OwnTeachers(
        model=ModelConfig(name=source), labels=own.labels, tokenizer=load_tokenizer(ModelConfig(name=source)),
        corpus=corpus_of(own, source), folds=folds, plan=folds.teachers(trained_on_labels=not outside), folder=folder,
        seed=0, **{"answer_NC": None, **more},  # type: ignore[arg-type]
    )  # fmt: skip


def test_validation_is_apart_from_training_and_from_the_folds_left_out(
    own: OwnTexts, source: str, tmp_path: Path
) -> None:
    made = teachers(own, source, tmp_path)
    for number, left in enumerate(made.plan.left):
        train_N, validation_N = made.rows(number)
        assert len(left) == 2 and not set(train_N) & set(validation_N)
        assert not {*train_N, *validation_N} & set(made.folds.rows(*left))


def test_a_teacher_is_trained_once_and_answers_what_it_is_asked(own: OwnTexts, source: str, tmp_path: Path) -> None:
    made = teachers(own, source, tmp_path)
    facts = made.train(0, 60.0)
    assert facts["texts"] + facts["validation"] == len(made.folds.training_rows(made.plan.left[0], labelled=True))
    before = (tmp_path / "teacher-0" / "training.json").stat().st_mtime_ns
    assert made.train(0, 60.0) == facts and (tmp_path / "teacher-0" / "training.json").stat().st_mtime_ns == before
    rows = made.folds.rows(*made.plan.left[0])
    logits_NC = made.answers(0, made.corpus, rows, made.network(0))
    assert np.isfinite(logits_NC[rows]).all() and np.isnan(np.delete(logits_NC, rows, axis=0)).all()


def test_assistants_learn_calibrated_answers_and_paid_copies(own: OwnTexts, source: str, tmp_path: Path) -> None:
    given_NC = (9 * np.eye(3)[(own.train.labels + (np.arange(len(own.train)) % 5 == 0)) % 3]).astype(np.float32)
    asked: list[int | None] = []

    def paid(fold: int | None) -> PaidCopies:
        asked.append(fold)
        return PaidCopies(
            corpus=corpus_of(own, source), origin_P=np.arange(len(own.train)), answer_PC=given_NC, realised=0.3
        )

    made = teachers(own, source, tmp_path, answer_NC=given_NC, calibrate=True, paid=paid)
    taught_NC, copies = made._taught(frozenset([2]))
    rows = made.folds.training_rows(frozenset([2]), labelled=True)
    at = temperature(given_NC[rows], own.train.labels[rows])
    assert at > 2, "a fifth of these certain answers is wrong"
    assert taught_NC is not None and np.allclose(copies["copy_answer_PC"], taught_NC) and asked == [2]
    assert np.allclose(taught_NC - taught_NC.max(axis=1, keepdims=True), (given_NC - 9) / at, atol=1e-4)
    plain = teachers(own, source, tmp_path, answer_NC=given_NC, calibrate=False)
    untouched_NC, none = plain._taught(frozenset())
    assert none == {} and untouched_NC is not None
    assert np.allclose(untouched_NC - untouched_NC.max(axis=1, keepdims=True), given_NC - 9, atol=1e-4)
