"""What every student has to beat: the majority class, and a bag of words with logistic regression.

The bag of words can ship: it is kept as JSON and arrays, nothing is unpickled. Shapes: N texts, C classes, V n-grams.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax

from empirical.files import write_atomically
from empirical.tasks.spec import Split
from theory.errors import InputError

STRENGTHS = (1.0, 10.0, 100.0)  # inverse penalties of the logistic regression, chosen within the training texts
MOST_NGRAMS = 200_000
CHOICE_LIMIT = 5_000  # texts on which the penalty is chosen


def majority(label_N: NDArray[np.int64], classes: int, count: int) -> NDArray[np.float64]:
    """The shares of the classes in the training labels, as probabilities of shape (count, C)."""
    share_C = np.bincount(label_N, minlength=classes) / len(label_N)
    return np.tile(share_C, (count, 1))


@dataclass(frozen=True, kw_only=True)
class BagOfWords:
    """TF-IDF of words and pairs of words with logistic regression (scikit-learn's); pairs have a vocabulary a side.

    vectorizers: one a text column. weight_CV, bias_C: of the regression. labels: class names.
    """

    vectorizers: tuple[Any, ...]
    weight_CV: NDArray[np.float64]
    bias_C: NDArray[np.float64]
    labels: tuple[str, ...]

    @classmethod
    def fit(cls, split: Split, labels: Sequence[str], seed: int = 0) -> BagOfWords:
        """Fitted on labelled texts; the penalty is chosen by cross-validation within them."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        columns = _columns(split.text_a, split.text_b)
        vectorizers = tuple(_vectorizer().fit(column) for column in columns)
        x_NV = _features(vectorizers, columns)
        strength = _strength(x_NV, split.labels, seed)
        model = LogisticRegression(C=strength, max_iter=500, tol=1e-3).fit(x_NV, split.labels)
        weight_CV, bias_C = model.coef_, model.intercept_
        if len(labels) == 2:  # scikit-learn keeps one row for two classes
            weight_CV, bias_C = np.vstack([-weight_CV, weight_CV]) / 2, np.concatenate([-bias_C, bias_C]) / 2
        assert isinstance(vectorizers[0], TfidfVectorizer)
        return cls(vectorizers=vectorizers, weight_CV=weight_CV, bias_C=bias_C, labels=tuple(labels))

    def predict_proba(self, text_a: Sequence[str], text_b: Sequence[str] | None = None) -> NDArray[np.float64]:
        """Probabilities of shape (N, C)."""
        x_NV = _features(self.vectorizers, _columns(text_a, text_b))
        return np.asarray(softmax(x_NV @ self.weight_CV.T + self.bias_C, axis=1))

    def save(self, folder: Path) -> None:
        """Write vocabulary, weights and label names into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            folder / "weights.npz",
            weight=self.weight_CV.astype(np.float32),
            bias=self.bias_C,
            **{f"idf_{side}": vectorizer.idf_ for side, vectorizer in enumerate(self.vectorizers)},
        )
        ngrams = [
            sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__) for vectorizer in self.vectorizers
        ]
        write_atomically(folder / "vocabulary.json", json.dumps({"labels": self.labels, "ngrams": ngrams}))

    @classmethod
    def load(cls, folder: Path) -> BagOfWords:
        """What `save` wrote; raises InputError where it is not."""
        try:
            words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
            arrays = np.load(folder / "weights.npz", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise InputError("bag of words", str(folder), f"a folder that kdshift fit has written ({error})") from None
        vectorizers = []
        for side, ngrams in enumerate(words["ngrams"]):
            vectorizer = _vectorizer(vocabulary={ngram: index for index, ngram in enumerate(ngrams)})
            vectorizer.idf_ = arrays[f"idf_{side}"]
            vectorizers.append(vectorizer)
        return cls(
            vectorizers=tuple(vectorizers),
            weight_CV=arrays["weight"].astype(np.float64),
            bias_C=arrays["bias"],
            labels=tuple(words["labels"]),
        )


def _vectorizer(vocabulary: dict[str, int] | None = None) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    limit = None if vocabulary else MOST_NGRAMS
    # Any word character counts: scikit-learn's own pattern drops words of one letter and with them many languages.
    pattern = r"(?u)\b\w+\b|[^\w\s]"
    return TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, max_features=limit, vocabulary=vocabulary, token_pattern=pattern
    )


def _columns(text_a: Sequence[str], text_b: Sequence[str] | None) -> list[list[str]]:
    return [list(text_a)] if text_b is None else [list(text_a), list(text_b)]


def _features(vectorizers: Sequence[Any], columns: Sequence[Sequence[str]]) -> Any:
    parts = [vectorizer.transform(column) for vectorizer, column in zip(vectorizers, columns, strict=True)]
    return sparse.hstack(parts, format="csr")


def _strength(x_NV: Any, label_N: NDArray[np.int64], seed: int) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    if np.bincount(label_N).min() < 3:
        return STRENGTHS[1]
    chosen = np.random.default_rng(seed).permutation(len(label_N))[:CHOICE_LIMIT]
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    scores = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=300, tol=1e-2)
        try:
            score = cross_val_score(model, x_NV[chosen], label_N[chosen], cv=folds, scoring="neg_log_loss").mean()
        except ValueError:  # a class that the sample has lost
            score = -np.inf
        scores.append(score)
    return STRENGTHS[int(np.argmax(scores))]
