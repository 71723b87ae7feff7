"""Augmenters at equal seconds: whose texts bring a student nearest to its teacher for what they cost.

    kdshift empirical equal-seconds augmenters-tweets

Every augmenter gets the seconds in which the teacher answers `copies` texts for each original; what it spends on
making texts it cannot spend on answers, so slow augmenters bring fewer texts. The first size chooses each one's degree,
the others use it. Shapes: N originals, M further texts, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment.entropy_filter import UNFIT
from empirical.bank.arms import NONE, Arm, BankTargets, Bench, Inputs, Targets, TrainingSet
from empirical.bank.light import EmbeddingInputs, Job, NgramInputs, fit_linear, fit_static
from empirical.bank.making import Bank, make_bank
from empirical.bank.plan import Shift
from empirical.bank.pool import replicates
from empirical.bank.prices import Price
from empirical.bank.study import Size, Study
from empirical.bank.summary import curve_of
from empirical.randomness import Draws, step_generator
from empirical.teachers.answering import Answering
from theory.inference.contrast import gain_over_none, paired_difference
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd

SELECTED = "knn"  # whose texts the selections choose from
KEPT = 0.5  # share that a selection keeps; the others were paid for


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """An augmenter, perhaps with a selection over its texts.

    label: what tables call it. rule: a selection by the teacher's answers, or empty.
    """

    shift: Shift
    rule: str = ""

    @property
    def label(self) -> str:
        return f"{self.shift.augmenter}, {self.rule}" if self.rule else self.shift.augmenter


def entrants(study: Study) -> Iterator[Entrant]:
    """Every shift of a study, and behind `knn` its texts of lowest and of highest teacher entropy."""
    for shift in study.shifts:
        yield Entrant(shift=shift)
        if shift.augmenter == SELECTED:
            yield from (Entrant(shift=shift, rule=rule) for rule in ("low-entropy", "high-entropy"))


class Budgeted(Bench):
    """A bench on which every label has so many further texts: whole copies first, then some of the next one's."""

    def __init__(self, bank: Bank, inputs: Inputs, allowed: Mapping[str, int], rules: Mapping[str, str]) -> None:
        super().__init__(bank, bank.plan, inputs)
        self.allowed, self.rules = allowed, rules

    def training_set(self, arm: Arm, replicate: int, own_N: NDArray[np.int64], targets: Targets) -> TrainingSet:
        """The training set of an arm, with as many further texts as its seconds pay for (and the rule keeps)."""
        data = super().training_set(arm, replicate, own_N, targets)
        if not data.further:
            return data
        size = len(own_N)
        rng = step_generator(self.plan.seed, (size << 20) | replicate, Draws.SELECTION)
        copies = [start + rng.permutation(size) for start in range(0, data.further, size)]
        keep_M = np.sort(np.concatenate(copies)[: self.allowed[arm.augmenter]])
        if rule := self.rules.get(arm.augmenter):
            unfit_M = UNFIT[rule](data.more_target_MC[keep_M])
            keep_M = np.sort(keep_M[np.argsort(unfit_M, kind="stable")[: max(1, round(KEPT * len(keep_M)))]])
        return replace(
            data,
            more=data.more[keep_M],
            more_target_MC=data.more_target_MC[keep_M],
            more_label_M=data.more_label_M[keep_M],
        )


