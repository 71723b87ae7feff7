"""Can a classifier tell two clouds of points apart? Distances between distributions, on points it has not seen.

`own_errors` is behind the proxy A-distance of `kdshift empirical shift`: augmented texts against their own originals.
Shape suffixes: N texts, D width of the representation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from empirical.randomness import Draws, step_generator

Floats = NDArray[np.float64]
FOLDS = 5


def own_errors(x_ND: Floats, new_ND: Floats, seed: int) -> Floats:
    """For each text, the share of {original, augmented} that a classifier trained on other texts mistakes.

    The two versions of a text are always on the same side of a split, so that no classifier has seen its twin.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    count = len(x_ND)
    both, label = np.concatenate([x_ND, new_ND]), np.repeat([0, 1], count)
    if np.array_equal(x_ND, new_ND):
        return np.full(count, 0.5)
    group = np.tile(step_generator(seed, 0, Draws.SHIFT_TEXTS).permutation(count), 2)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    predicted = cross_val_predict(classifier, both, label, groups=group, cv=GroupKFold(FOLDS))
    error_N: Floats = (predicted != label).reshape(2, count).mean(axis=0)
    return error_N
