"""The temperature of an outside teacher's probabilities, set on labelled texts that are not the ones scored.

Guo et al. 2017 (1706.04599): one number, which changes no answer and brings its probabilities nearer to the truth.
Shapes: N texts, C classes, M labelled texts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from kdshift.fit.scoring import log_loss

BOUNDS = (0.05, 20.0)


def temperature(logits_MC: NDArray[np.floating], label_M: NDArray[np.int64]) -> float:
    """The temperature that gives these labels the least log loss, within BOUNDS; 1 where there is no label."""
    if not len(label_M):
        return 1.0
    seen_MC = np.asarray(logits_MC, dtype=np.float64)

    def loss(log_temperature: float) -> float:
        return log_loss(softmax(seen_MC / np.exp(log_temperature), axis=1), label_M)

    return float(np.exp(minimize_scalar(loss, bounds=tuple(np.log(BOUNDS)), method="bounded").x))


def cooled(logits_NC: NDArray[np.floating], at: float) -> NDArray[np.float32]:
    """Log-probabilities at this temperature, float32 of shape (N, C)."""
    return np.asarray(log_softmax(np.asarray(logits_NC, dtype=np.float64) / at, axis=1), dtype=np.float32)


def calibrated(
    logits_NC: NDArray[np.floating], label_N: NDArray[np.int64], row_M: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Log-probabilities of all texts at the temperature of the labelled texts `row_M`, float32 of shape (N, C)."""
    return cooled(logits_NC, temperature(logits_NC[row_M], label_N[row_M]))
