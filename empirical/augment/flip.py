"""Label flips: few token changes that turn the teacher's label, ranked by what it says to each token alone.

Command: `kdshift empirical augment --augmenter flip --teacher DIR --json < lines.txt`.

The aim of counterfactual distillation (Hamman et al., NeurIPS 2025) and of FlipDA (Zhou et al., ACL 2022) without a
language model. A token's candidates are its nearest neighbours; a change counts for as much as the teacher's answers to
the new and to the old token alone (`augment.alone`) lead from the label to the runner-up. On 200 tweets, MiniLM and
degree 0.3 that turns 72 % of the texts with 4.2 changes; one gradient at the text turns 58 %, and a new gradient after
every round of changes 72 % with 4.1, at nearly three times the cost. How many changes it took says how far a text is
from the teacher's boundary: here the degree is a budget, and what is realised is an answer.
Shape suffixes: B texts, A texts searched side by side, L tokens, N eligible tokens of them, C classes, K candidates,
R rounds of changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from empirical.augment.alone import Alone
from empirical.augment.changed_tokens import exact_counts
from empirical.augment.network import Scorer
from empirical.tokens.batch import Augmented, Batch

PACE = 3
PART = 24  # texts searched side by side, of similar length: larger parts pad more, smaller ones fill no matrix product
EFFECT = 0.35  # of a token's lead alone, what it moves among others (median, tweets): where the search looks first


@dataclass(frozen=True, kw_only=True)
class Flips:
    """Where a search ended.

    ids_BL: int32 array, the texts as far as they got; logits_BC: the teacher's logits of them.
    changes_B: int array, changes made; flipped_B: bool array, whether the teacher's label turned.
    before_BL, before_logits_BC: of a flipped text, the same one round of changes earlier (the text itself where that is
    none), seen not to be flipped; else the same as the text.
    """

    ids_BL: NDArray[np.int32]
    logits_BC: NDArray[np.float32]
    changes_B: NDArray[np.int64]
    flipped_B: NDArray[np.bool_]
    before_BL: NDArray[np.int32]
    before_logits_BC: NDArray[np.float32]


def find_flips(
    teacher: Scorer,
    alone: Alone,
    table_VK: NDArray[np.int32],
    batch: Batch,
    budget_B: NDArray[np.int64],
    rng: np.random.Generator,
) -> Flips:
    """Change the tokens that lead most to the runner-up, as many as it takes to turn the teacher's label.

    The changes of a text are ranked once. The number of them is searched between none, where the label stands, and the
    budget, by bisection that begins where the ranking expects the boundary; a label that turns, turns back and turns
    again is found at one of its turns. Both sides of the turn are the teacher's own answers to the texts given out. The
    numbers tried are 1, 2, 3, 5, 7, 10 ...: a round is one change, and one more for every `PACE` before it, so that the
    count is exact to the token near the boundary, to a third far from it.

    budget_B: int array of shape (B,), the most changes of each text. No token changes twice, and none that leads back.
    rng: draws the half of each token's neighbours that this search may use, so that copies differ.
    """
    half = -(-table_VK.shape[1] // 2)
    # One draw for the whole batch: what a text may become does not depend on how the batch is parted.
    columns_BLK = rng.random((*batch.ids_BL.shape, table_VK.shape[1])).argsort(axis=2)[:, :, :half]
    order_B = np.argsort(batch.mask_BL.sum(axis=1), kind="stable")
    searches = []
    for start in range(0, len(batch), PART):
        index = order_B[start : start + PART]
        rows = replace(batch.rows(index), text_a=None, text_b=None)
        length = rows.ids_BL.shape[1]
        candidate_ALK = np.take_along_axis(table_VK[rows.ids_BL], columns_BLK[index, :length], axis=2)
        logits_AC = teacher(rows)
        ranking = _ranked(alone, rows, candidate_ALK, logits_AC, budget_B[index])
        searches.append(_search(teacher, rows, logits_AC, ranking))
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


@dataclass(frozen=True, kw_only=True)
class _Ranking:
    """What may change in each text, best first: place_AL ranks, token_AL new tokens, most_A how many changes at most.

    expected_AL1: what the first 0, 1, 2 ... changes are expected to add to the runner-up's lead, shape (A, L + 1).
    """

    place_AL: NDArray[np.int64]
    token_AL: NDArray[np.int32]
    most_A: NDArray[np.int64]
    expected_AL1: NDArray[np.float64]

    def changed(self, ids_AL: NDArray[np.int32], count_A: NDArray[np.int64]) -> NDArray[np.int32]:
        """The texts with so many changes."""
        return np.where(self.place_AL < count_A[:, None], self.token_AL, ids_AL)


def _ranked(
    alone: Alone,
    rows: Batch,
    candidate_ALK: NDArray[np.int32],
    logits_AC: NDArray[np.float32],
    budget_A: NDArray[np.int64],
) -> _Ranking:
    """Changes by how far they lead from the label to the runner-up, those that do."""
    row_N, column_N = np.nonzero(rows.eligible_BL)
    candidate_NK, own_N = candidate_ALK[row_N, column_N], rows.ids_BL[row_N, column_N]
    towards_NC = _closing(logits_AC)[row_N]
    classes = logits_AC.shape[1]  # where nothing may change nothing has been asked, and `alone` does not know it
    new_NKC, own_NC = (alone.logits(ids).reshape(*ids.shape, classes) for ids in (candidate_NK, own_N))
    gain_NK = np.einsum("nkc,nc->nk", new_NKC - own_NC[:, None], towards_NC)
    best_N = gain_NK.argmax(axis=1)
    token_AL, gain_AL = rows.ids_BL.copy(), np.zeros(rows.ids_BL.shape)
    token_AL[row_N, column_N] = candidate_NK[np.arange(len(row_N)), best_N]
    gain_AL[row_N, column_N] = np.maximum(gain_NK.max(axis=1), 0)
    order_AL = np.argsort(-gain_AL, axis=1, kind="stable")
    expected_AL = EFFECT * np.take_along_axis(gain_AL, order_AL, axis=1).cumsum(axis=1)
    return _Ranking(
        place_AL=np.argsort(order_AL, axis=1),
        token_AL=token_AL,
        most_A=np.minimum(budget_A, (gain_AL > 0).sum(axis=1)),
        expected_AL1=np.pad(expected_AL, ((0, 0), (1, 0))),
    )


def _closing(logits_AC: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights whose combination of logits is the runner-up's lead over the label, shape (A, C)."""
    row_A, label_A = np.arange(len(logits_AC)), logits_AC.argmax(axis=1)
    weight_AC = np.zeros_like(logits_AC)
    weight_AC[row_A, _others(logits_AC, label_A).argmax(axis=1)] = 1
    weight_AC[row_A, label_A] = -1
    return weight_AC


