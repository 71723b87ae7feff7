"""What a light student is trained on, arm by arm: none, augmented copies, twice the originals, real unlabelled texts.

Shapes: n originals of a replicate, m further texts, P texts of the pool and the reserve, N texts, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from empirical.bank.making import Bank
from empirical.bank.plan import BLOCK, BankPlan, Shift, Unit
from empirical.bank.study import Check, Size, Study
from empirical.bank.study_table import NONE, TWICE, UNLABELLED
from empirical.randomness import Draws, step_generator
from empirical.teachers.answering import Answering
from empirical.teachers.answers import Answers, answered

KEPT_UNITS = 512  # units whose inputs stay in memory


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to train: augmenter and degree, or one of the controls.

    augmenter: an augmenter's name; `none`; `none-twice` (twice the originals a step); `unlabelled` (real texts with the
    teacher's answers in place of augmented ones). amount: how many of those, in units of n. copies: of an augmented
    arm that has another number of copies of a text than its size.
    """

    augmenter: str
    mode: Literal["distill", "finetune"]
    degree: float = 0.0
    amount: float = 0.0
    shift: Shift | None = None
    copies: int | None = None


def arms(study: Study, student: str, size: Size) -> Iterator[Arm]:
    """Every arm that a study has for a student at a size; what converges without steps needs no equal compute."""
    modes: tuple[Literal["distill", "finetune"], ...] = ("distill", "finetune")
    for mode in modes[: 1 + (student in study.finetune)]:
        yield Arm(augmenter=NONE, mode=mode)
        for shift in study.shifts:
            for degree in shift.degrees:
                yield Arm(augmenter=shift.augmenter, mode=mode, degree=degree, shift=shift)
        for more in study.amounts_of(size):
            for shift in (shift for shift in study.shifts if shift.augmenter in more.augmenters):
                for copies, degree in product(more.copies, shift.degrees):
                    yield Arm(augmenter=shift.augmenter, mode=mode, degree=degree, shift=shift, copies=copies)
        if study.equal_compute and student != "linear":
            yield Arm(augmenter=TWICE, mode=mode)
        if mode == "distill":
            for amount in study.unlabelled:
                yield Arm(augmenter=UNLABELLED, mode=mode, amount=amount)


def checked_arms(study: Study, check: Check) -> Iterator[Arm]:
    """The cells on which a network checks the light students."""
    yield Arm(augmenter=NONE, mode="distill")
    for shift in study.shifts:
        for degree in shift.degrees if shift.augmenter in check.augmenters else ():
            if degree in check.degrees:
                yield Arm(augmenter=shift.augmenter, mode="distill", degree=degree, shift=shift)


class Targets(Protocol):
    """A teacher's answers where a study needs them, in the order of the texts asked for."""

    def originals(self, place_N: NDArray[np.int64]) -> NDArray[np.float32]:
        """Of texts of the pool and, behind it, the reserve, shape (N, C)."""
        ...

    def copies(self, unit: Unit, row_N: NDArray[np.int64]) -> NDArray[np.float32]:
        """Of a unit's copies of these rows of its block, shape (N, C)."""
        ...

    def evaluation(self, name: Literal["validation", "test"]) -> NDArray[np.float32]:
        """Of a whole evaluation split, shape (N, C)."""
        ...


