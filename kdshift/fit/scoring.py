"""Scores of `kdshift fit` with their intervals: accuracy (Wilson), fidelity to the teacher, calibration.

Shapes: N texts, C classes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

LEVEL = 0.95
BINS = 10


@dataclass(frozen=True, kw_only=True)
class Score:
    """Accuracy on `n` texts with its 95 % interval (Wilson 1927: honest for shares near 0 and 1 and few texts)."""

    accuracy: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, right_N: NDArray[np.bool_]) -> Score:
        """The score of N answers that are right or wrong."""
        right, total = int(np.sum(right_N)), len(right_N)
        interval = binomtest(right, total).proportion_ci(LEVEL, method="wilson")
        return cls(accuracy=right / total, low=float(interval.low), high=float(interval.high), n=total)

    def plain(self) -> dict[str, float | int]:
        return asdict(self)

    def text(self) -> str:
        """As the sentence says it: `0.71 [0.67, 0.75]`."""
        return f"{self.accuracy:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A paired difference of two accuracies on the same texts, in points of a hundred, with its 95 % interval."""

    points: float
    low: float
    high: float

    @classmethod
    def of(cls, right_N: NDArray[np.bool_], other_N: NDArray[np.bool_]) -> Difference:
        """Student's interval of the mean of right - other over texts."""
        from scipy.stats import t

        difference_N = right_N.astype(float) - other_N
        total = len(difference_N)
        half = (
            t.ppf((1 + LEVEL) / 2, max(1, total - 1)) * difference_N.std(ddof=1) / np.sqrt(total) if total > 1 else 1.0
        )
        mean = float(difference_N.mean())
        return cls(points=100 * mean, low=100 * (mean - float(half)), high=100 * (mean + float(half)))


def distance(p_NC: NDArray[np.floating], q_NC: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean over classes of |p - q| for every text, shape (N,): the distance to the teacher (design, semantics 7)."""
    return np.asarray(np.abs(np.asarray(p_NC, dtype=np.float64) - q_NC).mean(axis=1))


def log_loss(p_NC: NDArray[np.floating], label_N: NDArray[np.int64]) -> float:
    """Mean negative log likelihood of the labels, in nats."""
    chosen_N = np.asarray(p_NC, dtype=np.float64)[np.arange(len(label_N)), label_N]
    return float(-np.log(np.maximum(chosen_N, 1e-12)).mean())


def calibration_error(p_NC: NDArray[np.floating], label_N: NDArray[np.int64]) -> float:
    """Expected calibration error in ten bins of equal count: the mean gap between confidence and accuracy."""
    confidence_N = p_NC.max(axis=1)
    right_N = p_NC.argmax(axis=1) == label_N
    parts = np.array_split(np.argsort(confidence_N, kind="stable"), min(BINS, len(label_N)))
    gaps = [abs(confidence_N[part].mean() - right_N[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / len(label_N))
