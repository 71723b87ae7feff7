"""Can a classifier tell two clouds of points apart? Distances between distributions, on points it has not seen.

`own_errors` is behind the proxy A-distance of `kdshift empirical shift`: augmented texts against their own originals.
`population_l1` and `energy_distance` compare them with the population, as the theorem's first term does (`kdshift
empirical terms`). Shape suffixes: N texts, D width of the representation, d coordinates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from empirical.randomness import Draws, step_generator

Floats = NDArray[np.float64]
FOLDS = 5
ANCHORS = 300  # points that a kernel classifier's features look at


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


def population_l1(
    mixture: tuple[Floats, Floats], population: tuple[Floats, Floats], bandwidth: float, seed: int = 0
) -> float:
    """An estimate from below of the L1 distance, in [0, 2], of an augmented sample's distribution to the population.

    mixture: points (M, d) of the mixture that the n originals at hand make, a first set and, of the *same* originals,
    other copies. population: originals that the sample does not have, two sets likewise. A classifier that sees
    clusters (logistic regression on Gaussian-kernel features of this bandwidth) is trained on the first sets and scored
    on the second, each class counted alike: 2 (1 - 2 error), at least 0. It knows the n originals, as the theorem's
    mixture does: where copies hardly move, it is near 2 for small n, however natural each text is (PROOFS.md 4).
    """
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    train = np.concatenate([mixture[0], population[0]])
    label = np.repeat([1, 0], [len(mixture[0]), len(population[0])])
    features = Nystroem(gamma=1 / (2 * bandwidth**2), n_components=min(ANCHORS, len(train)), random_state=seed)
    classifier = make_pipeline(features, LogisticRegression(C=100.0, max_iter=300, class_weight="balanced"))
    classifier.fit(train, label)
    missed = float((classifier.predict(mixture[1]) == 0).mean())
    taken = float((classifier.predict(population[1]) == 1).mean())
    return max(0.0, 2 * (1 - missed - taken))


def energy_distance(mixture: tuple[Floats, Floats], population_Nd: Floats) -> float:
    """The energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'| of an augmented sample's mixture to the population.

    mixture: as in `population_l1`; all pairs of a point of one set and a point of the other count, those of one
    original among them as often as the mixture has them, so that the sampling of originals is seen (it adds a term of
    order 1/n that a larger shift makes smaller). Unbiased given the originals; zero only for equal distributions
    (Szekely and Rizzo 2013); a distance in units of the points.
    """
    from scipy.spatial.distance import cdist, pdist

    across = np.mean([cdist(points, population_Nd).mean() for points in mixture])
    within = cdist(*mixture).mean()
    return float(2 * across - within - pdist(population_Nd).mean())
