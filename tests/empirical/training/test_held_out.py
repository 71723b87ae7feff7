"""Scores on a held-out split are those of scikit-learn on the classes with the largest logits."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from empirical.tokens.corpus import encode_corpus
from empirical.training.held_out import EvaluationSplit
from tests.empirical.tiny_kd import tokenizer


def split_of(label_N: np.ndarray, *names: str) -> EvaluationSplit:
    corpus = encode_corpus(tokenizer(), ["word1"] * len(label_N), None, 8)
    return EvaluationSplit(corpus=corpus, label_N=label_N, metrics=names)


@pytest.mark.parametrize("seed", range(3))
def test_two_classes_are_scored_as_scikit_learn_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    label_N = rng.integers(0, 2, 80)
    output_NC = rng.standard_normal((80, 2)).astype(np.float32) + np.eye(2, dtype=np.float32)[label_N]
    predicted_N = output_NC.argmax(axis=1)
    found = split_of(label_N, "accuracy", "matthews", "f1").scores(output_NC)
    assert found == {
        "accuracy": pytest.approx(metrics.accuracy_score(label_N, predicted_N)),
        "matthews": pytest.approx(metrics.matthews_corrcoef(label_N, predicted_N)),
        "f1": pytest.approx(metrics.f1_score(label_N, predicted_N)),
    }
    assert all(type(value) is float for value in found.values())


def test_micro_f1_leaves_the_first_class_out() -> None:
    label_N = np.array([0, 0, 1, 2, 2, 1, 0])
    output_NC = np.eye(3, dtype=np.float32)[[0, 1, 1, 2, 0, 2, 0]]
    expected = metrics.f1_score(label_N, output_NC.argmax(axis=1), labels=[1, 2], average="micro")
    assert split_of(label_N, "micro-f1").scores(output_NC) == {"micro-f1": pytest.approx(expected)}


def test_classes_that_no_text_has_change_nothing_and_shifted_logits_neither() -> None:
    label_N = np.array([0, 1, 1])
    output_NC = np.array([[2, 1, 0, 0], [0, 3, 1, 2], [5, 1, 0, 1]], dtype=np.float32)
    split = split_of(label_N, "accuracy")
    assert split.scores(output_NC) == split.scores(output_NC + 7) == {"accuracy": pytest.approx(2 / 3)}
