"""The baselines: shares for the majority, a bag of words that learns what separates, and comes back from disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from empirical.tasks.spec import Split
from kdshift.fit.baselines import BagOfWords, majority
from theory.errors import InputError


def texts(classes: int, count: int = 60, pairs: bool = False) -> Split:
    words = ("red", "green", "blue")
    label_N = np.arange(count) % classes
    first = [f"item {i} in {words[label]} paint" for i, label in enumerate(label_N)]
    return Split(text_a=["an item"] * count if pairs else first, text_b=first if pairs else None, labels=label_N)


def test_majority_gives_the_shares_of_the_labels() -> None:
    p_NC = majority(np.array([0, 0, 2, 0]), 3, 2)
    assert np.allclose(p_NC, [[0.75, 0, 0.25]] * 2)


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_bag_of_words_learns_and_returns_from_disk(tmp_path: Path, classes: int, pairs: bool) -> None:
    split = texts(classes, pairs=pairs)
    model = BagOfWords.fit(split, [f"c{i}" for i in range(classes)])
    p_NC = model.predict_proba(split.text_a, split.text_b)
    assert p_NC.shape == (60, classes) and np.allclose(p_NC.sum(axis=1), 1)
    assert (p_NC.argmax(axis=1) == split.labels).all()
    model.save(tmp_path)
    again = BagOfWords.load(tmp_path)
    assert again.labels == model.labels
    assert np.allclose(again.predict_proba(split.text_a, split.text_b), p_NC, atol=1e-5)


def test_two_classes_give_scikit_learns_own_probabilities() -> None:
    from sklearn.linear_model import LogisticRegression

    split = texts(2)
    model = BagOfWords.fit(split, ("a", "b"))
    x_NV = model.vectorizers[0].transform(split.text_a)
    best = min(
        np.abs(LogisticRegression(C=c, max_iter=500, tol=1e-3).fit(x_NV, split.labels).predict_proba(x_NV)
               - model.predict_proba(split.text_a)).max()
        for c in (1.0, 10.0, 100.0)
    )  # fmt: skip
    assert best < 1e-9


def test_a_folder_without_a_bag_of_words_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="bag of words"):
        BagOfWords.load(tmp_path)
