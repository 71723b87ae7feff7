"""How the labelled texts are scored: a test split where it holds 300 texts, cross-validation where it would not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empirical.randomness import Draws, step_generator
from empirical.teachers.cross_fitted import CrossFitting
from kdshift.fit.own_texts import OwnTexts

FOLDS = 4
TEST, UNLABELLED = -1, -2  # "folds" of the test file (or split) and of texts without labels
TEST_SHARE, LEAST_TEST, MOST_TEST = 0.2, 300, 5_000
FEW_TEXTS = 2_000  # training texts below which teachers are cross-fitted


@dataclass(frozen=True, kw_only=True)
class Folds:
    """Where every text belongs. Texts stand in the order training file, test file, unlabelled file.

    fold_N: 0 to 3 in training, TEST, or UNLABELLED. scored: the folds on which students are scored, one student each.
    label_N: class indices, -1 for unlabelled texts.
    """

    fold_N: NDArray[np.int64]
    label_N: NDArray[np.int64]
    scored: tuple[int, ...]

    @property
    def cross_validated(self) -> bool:
        return self.scored != (TEST,)

    def rows(self, *folds: int) -> NDArray[np.int64]:
        """The texts of these folds by number, sorted; shape (N,)."""
        return np.flatnonzero(np.isin(self.fold_N, folds))

    def training_rows(self, left: frozenset[int], *, labelled: bool) -> NDArray[np.int64]:
        """What a model trained without the folds `left` may see; never the test texts; shape (N,)."""
        out = {TEST, *left, *((UNLABELLED,) if labelled else ())}
        return np.flatnonzero(~np.isin(self.fold_N, sorted(out)))

    def parts(self) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
        """Each scored fold's number, labelled texts a student may train on, texts it is scored on, both (N,)."""
        for fold in self.scored:
            yield fold, self.training_rows(frozenset([fold]), labelled=True), self.rows(fold)

    def teachers(self, *, trained_on_labels: bool) -> CrossFitting:
        """Which teachers are trained: pairs of folds left out, single folds, or one on everything.

        trained_on_labels: false for assistants, which learn another teacher's answers and hold no label of the text.
        """
        training = len(self.rows(*range(FOLDS)))
        if self.cross_validated:
            if trained_on_labels:
                return CrossFitting.pairs(range(FOLDS))
            return CrossFitting.singles(range(FOLDS), cross_fitted=False)
        if trained_on_labels and training < FEW_TEXTS:
            return CrossFitting.singles(range(FOLDS), cross_fitted=True)
        return CrossFitting.alone()


def make_folds(own: OwnTexts, seed: int) -> Folds:
    """The folds of a user's texts, every class in its share in each; a function of the texts and the seed."""
    count = len(own.train)
    fold_N = stratified(own.train.labels, FOLDS, seed)
    test = 0 if own.test is None else len(own.test)
    scored: tuple[int, ...] = (TEST,)
    if own.test is None:
        size = min(MOST_TEST, round(TEST_SHARE * count))
        if size >= LEAST_TEST:
            tenths_N = stratified(own.train.labels, round(count / size), seed + 1)
            fold_N = np.where(tenths_N == 0, TEST, fold_N)
        else:
            scored = tuple(range(FOLDS))
    unlabelled = 0 if own.unlabelled is None else len(own.unlabelled)
    labels = [own.train.labels, *([] if own.test is None else [own.test.labels]), np.full(unlabelled, -1)]
    return Folds(
        fold_N=np.concatenate([fold_N, np.full(test, TEST), np.full(unlabelled, UNLABELLED)]).astype(np.int64),
        label_N=np.concatenate(labels).astype(np.int64),
        scored=scored,
    )


def stratified(label_N: NDArray[np.int64], parts: int, seed: int) -> NDArray[np.int64]:
    """A part from 0 to parts - 1 for every text, dealt in turn within each class in random order."""
    rng = step_generator(seed, 0, Draws.FOLDS)
    part_N = np.empty(len(label_N), dtype=np.int64)
    dealt = 0
    for label in np.unique(label_N):
        members = rng.permutation(np.flatnonzero(label_N == label))
        part_N[members] = (dealt + np.arange(len(members))) % parts
        dealt += len(members)
    return part_N


def held_back(row_N: NDArray[np.int64], label_N: NDArray[np.int64], share: float, least: int, seed: int
              ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
    """Rows to train on and rows held back for choices: a share, at least `least`, at most half."""
    size = min(len(row_N) // 2, max(least, round(share * len(row_N))))
    part_N = stratified(label_N[row_N], max(2, round(len(row_N) / max(1, size))), seed + 2)
    return row_N[part_N != 0], row_N[part_N == 0]
