"""Augmenters at equal seconds: whose texts bring a student nearest to its teacher for what they cost.

    kdshift empirical equal-seconds augmenters-tweets

Every augmenter gets the seconds in which the teacher answers `copies` texts for each original; what it spends on
making texts it cannot spend on answers, so slow augmenters bring fewer texts. The first size chooses each one's degree,
the others use it. Shapes: N originals, M further texts, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment.entropy_filter import UNFIT
from empirical.bank.arms import Arm, BankTargets, Bench, Inputs, Targets, TrainingSet
from empirical.bank.light import Job
from empirical.bank.making import Bank, make_bank
from empirical.bank.plan import Shift
from empirical.bank.pool import replicates
from empirical.bank.prices import Price
from empirical.bank.shards import copies_of
from empirical.bank.student_kinds import fit_students, inputs_of
from empirical.bank.study import Check, Size, Study
from empirical.bank.study_table import DISJOINT, NONE
from empirical.bank.summary import complete, curve_of, unit_rows
from empirical.randomness import Draws, step_generator
from empirical.teachers.answering import Answering
from empirical.teachers.answers import answered
from empirical.tokens.codec import encode_batch
from empirical.tokens.corpus import Corpus
from theory.inference.contrast import gain_over_none, paired_difference
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd

SELECTED = "knn"  # whose texts the selections choose from
Few = Callable[[NDArray[np.int64], int, float], tuple[Corpus, NDArray[np.float32]]]
FEW = 0.5  # of a copy: an entrant that can pay for less has its texts made one by one
KEPT = 0.5  # share that a selection keeps; the others were paid for


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """An augmenter, perhaps with a selection over its texts.

    shift: its texts. rule: a selection by the teacher's answers, or empty.
    """

    shift: Shift
    rule: str = ""

    @property
    def label(self) -> str:
        """What tables call it: the augmenter, and the rule behind a comma."""
        return f"{self.shift.augmenter}, {self.rule}" if self.rule else self.shift.augmenter

    @property
    def degrees(self) -> str:
        """Its degrees in a file's name."""
        return "-".join(f"{degree:g}" for degree in self.shift.degrees)


def entrants(study: Study) -> Iterator[Entrant]:
    """Every shift of a study, and behind `knn` its texts of lowest and of highest teacher entropy."""
    for shift in study.shifts:
        yield Entrant(shift=shift)
        if shift.augmenter == SELECTED:
            yield from (Entrant(shift=shift, rule=rule) for rule in ("low-entropy", "high-entropy"))


