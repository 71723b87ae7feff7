"""AugPro: a point between or beside token embeddings, projected to the nearest token (Wang et al., ICLR 2023).

Command: `kdshift empirical augment --augmenter augpro-mix --degree 0.3 < lines.txt`.

The tokens that may be nearest are the k neighbours of the original and, in Mix, the partner's token. On the embedded
model's table and tweets that is the projection onto the whole table, pair for pair (the tests hold it to that), at a
fiftieth of its cost. The original itself is left out: nearer than half-way to the partner it would always win, and
beyond that the partner, so that a plain projection changes nothing or everything.
Shape suffixes: B texts, L tokens, N selected tokens, V token ids, K candidates, D embedding width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empirical.augment.changed_tokens import select_tokens
from empirical.augment.network import Network, Scorer, score_in_parts
from empirical.augment.projection import best_candidates
from empirical.augment.replacement import with_tokens
from empirical.tokens.batch import Augmented, Batch


def partner_tokens(batch: Batch, partner_B: NDArray[np.integer]) -> NDArray[np.int32]:
    """For each eligible token, the token at its place in the partner's text, counted round; shape (B, L).

    Where the partner has no eligible token, one's own. partner_B: int array of shape (B,), row numbers.
    """
    eligible_B = batch.eligible_BL.sum(axis=1)
    start_B = np.cumsum(eligible_B) - eligible_B
    row_N, column_N = np.nonzero(batch.eligible_BL)
    place_N = np.arange(len(row_N)) - start_B[row_N]
    partner_N = np.where(eligible_B[partner_B] > 0, partner_B, np.arange(len(batch)))[row_N]
    other_BL = batch.ids_BL.copy()
    flat_N = batch.ids_BL[batch.eligible_BL]
    other_BL[row_N, column_N] = flat_N[start_B[partner_N] + place_N % eligible_B[partner_N]]
    return other_BL


def draw_partners(rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Another row for each of `rows` rows, each other one as likely; a lone row is its own. Shape (B,)."""
    offset = int(rng.integers(1, rows)) if rows > 1 else 0
    return (np.arange(rows) + offset) % max(1, rows)


@dataclass(frozen=True)
class AugProMix:
    """AugPro-Mix: a selected token moves towards the token at its place in another text of the batch.

    The mixed embedding is (1 - lambda) own + lambda partner with lambda = degree, so that the degree says both how
    many tokens change and how far: near 0 the nearest neighbour takes a token's place, from 1/2 on the partner's token.

    table_VK: int32 array of shape (V, K) from `neighbour_table`.  unit_VD: the same embeddings, rows of length one.
    ordinary_V: bool array of shape (V,), tokens that may be put into a text.
    """

    table_VK: NDArray[np.int32]
    unit_VD: NDArray[np.float32]
    ordinary_V: NDArray[np.bool_]
    name: str = "augpro-mix"
    online: bool = True
    at_once: bool = False

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Replace exactly the nominal share of the eligible tokens; every eligible token counts, and differs after."""
        other_BL = partner_tokens(batch, draw_partners(len(batch), rng))
        selected_BL = select_tokens(batch.eligible_BL, degree, rng)
        own_N, other_N = batch.ids_BL[selected_BL], other_BL[selected_BL]
        return with_tokens(batch, selected_BL, self.project(own_N, other_N, degree))

    def project(self, own_N: NDArray[np.int32], other_N: NDArray[np.int32], share: float) -> NDArray[np.int32]:
        """The ordinary token, other than the own one, nearest to (1 - share) own + share other. Returns shape (N,)."""
        allowed_N = (other_N != own_N) & self.ordinary_V[other_N]
        partner_N = np.where(allowed_N, other_N, np.int32(-1))
        candidate_NK = np.concatenate([self.table_VK[own_N], partner_N[:, None]], axis=1)
        mixed_ND = np.float32(1 - share) * self.unit_VD[own_N] + np.float32(share) * self.unit_VD[other_N]
        return best_candidates(self.unit_VD, candidate_NK, mixed_ND)[0]


@dataclass(frozen=True)
class AugProFGSM:
    """AugPro-FGSM: a selected token moves where the student's distance to the teacher grows fastest.

    One step along the sign of the gradient of |student - teacher|^2 (logits) by the student's embedding, as long as
    that embedding, then projection onto the token's k neighbours. The teacher's answer is held fixed: its slope in its
    own embeddings would point elsewhere where the two have different tables.

    table_VK, unit_VD: as in `AugProMix`, of the student's embeddings.
    student: a trained one, and the same throughout a run: what a step draws must not depend on the steps before it.
    """

    table_VK: NDArray[np.int32]
    unit_VD: NDArray[np.float32]
    teacher: Scorer
    student: Network
    name: str = "augpro-fgsm"
    online: bool = True
    at_once: bool = False

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Replace exactly the nominal share of the eligible tokens; every eligible token counts, and differs after."""
        selected_BL = select_tokens(batch.eligible_BL, degree, rng)
        own_N = batch.ids_BL[selected_BL]
        if not len(own_N):
            return with_tokens(batch, selected_BL, own_N)
        target_BC = score_in_parts(self.teacher, batch)
        _, slope_BLD = self.student.pull_back(batch, lambda logits_BC: 2 * (logits_BC - target_BC))
        sign_ND = np.sign(slope_BLD[selected_BL])
        step_ND = np.asarray(sign_ND / np.sqrt(sign_ND.shape[1]), dtype=np.float32)
        point_ND = self.unit_VD[own_N] + step_ND
        nearest_N, _ = best_candidates(self.unit_VD, self.table_VK[own_N], point_ND)
        return with_tokens(batch, selected_BL, nearest_N)
