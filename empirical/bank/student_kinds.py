"""Every kind of student of a study by its name: how it sees a bank's texts, and how it is fitted.

Serves `kdshift empirical curves | equal-seconds`. Shapes: V tokens, D width of the embeddings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from empirical.bank.arms import Bench, Inputs
from empirical.bank.light import EmbeddingInputs, Job, NgramInputs, Row, fit_linear, fit_static
from empirical.bank.making import Bank
from empirical.bank.networks import TokenInputs, fit_network
from empirical.bank.study import Check, Study


def inputs_of(student: str, bank: Bank, embeddings_VD: NDArray[np.float32]) -> Inputs:
    """How a student sees a bank's texts; whatever is no light student reads tokens."""
    if student == "linear":
        return NgramInputs()
    if student == "static":
        return EmbeddingInputs(embeddings_VD, bank.pool.validation.corpus)
    return TokenInputs(bank.plan.task.max_length)


def fit_students(
    student: str, jobs: Sequence[Job], bench: Bench, study: Study, check: Check | None = None
) -> list[Row]:
    """The outcomes of a kind of student, a row a job. check: how it is trained where it is a network."""
    if check is not None:
        return fit_network(jobs, bench, study, check)
    return {"linear": fit_linear, "static": fit_static}[student](jobs, bench, study)