@dataclass(kw_only=True)
class Contest:
    """All entrants of a study on its bank.

    study: its shifts, sizes and students. bank: with the models that the shifts need. teacher: who answers.
    prices: of each shift's texts, by its name. answer: seconds of one of the teacher's answers.
    """

    study: Study
    bank: Bank
    teacher: Answering
    embeddings: NDArray[np.float32]
    prices: Mapping[str, Price]
    answer: float
    progress: Progress | None = None
    best: dict[str, float] = field(default_factory=dict)

    def allowed(self, entrant: Entrant, size: Size) -> int:
        """Texts that an entrant's seconds pay for at a size, at most the copies that the bank holds."""
        most = (size.copies or self.study.copies) * size.data_size
        return min(most, self.prices[entrant.shift.name].texts(most * self.answer, self.answer))

    def fit(self, size: Size, student: str) -> pd.DataFrame:
        """The table of one student at one size: a row an arm and replicate.

        Columns: those of a study's table, further_texts, seconds (making and answers), calls (texts scored).
        """
        import pandas as pd

        bank, chosen = self._bank(size)
        allowed = {entrant.label: self.allowed(entrant, size) for entrant in chosen}
        inputs: Inputs = NgramInputs()
        if student == "static":
            inputs = EmbeddingInputs(self.embeddings, bank.pool.validation.corpus)
        bench = Budgeted(bank, inputs, allowed, {entrant.label: entrant.rule for entrant in chosen})
        arms = [Arm(augmenter=NONE, mode="distill")]
        arms += [
            Arm(augmenter=entrant.label, mode="distill", degree=degree, shift=entrant.shift)
            for entrant in chosen
            if allowed[entrant.label]
            for degree in entrant.shift.degrees
        ]
        targets = BankTargets(bank, self.teacher, bank.store(self.teacher))
        jobs = [
            Job(arm=arm, replicate=number, own_N=own_N, targets=targets)
            for number, own_N in enumerate(replicates(bank.plan.pool, size.data_size))
            for arm in arms
        ]
        rows = {"linear": fit_linear, "static": fit_static}[student](jobs, bench, self.study)
        spent = {entrant.label: self._spent(entrant, size) for entrant in chosen}
        flat = [
            {
                "data_size": size.data_size,
                "student": student,
                **{name: value for name, value in row.items() if np.isscalar(value)},
                **spent.get(row["augmenter"], {"further_texts": 0, "seconds": 0.0, "calls": 0.0}),
            }
            for row in rows
        ]
        return pd.DataFrame(flat)

    def _bank(self, size: Size) -> tuple[Bank, list[Entrant]]:
        """The bank of a size, made and answered, and who takes part: those whose pool reaches so far."""
        pool = size.pool or self.study.pool
        chosen = [
            replace(entrant, shift=self._at_best(entrant)) if self.best else entrant
            for entrant in entrants(self.study)
            if (entrant.shift.pool or pool) >= pool
        ]
        shifts: dict[str, Shift] = {}
        for entrant in chosen:
            known = shifts.get(entrant.shift.name)
            degrees = entrant.shift.degrees + (known.degrees if known else ())
            shifts[entrant.shift.name] = entrant.shift.model_copy(update={"degrees": tuple(dict.fromkeys(degrees))})
        plan = self.study.bank_of(size).model_copy(update={"shifts": tuple(shifts.values())})
        bank = replace(self.bank, plan=plan)
        make_bank(bank, self.teacher, self.progress)
        return bank, chosen

    def _at_best(self, entrant: Entrant) -> Shift:
        degree = self.best.get(entrant.label, entrant.shift.degrees[0])
        return entrant.shift.model_copy(update={"degrees": (degree,)})

    def _spent(self, entrant: Entrant, size: Size) -> dict[str, float]:
        price, texts = self.prices[entrant.shift.name], self.allowed(entrant, size)
        return {"further_texts": texts, "seconds": texts * price.text(self.answer), "calls": texts * price.asked}


def summary(table: pd.DataFrame, prices: Mapping[str, Price], answer: float) -> list[dict[str, Any]]:
    """One row a data size, student and entrant: what it gains over none at its best degree, and what it cost.

    prices: by label. gain, low, high: in distance, simultaneous over the degrees tried, replicates as units (one
    replicate: no interval); accuracy: paired, at the same degree. seconds_a_thousand: texts with their answers.
    """
    rows = []
    for (size, student), frame in table.groupby(["data_size", "student"], sort=False):
        none = frame[frame["augmenter"] == NONE].set_index("replicate")
        for label in [name for name in frame["augmenter"].unique() if name != NONE]:
            gain = gain_over_none(curve_of(frame, label, "distance"))
            at = frame[(frame["augmenter"] == label) & (frame["degree"] == gain.shift)].set_index("replicate")
            accuracy = paired_difference(at["accuracy"].to_numpy(), none["accuracy"].loc[at.index].to_numpy())
            price = prices[label]
            rows.append(
                {
                    "data_size": int(size),
                    "student": student,
                    "augmenter": label,
                    "degree": gain.shift,
                    "replicates": len(none),
                    "none": float(none["distance"].mean()),
                    "gain": gain.gain,
                    "low": gain.low,
                    "high": gain.high,
                    "accuracy": accuracy.effect,
                    "accuracy_low": accuracy.low,
                    "accuracy_high": accuracy.high,
                    "further_texts": int(at["further_texts"].iloc[0]),
                    "calls": float(at["calls"].iloc[0]),
                    "seconds": float(at["seconds"].iloc[0]),
                    "seconds_a_thousand": 1000 * price.text(answer),
                    "calls_a_text": price.asked,
                    "start_seconds": price.start,
                }
            )
    return rows
