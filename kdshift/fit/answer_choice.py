"""Whose answers students learn from: of teachers that have not seen the text, unless the others' do better.

Dao et al. 2021 (2104.09732) cross-fit because a teacher overfits what it has seen; teachers that saw more texts may
still be the better ones. Light students of both kinds are compared on labelled validation texts, none of them scored.
Shapes: R replicates, N texts, T teachers, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.teachers.cross_fitted import CrossFitting

HeldLosses = Callable[[CrossFitting, Sequence[NDArray[np.float32]]], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A plan of who answers for whom, with the answers: T arrays of shape (N, C), NaN where nobody may answer."""

    plan: CrossFitting
    logits: list[NDArray[np.float32]]

    def targets(self, scored: int | None) -> NDArray[np.float32]:
        """What a student scored on this fold learns from, (N, C); None: the student that ships."""
        return self.plan.targets(self.logits, scored)


def masked(
    plan: CrossFitting, logits: Sequence[NDArray[np.float32]], fold_N: NDArray[np.int64]
) -> list[NDArray[np.float32]]:
    """The answers that the plan allows, NaN elsewhere."""
    return [
        np.where(plan.answers_for(number, fold_N)[:, None], logits_NC, np.float32(np.nan))
        for number, logits_NC in enumerate(logits)
    ]


def chosen_answers(
    plan: CrossFitting, logits: Sequence[NDArray[np.float32]], fold_N: NDArray[np.int64], held_losses: HeldLosses
) -> tuple[Answered, dict[str, Any]]:
    """The answers to learn from, and how they were chosen.

    logits: of every text that each teacher was asked about. held_losses: log loss on validation labels of light
    students taught by such a plan, one a replicate, (R,). Teachers answer for their own training texts only if that
    is better by more than the standard error of the paired difference.
    """
    apart = Answered(plan=plan, logits=masked(plan, logits, fold_N))
    if not plan.cross_fitted:
        return apart, {"cross_fitted": False}
    everyone = Answered(plan=replace(plan, cross_fitted=False), logits=list(logits))
    gain_R = held_losses(apart.plan, apart.logits) - held_losses(everyone.plan, everyone.logits)
    error = float(gain_R.std(ddof=1) / np.sqrt(len(gain_R))) if len(gain_R) > 1 else np.inf
    better = float(gain_R.mean()) > error
    facts = {"cross_fitted": not better, "loss_saved_without": float(gain_R.mean()), "standard_error": error}
    return (everyone if better else apart), facts
