"""A linear student: hashed word-piece 1-2-grams, ridge on logits (distillation) or a logistic regression (labels).

It is never starved: both fits are convex and run to convergence, the penalty is chosen on validation texts.
`kdshift empirical curves` fits thousands. Shapes: N texts, G hashed 1-2-grams, C classes.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from empirical.tokens.corpus import Corpus

BUCKETS = 2**17
RIDGE_PENALTIES = tuple(float(value) for value in np.logspace(-6, -2, 5))  # the least is the limit of none
LABEL_PENALTIES = tuple(float(value) for value in np.logspace(-5, -2, 7))
TOLERANCE = 1e-4
LABEL_TOLERANCE = 1e-3
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing


def ngrams(corpus: Corpus, index_N: NDArray[np.integer]) -> sparse.csr_matrix:
    """Counts of hashed pieces and pairs of neighbouring pieces, each row of length one; float32, shape (N, G).

    Start and end tokens take part: they mark what begins and ends a text.
    """
    batch = corpus.batch(index_N)
    ids_BL, mask_BL = batch.ids_BL.astype(np.uint64), batch.mask_BL
    pair_BL = mask_BL[:, :-1] & mask_BL[:, 1:]
    pairs = (ids_BL[:, :-1] + np.uint64(1)) << np.uint64(24) | ids_BL[:, 1:]
    bucket = _bucket(np.concatenate([ids_BL[mask_BL], pairs[pair_BL]]))
    row = np.concatenate([np.nonzero(mask_BL)[0], np.nonzero(pair_BL)[0]])
    count = sparse.coo_matrix((np.ones(len(row), np.float32), (row, bucket)), shape=(len(index_N), BUCKETS)).tocsr()
    norm_N = np.sqrt(np.asarray(count.multiply(count).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(norm_N, 1e-12)) @ count, dtype=np.float32)


def _bucket(key: NDArray[np.uint64]) -> NDArray[np.int64]:
    shift = np.uint64(64 - BUCKETS.bit_length() + 1)
    with np.errstate(over="ignore"):
        return ((key * MULTIPLIER) >> shift).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class LinearStudent:
    """A fitted student: logits = x @ weight + intercept on the columns that it has seen.

    column: the hashed 1-2-grams with a weight. penalty: the one chosen. at_edge: whether a grid's end was chosen (for
    ridge its upper one: the lower one is the limit of no penalty).
    """

    column: NDArray[np.int64]
    weight_GC: NDArray[np.float64]
    intercept_C: NDArray[np.float64]
    penalty: float
    at_edge: bool

    def logits(self, x_NG: sparse.csr_matrix) -> NDArray[np.float64]:
        """Logits of shape (N, C)."""
        return np.asarray(x_NG[:, self.column] @ self.weight_GC) + self.intercept_C


def fit_ridge(
    x_NG: sparse.csr_matrix,
    target_NC: NDArray[np.floating],
    weight_N: NDArray[np.floating],
    validation: tuple[sparse.csr_matrix, NDArray[np.floating]],
    penalties: Sequence[float] = RIDGE_PENALTIES,
) -> LinearStudent:
    """The ridge regression of logits whose squared distance to the teacher on validation texts is least.

    weight_N: weights of the texts, shape (N,), that sum to one; the loss is
        sum_i w_i |h(x_i) - g(x_i)|^2 + penalty |W|^2.
    validation: texts (V, G) and the teacher's logits (V, C), on which the penalty is chosen.
    """
    column = np.unique(x_NG.indices).astype(np.int64)
    x, held_out, target_VC = x_NG[:, column], validation[0][:, column], np.asarray(validation[1])
    best: tuple[float, int, Ridge] | None = None
    for number, penalty in enumerate(penalties):
        model = Ridge(alpha=penalty, solver="sparse_cg", tol=TOLERANCE).fit(x, target_NC, sample_weight=weight_N)
        error = float(np.square(model.predict(held_out) - target_VC).mean())
        if best is None or error < best[0]:
            best = (error, number, model)
    assert best is not None, "no penalty"
    _, number, model = best
    return LinearStudent(
        column=column,
        weight_GC=np.atleast_2d(model.coef_).T,
        intercept_C=np.atleast_1d(model.intercept_),
        penalty=penalties[number],
        at_edge=number == len(penalties) - 1,
    )


def fit_labels(
    x_NG: sparse.csr_matrix,
    label_N: NDArray[np.integer],
    weight_N: NDArray[np.floating],
    classes: int,
    validation: tuple[sparse.csr_matrix, NDArray[np.integer]],
    penalties: Sequence[float] = LABEL_PENALTIES,
) -> LinearStudent:
    """The logistic regression on labels (copied ones too) that gives validation labels the least cross-entropy.

    The loss is sum_i w_i CE_i + penalty |W|^2 / 2; a class without a text gets a logit far below the others.
    """
    column = np.unique(x_NG.indices).astype(np.int64)
    x, held_out = x_NG[:, column], validation[0][:, column]
    present = np.unique(label_N)
    best: tuple[float, int, NDArray[np.float64], NDArray[np.float64]] | None = None
    for number, penalty in enumerate(penalties):
        weight_GC, intercept_C = _logistic(x, label_N, weight_N, present, classes, penalty)
        error = cross_entropy(held_out @ weight_GC + intercept_C, validation[1])
        if best is None or error < best[0]:
            best = (error, number, weight_GC, intercept_C)
    assert best is not None, "no penalty"
    _, number, weight_GC, intercept_C = best
    return LinearStudent(
        column=column,
        weight_GC=weight_GC,
        intercept_C=intercept_C,
        penalty=penalties[number],
        at_edge=number in (0, len(penalties) - 1),
    )


ABSENT = -10.0  # the logit of a class that no text of the training data bears


def _logistic(
    x: sparse.csr_matrix,
    label_N: NDArray[np.integer],
    weight_N: NDArray[np.floating],
    present: NDArray[np.integer],
    classes: int,
    penalty: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    weight_GC, intercept_C = np.zeros((x.shape[1], classes)), np.full(classes, ABSENT)
    if len(present) == 1:
        intercept_C[present] = 0
        return weight_GC, intercept_C
    model = LogisticRegression(C=1 / penalty, tol=LABEL_TOLERANCE, max_iter=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, label_N, sample_weight=weight_N)
    if len(present) == 2:
        weight_GC[:, present[1]], intercept_C[present] = model.coef_[0], (0, model.intercept_[0])
    else:
        weight_GC[:, present], intercept_C[present] = model.coef_.T, model.intercept_
    return weight_GC, intercept_C


def cross_entropy(logits_NC: NDArray[np.floating], label_N: NDArray[np.integer]) -> float:
    """The mean negative log likelihood of labels, in nats."""
    from scipy.special import log_softmax

    return float(-log_softmax(logits_NC, axis=1)[np.arange(len(label_N)), label_N].mean())
