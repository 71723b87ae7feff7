"""Scores of a classifier on a split, with bootstrap intervals (accuracy, Matthews correlation, F1 macro and micro)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from theory.errors import unknown_name

METRICS = ("accuracy", "matthews", "f1", "micro-f1")


def confusion(label_N: NDArray[np.integer], predicted_N: NDArray[np.integer], classes: int) -> NDArray[np.int64]:
    """Counts of shape (C, C): row the label, column the prediction."""
    cell_N = label_N.astype(np.int64) * classes + predicted_N
    return np.bincount(cell_N, minlength=classes * classes).reshape(classes, classes)


def score(metric: str, count_CC: NDArray[np.number]) -> NDArray[np.float64]:
    """The metric of confusion counts of shape (..., C, C), with shape (...).

    metric: `accuracy`; `matthews`, the correlation of Matthews (its multiclass form by Gorodkin), 0 where a class is
        never predicted or never there; `f1`, of class 1 with two classes, else the mean over classes (macro);
        `micro-f1`, pooled over the classes but the first (no relation), as relation extraction is scored ([21]).

    Raises:
        InputError: an unknown metric.
    """
    count = np.asarray(count_CC, dtype=np.float64)
    total = count.sum(axis=(-2, -1))
    right_C = np.diagonal(count, axis1=-2, axis2=-1)
    label_C, predicted_C = count.sum(axis=-1), count.sum(axis=-2)
    value: NDArray[np.float64]
    if metric == "accuracy":
        value = right_C.sum(axis=-1) / total
    elif metric == "matthews":
        covariance = right_C.sum(axis=-1) * total - (label_C * predicted_C).sum(axis=-1)
        spread = (total**2 - (label_C**2).sum(axis=-1)) * (total**2 - (predicted_C**2).sum(axis=-1))
        value = np.divide(covariance, np.sqrt(spread), out=np.zeros_like(total), where=spread > 0)
    elif metric == "f1":
        both_C = label_C + predicted_C
        f1_C = np.divide(2 * right_C, both_C, out=np.zeros_like(both_C), where=both_C > 0)
        value = f1_C[..., 1] if count.shape[-1] == 2 else f1_C.mean(axis=-1)
    elif metric == "micro-f1":
        both = label_C[..., 1:].sum(axis=-1) + predicted_C[..., 1:].sum(axis=-1)
        value = np.divide(2 * right_C[..., 1:].sum(axis=-1), both, out=np.zeros_like(both), where=both > 0)
    else:
        raise unknown_name("metric", metric, METRICS)
    return value


def majority_score(metric: str, label_N: NDArray[np.integer], classes: int) -> float:
    """The metric of whoever always answers the most frequent of these labels."""
    answer_N = np.full(len(label_N), np.bincount(label_N, minlength=classes).argmax())
    return float(score(metric, confusion(label_N, answer_N, classes)))


def bootstrap(
    metric: str, count_CC: NDArray[np.integer], rng: np.random.Generator, replicates: int = 2000
) -> NDArray[np.float64]:
    """Replicates of the metric under resampling of the examples with replacement, shape (replicates,).

    Every metric here is a function of the confusion counts, and resampled counts are multinomial.
    """
    cell = count_CC.ravel()
    draws = rng.multinomial(cell.sum(), cell / cell.sum(), size=replicates)
    return score(metric, draws.reshape(replicates, *count_CC.shape))


def interval(replicate: NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of bootstrap replicates of shape (draws,)."""
    low, high = np.quantile(replicate, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def entropy(logits_BC: NDArray[np.floating]) -> NDArray[np.float64]:
    """Entropy in nats of the softmax of logits of shape (B, C); a float64 array of shape (B,)."""
    log_BC = log_softmax(np.asarray(logits_BC, dtype=np.float64), axis=1)
    entropy_B: NDArray[np.float64] = -(np.exp(log_BC) * log_BC).sum(axis=1)
    return entropy_B
