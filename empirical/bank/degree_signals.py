"""Degree without training: what a teacher's answers alone say of each augmenter and degree.

    kdshift empirical signals curves-tweets

Nothing is trained on the augmented texts. Every signal of a cell (augmenter, degree, data size) is the mean over the
disjoint subsets of that size. Shapes: R subsets, S copies (augmentation seeds), N texts, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from empirical.bank.arms import BankTargets
from empirical.bank.light import NgramInputs
from empirical.bank.making import Bank
from empirical.bank.plan import BLOCK, Shift, Unit
from empirical.bank.pool import replicates
from empirical.bank.study import Size, Study
from empirical.bank.study_table import distilled
from empirical.metric import entropy
from empirical.models.linear import LinearStudent, fit_labels
from empirical.teachers.answering import Answering
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd

SIGNALS = {
    "t_stddev": "deviation over seeds of the teacher's mean answer, texts held fixed",
    "text_stddev": "deviation over seeds of the teacher's answer to a text",
    "entropy": "the teacher's entropy, nats",
    "moved": "total variation between the teacher's answers to a copy and to its original",
    "relabelled": "share of copies with another label than their original",
    "disagreement": "share of copies on which a second, linear teacher gives another label",
    "tau": "effective tau of the measured shift",
}


def signals(study: Study, bank: Bank, teacher: Answering, progress: Progress | None = None) -> pd.DataFrame:
    """One row a size and cell: `SIGNALS` without tau, from answers that the bank holds (what it lacks is asked for).

    T. stddev follows the paper's reference [29] (Wang et al., 2022), whose code draws new texts as well: here the
    texts are held fixed, so that what moves the mean answer is the augmentation alone.
    """
    import pandas as pd

    second = second_teacher(bank)
    rows = []
    cells = [(shift, degree) for shift in study.shifts for degree in shift.degrees]
    for size in study.sizes:
        sized = replace(bank, plan=study.bank_of(size))
        targets = BankTargets(sized, teacher, sized.store(teacher))
        for shift, degree in cells:
            lead = {"data_size": size.data_size, "augmenter": shift.augmenter, "degree": degree}
            rows.append({**lead, **_cell(sized, targets, second, size, shift, degree)})
            if progress is not None:
                progress("signals", len(rows), len(cells) * len(study.sizes))
    return pd.DataFrame(rows)


def second_teacher(bank: Bank) -> LinearStudent:
    """A teacher of another kind: a logistic regression on the labels of the reserve, texts of no replicate."""
    inputs, reserve, validation = NgramInputs(), bank.pool.reserve, bank.pool.validation
    assert len(reserve), "a second teacher needs a reserve"
    label_N = reserve.split.labels
    return fit_labels(
        inputs(reserve.corpus, np.arange(len(reserve))),
        label_N,
        np.full(len(label_N), 1 / len(label_N)),
        len(bank.task.labels),
        (inputs(validation.corpus, np.arange(len(validation))), validation.split.labels),
    )


def _cell(
    bank: Bank, targets: BankTargets, second: LinearStudent, size: Size, shift: Shift, degree: float
) -> dict[str, float]:
    """The signals of one cell, from all copies of all texts of the size's pool."""
    plan = bank.plan
    own_NC = softmax(targets.originals(np.arange(plan.pool)), axis=1)
    answer_SNC = np.stack([_copy(targets, unit_row) for unit_row in _copies(bank, shift, degree)])
    ngrams = NgramInputs()
    other_N = np.concatenate(
        [
            second.logits(ngrams(bank.copies(unit).corpus, np.arange(unit.size))).argmax(axis=1)
            for unit in next(_copies(bank, shift, degree))
        ]
    )
    values = softmax(answer_SNC.astype(np.float64), axis=2)
    subsets = replicates(plan.pool, size.data_size)
    mean_RSC = np.stack([values[:, own_N].mean(axis=1) for own_N in subsets])
    label_SN = values.argmax(axis=2)
    return {
        "t_stddev": float(np.sqrt(mean_RSC.var(axis=1, ddof=1).mean())),
        "text_stddev": float(np.sqrt(values.var(axis=0, ddof=1).mean())),
        "entropy": float(entropy(answer_SNC.reshape(-1, answer_SNC.shape[2])).mean()),
        "moved": float(np.abs(values - own_NC).sum(axis=2).mean() / 2),
        "relabelled": float((label_SN != own_NC.argmax(axis=1)).mean()),
        "disagreement": float((label_SN[0] != other_N).mean()),
    }


def _copies(bank: Bank, shift: Shift, degree: float) -> Iterator[list[Unit]]:
    """For each copy the units that hold the pool's texts, in order."""
    plan = bank.plan
    for copy in range(plan.copies_of(shift)):
        yield [
            Unit(shift=shift, degree=degree, copy=copy, block=block, size=min(plan.pool - block * BLOCK, BLOCK))
            for block in range(-(-plan.pool // BLOCK))
        ]


def _copy(targets: BankTargets, units: list[Unit]) -> NDArray[np.float32]:
    return np.concatenate([targets.copies(unit, np.arange(unit.size)) for unit in units])


def with_tau(table: pd.DataFrame, shift: pd.DataFrame) -> pd.DataFrame:
    """The table with the effective tau of each cell, from a table of measured shifts (`kdshift empirical shift`).

    Between the degrees measured tau is linear; beyond the largest it goes on as between the last two.
    """

    def tau_of(row: Any) -> float:
        known = shift[shift["augmenter"] == row["augmenter"]].sort_values("degree")
        x = np.concatenate([[0.0], known["degree"].to_numpy(dtype=float)])
        y = np.concatenate([[0.0], known["tau"].to_numpy(dtype=float)])
        if len(x) < 2:
            return float("nan")
        if row["degree"] > x[-1]:
            return float(y[-1] + (y[-1] - y[-2]) / (x[-1] - x[-2]) * (row["degree"] - x[-1]))
        return float(np.interp(row["degree"], x, y))

    return table.assign(tau=table.apply(tau_of, axis=1))


def outcomes_beside(table: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """The signals with each light student's mean distance, a row a cell and student that distils."""
    keys = ["data_size", "augmenter", "degree"]
    distance = distilled(curves).groupby(["student", *keys], as_index=False)["distance"].mean()
    beside: pd.DataFrame = distance.merge(table, on=keys)
    return beside
