"""What is measured of a student on held-out original texts, the distance to its teacher first (design, semantics 7).

Shapes: N texts, C classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

BINS = 15
OUTCOMES = ("distance", "logit_distance", "accuracy", "agreement", "nll", "ece")


def outcomes(
    student_NC: NDArray[np.floating], teacher_NC: NDArray[np.floating], label_N: NDArray[np.integer]
) -> dict[str, float]:
    """A student's outcomes by name, from logits of both.

    distance: mean of |h - g| over texts and classes, h and g probabilities: the left side of the theory's bound.
    logit_distance: mean squared difference of logits over texts and classes. accuracy: of labels. agreement: share of
    texts on which both choose the same class. nll: mean negative log likelihood of labels, nats. ece: see
    `calibration_error`.
    """
    log_h, log_g = (log_softmax(np.asarray(logits, dtype=np.float64), axis=1) for logits in (student_NC, teacher_NC))
    chosen_N = log_h.argmax(axis=1)
    return {
        "distance": float(np.abs(np.exp(log_h) - np.exp(log_g)).mean()),
        "logit_distance": float(np.square(np.asarray(student_NC, dtype=np.float64) - teacher_NC).mean()),
        "accuracy": float((chosen_N == label_N).mean()),
        "agreement": float((chosen_N == log_g.argmax(axis=1)).mean()),
        "nll": float(-log_h[np.arange(len(label_N)), label_N].mean()),
        "ece": calibration_error(np.exp(log_h), label_N),
    }


def text_distances(student_NC: NDArray[np.floating], teacher_NC: NDArray[np.floating]) -> NDArray[np.float64]:
    """The distance of each text, float64 of shape (N,): its mean is the outcome `distance`."""
    h, g = (softmax(np.asarray(logits, dtype=np.float64), axis=1) for logits in (student_NC, teacher_NC))
    return np.asarray(np.abs(h - g).mean(axis=1))


def calibration_error(probability_NC: NDArray[np.float64], label_N: NDArray[np.integer]) -> float:
    """Expected calibration error of the chosen class over 15 equal bins of confidence (Guo et al., 2017)."""
    confidence_N = probability_NC.max(axis=1)
    right_N = probability_NC.argmax(axis=1) == label_N
    bin_N = np.minimum((confidence_N * BINS).astype(int), BINS - 1)
    gap = np.bincount(bin_N, confidence_N - right_N, minlength=BINS)
    return float(np.abs(gap).sum() / len(label_N))
