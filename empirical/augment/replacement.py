"""Token-for-token replacement: nearest neighbours in an embedding matrix (the paper's kNN), or any token (random).

Both are one vectorised gather on token ids: positions, lengths and the structure of pairs stay as they are.
Shape suffixes: B texts, L tokens, V token ids, K neighbours, N selected tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from empirical.augment.changed_tokens import select_tokens
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.vocabulary import Vocabulary

Draw = Callable[[NDArray[np.int32], np.random.Generator], NDArray[np.int32]]


@dataclass(frozen=True)
class NearestNeighbours:
    """kNN (sections 3 and 5): a selected token becomes one of its k nearest neighbours, each as likely.

    table_VK: int32 array of shape (V, K) from `neighbour_table`; no row contains its own token.
    """

    table_VK: NDArray[np.int32]
    name: str = "knn"
    online: bool = True
    at_once: bool = False

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Replace exactly the nominal share of the eligible tokens; every eligible token counts, and differs after."""
        return replace_selected(batch, degree, rng, self._draw)

    def _draw(self, ids_N: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int32]:
        return self.table_VK[ids_N, rng.integers(0, self.table_VK.shape[1], size=len(ids_N))]


@dataclass(frozen=True)
class RandomReplacement:
    """Random replacement (section 5.2): a selected token becomes any other ordinary token, each as likely.

    ordinary: int32 array, the sorted ids that may be drawn.
    rank_V: int array of shape (V,), place of a token in `ordinary`, or its length where it is not among them.
    """

    ordinary: NDArray[np.int32]
    rank_V: NDArray[np.int32]
    name: str = "random"
    online: bool = True
    at_once: bool = False

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> RandomReplacement:
        """Random replacement by the ordinary tokens of a vocabulary."""
        ordinary = np.flatnonzero(vocabulary.ordinary_V).astype(np.int32)
        rank_V = np.full(len(vocabulary), len(ordinary), dtype=np.int32)
        rank_V[ordinary] = np.arange(len(ordinary))
        return cls(ordinary, rank_V)

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Replace exactly the nominal share of the eligible tokens; every eligible token counts, and differs after."""
        return replace_selected(batch, degree, rng, self._draw)

    def _draw(self, ids_N: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int32]:
        rank_N = self.rank_V[ids_N]
        others_N = len(self.ordinary) - (rank_N < len(self.ordinary))
        draw_N = (rng.random(len(ids_N)) * others_N).astype(np.int32)
        # Skipping one's own place keeps all the others equally likely.
        return self.ordinary[draw_N + (draw_N >= rank_N)]


def replace_selected(batch: Batch, degree: float, rng: np.random.Generator, draw: Draw) -> Augmented:
    """The batch with `degree` of its eligible tokens replaced by what `draw(ids_N, rng)` returns for them."""
    selected_BL = select_tokens(batch.eligible_BL, degree, rng)
    return with_tokens(batch, selected_BL, draw(batch.ids_BL[selected_BL], rng))


def with_tokens(batch: Batch, selected_BL: NDArray[np.bool_], ids_N: NDArray[np.integer]) -> Augmented:
    """The batch with these tokens at its selected positions, in row-major order; every eligible token counts."""
    ids_BL = batch.ids_BL.copy()
    ids_BL[selected_BL] = ids_N
    return Augmented(
        batch=replace(batch, ids_BL=ids_BL, text_a=None, text_b=None),
        eligible_B=batch.eligible_BL.sum(axis=1),
        changed_B=selected_BL.sum(axis=1),
        changed_BL=selected_BL,
    )
