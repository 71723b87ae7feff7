"""Label flips: few token changes that turn the teacher's label, found greedily along its gradient.

Command: `kdshift empirical augment --augmenter flip --teacher DIR --json < lines.txt`.

The aim of counterfactual distillation (Hamman et al., NeurIPS 2025) and of FlipDA (Zhou et al., ACL 2022) without a
language model; the step is HotFlip's (Ebrahimi et al., ACL 2018), its candidates the token's nearest neighbours. How
many changes it took says how far a text is from the teacher's boundary: here the degree is a budget, and what is
realised is an answer. Shape suffixes: B texts, A texts still searched, L tokens, C classes, K candidates, D width.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from empirical.augment.changed_tokens import exact_counts
from empirical.augment.network import Network
from empirical.augment.projection import best_candidates
from empirical.tokens.batch import Augmented, Batch

PACE = 3
PART = 64  # texts searched side by side, of similar length


@dataclass(frozen=True, kw_only=True)
class Flips:
    """Where a search ended.

    ids_BL: int32 array, the texts as far as they got; logits_BC: the teacher's logits of them.
    changes_B: int array, changes made; flipped_B: bool array, whether the teacher's label turned.
    before_BL, before_logits_BC: the same one round of changes earlier (the text itself where none was made).
    """

    ids_BL: NDArray[np.int32]
    logits_BC: NDArray[np.float32]
    changes_B: NDArray[np.int64]
    flipped_B: NDArray[np.bool_]
    before_BL: NDArray[np.int32]
    before_logits_BC: NDArray[np.float32]


def find_flips(
    teacher: Network,
    table_VK: NDArray[np.int32],
    batch: Batch,
    budget_B: NDArray[np.int64],
    rng: np.random.Generator,
) -> Flips:
    """Change the tokens that narrow the label's lead most until the teacher's label turns.

    One token changes at a round, and one more for every `PACE` changed before: near the boundary the count is exact to
    the token, far from it to a third.

    budget_B: int array of shape (B,), the most changes of each text. No token changes twice.
    rng: draws the half of each token's neighbours that this search may use, so that copies differ.
    """
    order_B = np.argsort(batch.mask_BL.sum(axis=1), kind="stable")
    half = -(-table_VK.shape[1] // 2)
    # One draw for the whole batch: what a text may become does not depend on how the batch is parted.
    columns_BLK = rng.random((*batch.ids_BL.shape, table_VK.shape[1])).argsort(axis=2)[:, :, :half]
    embeddings_VD = teacher.embeddings_VD
    searches = []
    for start in range(0, len(batch), PART):
        index = order_B[start : start + PART]
        rows = batch.rows(index)
        columns_ALK = columns_BLK[index, : rows.ids_BL.shape[1]]
        searches.append(_Search(teacher, table_VK, embeddings_VD, rows, budget_B[index], columns_ALK).run())
    back_B = np.argsort(order_B)
    width = batch.ids_BL.shape[1]
    pad_id = int(batch.ids_BL[~batch.mask_BL][0]) if (~batch.mask_BL).any() else 0
    return Flips(
        ids_BL=np.concatenate([_widened(found.ids_BL, width, pad_id) for found in searches])[back_B],
        logits_BC=np.concatenate([found.logits_BC for found in searches])[back_B],
        changes_B=np.concatenate([found.changes_B for found in searches])[back_B],
        flipped_B=np.concatenate([found.flipped_B for found in searches])[back_B],
        before_BL=np.concatenate([_widened(found.before_BL, width, pad_id) for found in searches])[back_B],
        before_logits_BC=np.concatenate([found.before_logits_BC for found in searches])[back_B],
    )


def _widened(ids_BL: NDArray[np.int32], width: int, pad_id: int) -> NDArray[np.int32]:
    return np.pad(ids_BL, ((0, 0), (0, width - ids_BL.shape[1])), constant_values=pad_id)


@dataclass(frozen=True)
class _Search:
    teacher: Network
    table_VK: NDArray[np.int32]
    embeddings_VD: NDArray[np.float32]
    batch: Batch
    budget_B: NDArray[np.int64]
    columns_BLK: NDArray[np.int64]

    def run(self) -> Flips:
        """Rounds of changes; a text leaves when its label has turned or its budget is spent."""
        batch, open_BL = self.batch, self.batch.eligible_BL.copy()
        ids_BL, before_BL = batch.ids_BL.copy(), batch.ids_BL.copy()
        changes_B, flipped_B = np.zeros(len(batch), dtype=np.int64), np.zeros(len(batch), dtype=bool)
        logits_BC, slope_ALD = self.teacher.pull_back(batch, partial(_closing, leader_A=None))
        logits_BC, before_BC, label_B = logits_BC.copy(), logits_BC.copy(), logits_BC.argmax(axis=1)
        active = np.arange(len(batch))
        while True:
            flipped_B[active] = logits_BC[active].argmax(axis=1) != label_B[active]
            going_A = ~flipped_B[active] & (changes_B[active] < self.budget_B[active]) & open_BL[active].any(axis=1)
            active, slope_ALD = active[going_A], slope_ALD[going_A]
            if not len(active):
                break
            most_A = np.minimum(1 + changes_B[active] // PACE, self.budget_B[active] - changes_B[active])
            row_N, column_N, token_N = self._steepest(ids_BL, open_BL, slope_ALD, active, most_A)
            before_BL[active], before_BC[active] = ids_BL[active], logits_BC[active]
            ids_BL[row_N, column_N] = token_N
            open_BL[row_N, column_N] = False
            changes_B += np.bincount(row_N, minlength=len(batch))
            rows = replace(batch, ids_BL=ids_BL, text_a=None, text_b=None).rows(active)
            weight = partial(_closing, leader_A=label_B[active])
            logits_BC[active], slope_ALD = self.teacher.pull_back(rows, weight)
        return Flips(
            ids_BL=ids_BL,
            logits_BC=logits_BC,
            changes_B=changes_B,
            flipped_B=flipped_B,
            before_BL=before_BL,
            before_logits_BC=before_BC,
        )

    def _steepest(
        self,
        ids_BL: NDArray[np.int32],
        open_BL: NDArray[np.bool_],
        slope_ALD: NDArray[np.float32],
        active: NDArray[np.int64],
        most_A: NDArray[np.int64],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """Rows, columns and new tokens of the changes with the largest first-order rise, slope . (new - old)."""
        open_AL = open_BL[active, : slope_ALD.shape[1]]
        place_N, column_N = np.nonzero(open_AL)
        own_N, slope_ND = ids_BL[active[place_N], column_N], slope_ALD[place_N, column_N]
        candidate_NK = np.take_along_axis(self.table_VK[own_N], self.columns_BLK[active[place_N], column_N], axis=1)
        token_N, rise_N = best_candidates(self.embeddings_VD, candidate_NK, slope_ND)
        rise_N = rise_N - (slope_ND * self.embeddings_VD[own_N]).sum(axis=1)
        order_N = np.lexsort((-rise_N, place_N))
        rank_N = np.empty_like(order_N)
        count_A = open_AL.sum(axis=1)
        rank_N[order_N] = np.arange(len(order_N)) - np.repeat(np.cumsum(count_A) - count_A, count_A)
        chosen_N = rank_N < most_A[place_N]
        return active[place_N[chosen_N]], column_N[chosen_N], token_N[chosen_N]


def _closing(logits_AC: NDArray[np.float32], leader_A: NDArray[np.integer] | None) -> NDArray[np.float32]:
    """Weights whose combination of logits is the runner-up's lead over the label."""
    leader_A = logits_AC.argmax(axis=1) if leader_A is None else leader_A
    row_A = np.arange(len(logits_AC))
    rest_AC = logits_AC.copy()
    rest_AC[row_A, leader_A] = -np.inf
    weight_AC = np.zeros_like(logits_AC)
    weight_AC[row_A, rest_AC.argmax(axis=1)] = 1
    weight_AC[row_A, leader_A] -= 1
    return weight_AC