def _search(teacher: Scorer, rows: Batch, logits_AC: NDArray[np.float32], ranking: _Ranking) -> Flips:
    """The least number of changes, of those tried, at which the label turns; without one, the most that there are."""
    label_A, texts = logits_AC.argmax(axis=1), len(rows)
    round_R = rounds(int(ranking.most_A.max(initial=0)))
    count_AR = np.minimum(round_R, ranking.most_A[:, None])
    low_A, high_A = np.zeros(texts, dtype=np.int64), np.argmax(round_R >= ranking.most_A[:, None], axis=1) + 1
    last_A = high_A - 1
    expected_AR = np.take_along_axis(ranking.expected_AL1, count_AR, axis=1)
    lead_A, at_A = _lead(logits_AC, label_A), low_A.copy()
    below_AC, above_AC = logits_AC.copy(), logits_AC.copy()
    while len(active := np.flatnonzero(high_A - low_A > 1)):
        wanted_A = expected_AR[active, at_A[active]] - lead_A[active]
        guess_A = (expected_AR[active] < wanted_A[:, None]).sum(axis=1)
        at_A[active] = guess_A = guess_A.clip(low_A[active] + 1, high_A[active] - 1)
        count_A = count_AR[np.arange(texts), at_A]
        answer_AC = teacher(replace(rows, ids_BL=ranking.changed(rows.ids_BL, count_A)).rows(active))
        lead_A[active] = _lead(answer_AC, label_A[active])
        turned_A = answer_AC.argmax(axis=1) != label_A[active]
        high_A[active[turned_A]], above_AC[active[turned_A]] = guess_A[turned_A], answer_AC[turned_A]
        low_A[active[~turned_A]], below_AC[active[~turned_A]] = guess_A[~turned_A], answer_AC[~turned_A]
    flipped_A = high_A <= last_A
    changes_A = count_AR[np.arange(texts), np.where(flipped_A, high_A, last_A)]
    return Flips(
        ids_BL=ranking.changed(rows.ids_BL, changes_A),
        logits_BC=np.where(flipped_A[:, None], above_AC, below_AC),
        changes_B=changes_A,
        flipped_B=flipped_A,
        before_BL=ranking.changed(rows.ids_BL, count_AR[np.arange(texts), low_A]),
        before_logits_BC=below_AC,
    )