class Budgeted(Bench):
    """A bench on which an entrant has so many further texts: whole copies from the bank, or few made on the spot.

    allowed: further texts of a replicate. few: function from places in the pool and a number to new texts with the
    teacher's answers, where a replicate can pay for less than one copy (whole blocks of the bank would be a waste).
    """

    def __init__(self, bank: Bank, inputs: Inputs, allowed: int, rule: str, few: Few | None) -> None:
        super().__init__(bank, bank.plan, inputs)
        self.allowed, self.rule, self.few = allowed, rule, few

    def training_set(self, arm: Arm, replicate: int, own_N: NDArray[np.int64], targets: Targets) -> TrainingSet:
        """The training set of an arm, with as many further texts as its seconds pay for (and the rule keeps)."""
        rng = step_generator(self.plan.seed, (len(own_N) << 20) | replicate, Draws.SELECTION)
        if self.few is not None and arm.shift is not None:
            data = super().training_set(Arm(augmenter=NONE, mode=arm.mode), replicate, own_N, targets)
            place_M = np.sort(rng.permutation(own_N)[: self.allowed])
            corpus, target_MC = self.few(place_M, replicate, arm.degree)
            more = self.inputs(corpus, np.arange(len(corpus)))
            return replace(data, more=more, more_target_MC=target_MC, more_label_M=self.label_P[place_M])
        data = super().training_set(arm, replicate, own_N, targets)
        if not data.further:
            return data
        size = len(own_N)
        copies = [start + rng.permutation(size) for start in range(0, data.further, size)]
        keep_M = np.sort(np.concatenate(copies)[: self.allowed])
        if self.rule:
            unfit_M = UNFIT[self.rule](data.more_target_MC[keep_M])
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

    def chosen(self, size: Size) -> list[Entrant]:
        """Who takes part at a size: those whose pool reaches so far; with one degree once `best` knows it."""
        pool = size.pool or self.study.pool
        return [
            replace(entrant, shift=self._at_best(entrant)) if self.best else entrant
            for entrant in entrants(self.study)
            if (entrant.shift.pool or pool) >= pool and self.allowed(entrant, size)
        ]

    def checked(self, check: Check, size: Size) -> list[Entrant]:
        """Whose texts a network is trained on as well: the check's augmenters, without selections."""
        return [one for one in self.chosen(size) if one.shift.augmenter in check.augmenters and not one.rule]

    def fit(self, size: Size, student: str, entrant: Entrant | None, check: Check | None = None) -> pd.DataFrame:
        """The table of one student at one size on an entrant's texts (None: on originals): a row a degree, replicate.

        Columns: those of a study's table, further_texts, seconds (making and answers), calls (texts scored). check: how
        the student is trained where it is a network.
        """
        import pandas as pd

        shifts = () if entrant is None else (entrant.shift,)
        bank = replace(self.bank, plan=self.study.bank_of(size).model_copy(update={"shifts": shifts}))
        few = None
        if entrant is not None and self.allowed(entrant, size) < FEW * size.data_size:
            few = self._few(entrant, bank)
        else:
            make_bank(bank, self.teacher, self.progress)
        arms, allowed, rule = [Arm(augmenter=NONE, mode="distill")], 0, ""
        if entrant is not None:
            allowed, rule = self.allowed(entrant, size), entrant.rule
            arms = [
                Arm(augmenter=entrant.label, mode="distill", degree=degree, shift=entrant.shift)
                for degree in entrant.shift.degrees
            ]
        targets = BankTargets(bank, self.teacher, bank.store(self.teacher))
        subsets = replicates(bank.plan.pool, size.data_size, size.splits)
        jobs = [
            Job(arm=arm, replicate=number, own_N=own_N, targets=targets)
            for number, own_N in enumerate(subsets[: None if check is None else check.replicates])
            for arm in arms
        ]
        bench = Budgeted(bank, inputs_of(student, bank, self.embeddings), allowed, rule, few)
        rows = fit_students(student, jobs, bench, self.study, check)
        spent = {"further_texts": 0, "seconds": 0.0, "calls": 0.0} if entrant is None else self._spent(entrant, size)
        flat = [
            {
                "data_size": size.data_size,
                "student": student,
                **{name: value for name, value in row.items() if np.isscalar(value)},
                "split": row["replicate"] // 2 if size.splits else DISJOINT,
                **spent,
            }
            for row in rows
        ]
        return pd.DataFrame(flat)

    def _few(self, entrant: Entrant, bank: Bank) -> Few:
        """Texts of single places of the pool, made and answered on the spot."""
        augmenter = bank.augmenter(entrant.shift)
        answers, split = bank.store(self.teacher), bank.pool.pool.split

        def make(place_M: NDArray[np.int64], replicate: int, degree: float) -> tuple[Corpus, NDArray[np.float32]]:
            own = split.take(place_M)
            batch = encode_batch(bank.tokenizer, own.text_a, own.text_b, bank.plan.task.max_length)
            step = (len(place_M) << 24) | replicate
            found = augmenter(batch, degree, step_generator(bank.plan.seed, step, Draws.BANK_COPIES))
            corpus = copies_of(found, bank.tokenizer.pad_token_id).corpus
            if found.logits_BC is not None:
                return corpus, found.logits_BC
            return corpus, answered(self.teacher, corpus, np.arange(len(corpus)), answers, bank.count)

        return make

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
    import pandas as pd

    rows = []
    for (_, student), frame in table.groupby(["data_size", "student"], sort=False):
        none = frame[frame["augmenter"] == NONE].set_index("replicate")
        for label in [name for name in frame["augmenter"].unique() if name != NONE]:
            gain = gain_over_none(curve_of(frame, label, "distance"))
            at = frame[(frame["augmenter"] == label) & (frame["degree"] == gain.shift)].set_index("replicate")
            both = pd.concat([at["accuracy"], none["accuracy"].loc[at.index]], axis=1)
            accuracy = paired_difference(*unit_rows(frame, complete(frame, both)).T)
            price = prices[label]
            rows.append(
                {
                    "data_size": int(frame["data_size"].iloc[0]),
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
