"""The three terms of the repaired theorem, measured on text as the theorem means them, per degree and data size.

    kdshift empirical terms curves-tweets

PROOFS.md 5: a student's error on the population is at most its distance to the teacher on the augmented sample, plus
half the L1 distance of that sample's mixture to the population, plus the teacher's error on the sample. On a bank: the
first on copies that the student has not seen, the second from below by a classifier that has held-out originals, the
third by a second teacher. All are probabilities (total variation over classes), so that they may be added; what is
estimated from below makes no guarantee of their sum.
Shapes: N texts, C classes, d coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from empirical.bank.arms import Arm, BankTargets, Bench, TrainingSet
from empirical.bank.kept_parts import kept_parts
from empirical.bank.light import NgramInputs
from empirical.bank.plan import BankPlan, Shift
from empirical.bank.pool import replicates
from empirical.bank.study import Size
from empirical.bank.study_run import StudyRun
from empirical.models.linear import LinearStudent, fit_labels, fit_ridge
from empirical.shift.telling_apart import energy_distance, population_l1
from empirical.shift.text_points import whitened_inputs
from theory.errors import InputError
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
HELD_OUT = 1000  # originals of each of the population's two sets
BANDWIDTH = 0.5  # of the classifier, in units of the median distance sqrt(2d) of two points of N(0, I)
SETS = 2  # copies of a text: one to train on, one to measure on
TERMS = ("student_fit", "population_l1", "teacher_unreliability")


@dataclass
class ThreeTerms:
    """A study's three terms, in parts that are kept as soon as they are there.

    run: the study; its bank is made as far as it is needed. augmenters, data_sizes: of the study's. most: replicates at
    a size at most. folder: of the parts.
    """

    run: StudyRun
    augmenters: Sequence[str]
    data_sizes: Sequence[int]
    most: int
    folder: Path
    progress: Progress | None = None

    def table(self) -> pd.DataFrame:
        """A row an augmenter, data size, degree (0 first) and replicate.

        Columns: augmenter, data_size, degree, replicate; student_fit, population_l1 (in [0, 2]),
        teacher_unreliability; their sum with half of the second, `sum`; energy, the energy distance to the population;
        distance, the student's to the teacher on held-out originals, and error, one less its probability of the label
        there: what the sum stands for. Raises InputError for what the study does not have.
        """
        import pandas as pd

        study = self.run.study
        work = [(study.shift_of(name), study.size_of(size)) for name in self.augmenters for size in self.data_sizes]
        parts = [
            (
                self.folder / f"{shift.augmenter}-{size.data_size}-{self.most}.parquet",
                partial(self._rows, shift, size),
            )
            for shift, size in work
        ]
        return pd.concat(kept_parts(parts, "the three terms", self.progress), ignore_index=True)

    @cached_property
    def _plan(self) -> BankPlan:
        if self.run.study.copies < SETS:
            raise InputError("copies", self.run.study.copies, f"a study with at least {SETS} copies of a text")
        return self.run.study.bank().model_copy(update={"copies": SETS})

    @cached_property
    def _benches(self) -> tuple[Bench, Bench]:
        """The bank as a linear student sees it, and as points."""
        bank = replace(self.run.bank, plan=self._plan)
        return Bench(bank, self._plan, NgramInputs()), Bench(bank, self._plan, whitened_inputs(self.run))

    @cached_property
    def _teacher(self) -> BankTargets:
        bank = self._benches[0].bank
        return BankTargets(bank, self.run.teacher, bank.store(self.run.teacher))

    @cached_property
    def _second(self) -> LinearStudent:
        """A teacher of another kind: logistic regression on n-grams of all labelled originals of pool and reserve."""
        bench = self._benches[0]
        count = len(bench.label_P)
        validation = (bench.validation, bench.bank.pool.validation.split.labels)
        classes = self._teacher.evaluation("validation").shape[1]
        return fit_labels(bench.originals, bench.label_P, np.full(count, 1 / count), classes, validation)

    def _rows(self, shift: Shift, size: Size) -> Iterator[dict[str, Any]]:
        subsets = replicates(size.pool or self.run.study.pool, size.data_size)[: self.most]
        for number, own_N in enumerate(subsets):
            for degree in (0.0, *shift.degrees):
                arm = Arm(augmenter=shift.augmenter, mode="distill", degree=degree, shift=shift if degree else None)
                text, points = (bench.training_set(arm, number, own_N, self._teacher) for bench in self._benches)
                lead = {"augmenter": shift.augmenter, "data_size": size.data_size, "degree": degree}
                yield {**lead, "replicate": number, **self._measured(text, points)}

    def _measured(self, text: TrainingSet, points: TrainingSet) -> dict[str, float]:
        """One student, one augmented sample: the terms and what they bound."""
        bench, place = self._benches
        train, unseen = (_set(text, number) for number in range(SETS))
        student = self._student(text, train)
        mixture = tuple(_set(points, number)[0] for number in range(SETS))
        population = place.validation[:HELD_OUT], place.test[:HELD_OUT]
        bandwidth = BANDWIDTH * np.sqrt(2 * population[0].shape[1])
        test = self._teacher.evaluation("test")
        told = softmax(student.logits(bench.test), axis=1)
        terms = {
            "student_fit": apart(student.logits(unseen[0]), unseen[1]),
            "population_l1": population_l1((mixture[0], mixture[1]), population, bandwidth),
            "teacher_unreliability": apart(self._second.logits(unseen[0]), unseen[1]),
        }
        label_N = bench.bank.pool.test.split.labels
        return {
            **terms,
            "sum": terms["student_fit"] + terms["population_l1"] / 2 + terms["teacher_unreliability"],
            "energy": energy_distance((mixture[0], mixture[1]), population[1]),
            "distance": apart(student.logits(bench.test), test),
            "error": float(1 - told[np.arange(len(label_N)), label_N].mean()),
        }

    def _student(self, text: TrainingSet, train: tuple[Any, NDArray[np.floating]]) -> LinearStudent:
        """The bank's linear student of the originals and one copy of each."""
        count = len(text.label_N)
        gamma = self.run.study.gamma if text.further else 1.0
        x, target, weight = text.x, text.target_NC, np.full(count, gamma / count)
        if text.further:
            x = self._benches[0].inputs.stack([x, train[0]])
            target = np.concatenate([target, train[1]])
            weight = np.r_[weight, np.full(count, (1 - gamma) / count)]
        validation = (self._benches[0].validation, self._teacher.evaluation("validation"))
        return fit_ridge(x, target, weight, validation)


