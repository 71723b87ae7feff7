"""Which of several teachers may answer for which text: none for a text whose fold it was trained on.

Dao et al. 2021 (2104.09732): a teacher overfits the texts it has seen, so that its answers there say little more than
their labels; cross-fitting asks one that has not seen them. Shapes: N texts, C classes, T teachers.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Left = frozenset[int]


@dataclass(frozen=True, kw_only=True)
class CrossFitting:
    """Teachers by the folds that each was trained without.

    left: T sets of folds, one a teacher. cross_fitted: a text of a fold that some teacher was trained without is
    answered by such teachers alone; otherwise every teacher answers every text.
    """

    left: tuple[Left, ...]
    cross_fitted: bool

    @classmethod
    def pairs(cls, folds: Sequence[int]) -> CrossFitting:
        """A teacher for every two folds: without the fold that is scored, and without the one it answers for."""
        return cls(left=tuple(frozenset(pair) for pair in combinations(folds, 2)), cross_fitted=True)

    @classmethod
    def singles(cls, folds: Sequence[int], *, cross_fitted: bool) -> CrossFitting:
        """A teacher for every fold, trained without it."""
        return cls(left=tuple(frozenset([fold]) for fold in folds), cross_fitted=cross_fitted)

    @classmethod
    def alone(cls) -> CrossFitting:
        """One teacher, which answers for its own training texts too."""
        return cls(left=(frozenset(),), cross_fitted=False)

    def answers_for(self, teacher: int, fold_N: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which texts this teacher is asked about, bool of shape (N,)."""
        if not self.cross_fitted:
            return np.ones(len(fold_N), dtype=bool)
        somebody = frozenset().union(*self.left)
        own = self.left[teacher]
        allowed = {fold: fold in own or fold not in somebody for fold in np.unique(fold_N).tolist()}
        return np.array([allowed[fold] for fold in fold_N.tolist()], dtype=bool)

    def teachers_of(self, scored: int | None) -> list[int]:
        """The teachers that a student scored on fold `scored` may learn from; None: a student that ships."""
        without = [number for number, left in enumerate(self.left) if scored in left]
        return without or list(range(len(self.left)))

    def targets(self, logits_TNC: Sequence[NDArray[np.float32]], scored: int | None) -> NDArray[np.float32]:
        """The mean answer of those teachers that may answer, shape (N, C); NaN where none has.

        logits_TNC: T arrays of shape (N, C) with NaN where a teacher was not asked.
        """
        chosen = np.stack([logits_TNC[number] for number in self.teachers_of(scored)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a text that nobody may answer has an empty mean: NaN
            return np.asarray(np.nanmean(chosen, axis=0), dtype=np.float32)