@dataclass
class BankTargets:
    """The answers of one teacher to everything in a bank."""

    bank: Bank
    teacher: Answering
    answers: Answers
    _kept: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def _set(self, name: str) -> NDArray[np.float32]:
        if name not in self._kept:
            self._kept[name] = self.bank.original_logits(name, self.teacher, self.answers)
        return self._kept[name]

    def originals(self, place_N: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.concatenate([self._set("pool"), self._set("reserve")])[place_N]

    def copies(self, unit: Unit, row_N: NDArray[np.int64]) -> NDArray[np.float32]:
        return self.bank.logits(unit, self.teacher, self.answers)[row_N]

    def evaluation(self, name: Literal["validation", "test"]) -> NDArray[np.float32]:
        return self._set(name)


@dataclass
class SubsetTargets:
    """The answers of a teacher of one replicate, who is asked about that replicate's texts and copies only."""

    bank: Bank
    teacher: Answering
    answers: Answers
    _kept: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def originals(self, place_N: NDArray[np.int64]) -> NDArray[np.float32]:
        """Answers for original texts, those of the pool and, after them, of the reserve; shape (N, C)."""
        pool, reserve = self.bank.pool.pool.corpus, self.bank.pool.reserve.corpus
        inside = place_N < len(pool)
        logits_NC = np.empty((len(place_N), self.answers.classes), dtype=np.float32)
        for corpus, where, start in ((pool, inside, 0), (reserve, ~inside, len(pool))):
            if where.any():
                logits_NC[where] = answered(self.teacher, corpus, place_N[where] - start, self.answers, self.bank.count)
        return logits_NC

    def copies(self, unit: Unit, row_N: NDArray[np.int64]) -> NDArray[np.float32]:
        return answered(self.teacher, self.bank.copies(unit).corpus, row_N, self.answers, self.bank.count)

    def evaluation(self, name: Literal["validation", "test"]) -> NDArray[np.float32]:
        if name not in self._kept:
            self._kept[name] = self.bank.original_logits(name, self.teacher, self.answers)
        return self._kept[name]


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """What one student is trained on. Inputs are rows of a matrix, dense or sparse.

    x, target_NC, label_N: the n originals, the teacher's logits of them, their gold labels.
    more, more_target_MC, more_label_M: the m further texts likewise, copied labels; None and empty without them.
    """

    x: Any
    target_NC: NDArray[np.float32]
    label_N: NDArray[np.int64]
    more: Any
    more_target_MC: NDArray[np.float32]
    more_label_M: NDArray[np.int64]

    @property
    def further(self) -> int:
        """m, the texts beside the originals."""
        return len(self.more_label_M)


class Inputs(Protocol):
    """How a kind of student sees texts."""

    def __call__(self, corpus: Any, index_N: NDArray[np.integer]) -> Any:
        """The inputs of texts, N rows."""
        ...

    def stack(self, parts: list[Any]) -> Any:
        """Inputs one below the other."""
        ...


class Bench:
    """A bank as one kind of student sees it: inputs of every text, made once.

    plan: what of the bank one data size uses.
    """

    def __init__(self, bank: Bank, plan: BankPlan, inputs: Inputs) -> None:
        self.bank, self.plan, self.inputs = bank, plan, inputs
        pool = bank.pool
        corpora = [texts.corpus for texts in (pool.pool, pool.reserve) if len(texts)]
        self.originals = inputs.stack([inputs(corpus, np.arange(len(corpus))) for corpus in corpora])
        self.validation, self.test = (
            inputs(texts.corpus, np.arange(len(texts))) for texts in (pool.validation, pool.test)
        )
        self.label_P = np.concatenate([pool.pool.split.labels, pool.reserve.split.labels])
        self.copies = lru_cache(maxsize=KEPT_UNITS)(self._copies)

    def _copies(self, unit: Unit) -> Any:
        return self.inputs(self.bank.copies(unit).corpus, np.arange(unit.size))

    def training_set(self, arm: Arm, replicate: int, own_N: NDArray[np.int64], targets: Targets) -> TrainingSet:
        """What the student of an arm is trained on in a replicate with these places of the pool."""
        parts: list[tuple[Any, NDArray[np.float32], NDArray[np.int64]]] = []
        if arm.shift is not None:
            parts = list(self._augmented(arm, arm.shift, own_N, targets))
        elif arm.augmenter == UNLABELLED:
            place_M = self._others(replicate, own_N)[: round(arm.amount * len(own_N))]
            parts = [(self.originals[place_M], targets.originals(place_M), self.label_P[place_M])]
        target_NC = targets.originals(own_N)
        return TrainingSet(
            x=self.originals[own_N],
            target_NC=target_NC,
            label_N=self.label_P[own_N],
            more=self.inputs.stack([part[0] for part in parts]) if parts else None,
            more_target_MC=np.concatenate([target_NC[:0], *(part[1] for part in parts)]),
            more_label_M=np.concatenate([self.label_P[:0], *(part[2] for part in parts)]),
        )

    def _augmented(
        self, arm: Arm, shift: Shift, own_N: NDArray[np.int64], targets: Targets
    ) -> Iterator[tuple[Any, NDArray[np.float32], NDArray[np.int64]]]:
        """Copy after copy, each in the order of the originals."""
        for copy in range(arm.copies or self.plan.copies_of(shift)):
            for block in range(int(own_N[0]) // BLOCK, int(own_N[-1]) // BLOCK + 1):
                place_B = own_N[own_N // BLOCK == block]
                row_B = place_B - block * BLOCK
                size = min(self.plan.reach(shift) - block * BLOCK, BLOCK)
                unit = Unit(shift=shift, degree=arm.degree, copy=copy, block=block, size=size)
                yield self.copies(unit)[row_B], targets.copies(unit, row_B), self.label_P[place_B]

    def _others(self, replicate: int, own_N: NDArray[np.int64]) -> NDArray[np.int64]:
        """All other real texts, in the replicate's own random order: more of them begin with fewer."""
        step = (len(own_N) << 20) | replicate
        order = step_generator(self.plan.seed, step, Draws.BANK_TEXTS).permutation(len(self.label_P))
        return order[~np.isin(order, own_N)]