def rounds(most: int) -> NDArray[np.int64]:
    """The numbers of changes after each round, from none to at least `most`: 0, 1, 2, 3, 5, 7, 10, 14 ..."""
    counts = [0]
    while counts[-1] < most:
        counts.append(counts[-1] + 1 + counts[-1] // PACE)
    return np.array(counts, dtype=np.int64)


def _lead(logits_AC: NDArray[np.float32], label_A: NDArray[np.integer]) -> NDArray[np.float32]:
    """By how much the best other class leads the label (negative while the label stands)."""
    own_A = logits_AC[np.arange(len(label_A)), label_A]
    lead_A: NDArray[np.float32] = _others(logits_AC, label_A).max(axis=1) - own_A
    return lead_A


def _others(logits_AC: NDArray[np.float32], label_A: NDArray[np.integer]) -> NDArray[np.float32]:
    """The logits without the label's, which is minus infinity."""
    rest_AC = logits_AC.copy()
    rest_AC[np.arange(len(label_A)), label_A] = -np.inf
    return rest_AC


@dataclass(frozen=True)
class LabelFlip:
    """Texts at which the teacher's label has just turned, or, with `before`, is just about to.

    The degree is the largest share of a text's eligible tokens that may change; a text whose label does not turn
    within it is given as far as it got. The teacher's logits of the new texts come along.

    teacher: answers for the texts. table_VK: int32 array of shape (V, K) from `neighbour_table`, of its embeddings.
    alone: the same teacher's answers to single tokens.
    """

    teacher: Scorer
    table_VK: NDArray[np.int32]
    alone: Alone
    before: bool = False
    online: bool = field(default=False, init=False)
    at_once: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        return "flip-before" if self.before else "flip"

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Change tokens until the label turns, at most the nominal share of them; counts are tokens."""
        eligible_B = batch.eligible_BL.sum(axis=1)
        budget_B = exact_counts(eligible_B, degree, rng)
        found = find_flips(self.teacher, self.alone, self.table_VK, batch, budget_B, rng)
        ids_BL = found.before_BL if self.before else found.ids_BL
        changed_BL = ids_BL != batch.ids_BL
        return Augmented(
            batch=replace(batch, ids_BL=ids_BL, text_a=None, text_b=None),
            eligible_B=eligible_B,
            changed_B=changed_BL.sum(axis=1),
            changed_BL=changed_BL,
            logits_BC=found.before_logits_BC if self.before else found.logits_BC,
        )
