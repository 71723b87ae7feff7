"""Which degree, without training anything: where the teacher's answers to a text vary most over augmentation seeds.

Command: `kdshift empirical recommend --fast`.

The deviation over seeds is small where texts hardly change, and small again where they have changed so much that the
teacher says the same of all of them; between the two it has its top. How well that top does as a choice is measured on
four augmenters and four data sizes by `kdshift empirical signals`, whose table is committed; the paper's reference [29]
looks for a low deviation, which here orders degrees the wrong way round.
Shapes: K degrees, S seeds, N texts, C classes, B bootstrap draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from empirical.augment.network import Scorer, score_in_parts
from empirical.augment.protocol import Augmenter
from empirical.randomness import Draws, step_generator
from empirical.tokens.batch import Batch
from theory.errors import InputError

DEGREES = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
SEEDS = 2
BOOTSTRAP = 1000


@dataclass(frozen=True, kw_only=True)
class FastDegree:
    """The degree with the largest deviation over seeds.

    degree: a share of the eligible tokens. low, high: between which it lies in 95 % of bootstrap draws of the texts.
    deviation: of the teacher's probabilities over seeds at each degree asked about, the root mean square over texts and
    classes. asked: texts that the teacher scored.
    """

    degree: float
    low: float
    high: float
    deviation: tuple[tuple[float, float], ...]
    asked: int


def fast_degree(
    batch: Batch,
    augmenter: Augmenter,
    teacher: Scorer,
    *,
    degrees: Sequence[float] = DEGREES,
    seeds: int = SEEDS,
    seed: int = 0,
) -> FastDegree:
    """The degree at which a teacher's answers to these texts vary most over augmentation seeds.

    teacher: function from a batch to logits of shape (N, C).

    Raises:
        InputError: fewer than two seeds or degrees, an augmenter that ignores the degree (made offline) or drops texts.
    """
    if seeds < 2 or len(degrees) < 2:
        raise InputError("seeds, degrees", f"{seeds}, {len(degrees)}", "two or more of both")
    if not augmenter.online:
        raise InputError("augmenter", augmenter.name, "one whose degree can be chosen (made online)")
    variance_KN = np.stack([_variance(batch, augmenter, teacher, degree, seeds, seed) for degree in degrees])
    rng = step_generator(seed, 1, Draws.SHIFT_BOOTSTRAP)
    drawn_BN = rng.integers(0, len(batch), (BOOTSTRAP, len(batch)))
    top_B = np.array([variance_KN[:, drawn_N].mean(axis=1).argmax() for drawn_N in drawn_BN])
    chosen_B = np.asarray(degrees, dtype=float)[top_B]
    deviation_K = np.sqrt(variance_KN.mean(axis=1))
    low, high = np.quantile(chosen_B, [0.025, 0.975], method="nearest")
    return FastDegree(
        degree=float(degrees[int(deviation_K.argmax())]),
        low=float(low),
        high=float(high),
        deviation=tuple(zip(map(float, degrees), deviation_K.tolist(), strict=True)),
        asked=len(batch) * seeds * len(degrees),
    )


def _variance(
    batch: Batch, augmenter: Augmenter, teacher: Scorer, degree: float, seeds: int, seed: int
) -> NDArray[np.float64]:
    """The variance over seeds of each text's probabilities, the mean over classes, shape (N,)."""
    made = [augmenter(batch, degree, step_generator(seed, number, Draws.AUGMENTATION)) for number in range(seeds)]
    if any(len(each.batch) != len(batch) for each in made):
        raise InputError("augmenter", augmenter.name, "one without a selection: every text must come back")
    logits_SNC = np.stack([score_in_parts(teacher, each.batch) for each in made])
    return np.asarray(softmax(logits_SNC.astype(np.float64), axis=2).var(axis=0, ddof=1).mean(axis=1))