@dataclass(frozen=True)
class LabelFlip:
    """Texts at which the teacher's label has just turned, or, with `before`, is just about to.

    The degree is the largest share of a text's eligible tokens that may change; a text whose label does not turn
    within it is given as far as it got. The teacher's logits of the new texts come along.

    teacher: searched along its gradient. table_VK: int32 array of shape (V, K) from `neighbour_table`.
    """

    teacher: Network
    table_VK: NDArray[np.int32]
    before: bool = False
    online: bool = False
    at_once: bool = False

    @property
    def name(self) -> str:
        return "flip-before" if self.before else "flip"

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Change tokens until the label turns, at most the nominal share of them; counts are tokens."""
        eligible_B = batch.eligible_BL.sum(axis=1)
        found = find_flips(self.teacher, self.table_VK, batch, exact_counts(eligible_B, degree, rng), rng)
        ids_BL = np.where(found.flipped_B[:, None], found.before_BL, found.ids_BL) if self.before else found.ids_BL
        logits_BC = np.where(found.flipped_B[:, None], found.before_logits_BC, found.logits_BC)
        changed_BL = ids_BL != batch.ids_BL
        return Augmented(
            batch=replace(batch, ids_BL=ids_BL, text_a=None, text_b=None),
            eligible_B=eligible_B,
            changed_B=changed_BL.sum(axis=1),
            changed_BL=changed_BL,
            logits_BC=logits_BC if self.before else found.logits_BC,
        )