def _set(data: TrainingSet, number: int) -> tuple[Any, NDArray[np.floating]]:
    """One copy of every original with the teacher's answers; without a shift, the originals themselves."""
    if not data.further:
        return data.x, data.target_NC
    count = len(data.label_N)
    rows = slice(number * count, (number + 1) * count)
    return data.more[rows], data.more_target_MC[rows]


def apart(first_NC: NDArray[np.floating], second_NC: NDArray[np.floating]) -> float:
    """Mean total variation between the probabilities of two sets of logits, in [0, 1]."""
    gap_NC = np.abs(softmax(first_NC, axis=1) - softmax(second_NC, axis=1))
    return float(gap_NC.sum(axis=1).mean() / 2)


def ranks(table: pd.DataFrame, against: str = "error") -> pd.DataFrame:
    """How well the sum, and each term, orders the degrees as a measured outcome does, by augmenter and data size.

    against: `error` or `distance`. Columns: term, rank (Spearman's correlation over degrees of means over replicates),
    best (the degree at which the term is least), measured (at which the outcome is).
    """
    import pandas as pd
    from scipy.stats import spearmanr

    rows = []
    for (augmenter, data_size), frame in table.groupby(["augmenter", "data_size"], sort=False):
        mean = frame.groupby("degree").mean(numeric_only=True)
        for term in ("sum", *TERMS, "energy"):
            constant = mean[term].nunique() < 2
            rank = float("nan") if constant else float(spearmanr(mean[term], mean[against]).statistic)
            degree_K = mean.index.to_numpy(dtype=float)
            best, measured = (float(degree_K[mean[name].to_numpy().argmin()]) for name in (term, against))
            lead = {"augmenter": augmenter, "data_size": data_size, "term": term, "against": against}
            rows.append({**lead, "rank": rank, "best": best, "measured": measured})
    return pd.DataFrame(rows)


def told(ranked: pd.DataFrame) -> str:
    """How well the sum and each term order the degrees, in one sentence."""
    parts = []
    for term in ranked["term"].unique():
        frame = ranked[ranked["term"] == term]
        near = int((frame["best"] == frame["measured"]).sum())
        parts.append(f"{str(term).replace('_', ' ')} {frame['rank'].mean():+.2f} (same best degree on {near})")
    curves = ranked.groupby(["augmenter", "data_size"]).ngroups
    return (
        f"mean rank correlation with the measured {ranked['against'].iloc[0]} over degrees, {curves} curves: "
        + ", ".join(parts)
    )
