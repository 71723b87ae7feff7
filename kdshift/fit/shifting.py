"""The degree that pays for a user's texts: copies within the time there is, their answers, light students' curve.

No scored text decides: under cross-validation each part takes its degree from the other parts' curves, and with a test
split the curve is measured within the training texts. Shapes: N texts, T teachers, P copies, R replicates, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.teachers.cross_fitted import CrossFitting
from kdshift.fit.answer_choice import Answered, chosen_answers
from kdshift.fit.degree_choice import CopiesAt, DegreeCurve, LightStudents, Replicate, measure
from kdshift.fit.fitting import Fit
from kdshift.fit.folds import FOLDS, stratified
from kdshift.fit.shifted_copies import CopyMaker, ShiftedCopies

ANSWERED = 0.75  # share of the time after which the copies are answered
MOST_COPIES, BLOCKS = 4, 5


@dataclass(kw_only=True)
class Shifting:
    """The stage between teachers and students. logits: what `Fit.answers` gave."""

    fit: Fit
    logits: Sequence[NDArray[np.float32]]

    @cached_property
    def answers(self) -> Answered:
        """Whose answers students learn from; what decided stands in the stage's facts `answer_choice`."""
        answered, facts = chosen_answers(
            self.fit.teachers.plan,
            self.logits,
            self.fit.folds.fold_N,
            lambda plan, logits: self._light(plan, logits).held_losses(),
        )
        self.fit.stages.keep_facts("answer_choice", facts)
        return answered

    def curve(self) -> DegreeCurve:
        """Light students at every degree, kept once measured."""
        kept, stages = self.fit.stages.arrays("curve"), self.fit.stages
        if kept is not None:
            return DegreeCurve(
                augmenter=self.fit.options.augmenter,
                degrees=tuple(kept["degrees"].tolist()),
                realised=tuple(kept["realised"].tolist()),
                distance=kept["distance"],
                accuracy=kept["accuracy"],
            )
        light = self._light(self.answers.plan, self.answers.logits)
        makers = {degree: self._maker(degree, light.replicates) for degree in self.affordable["degrees"]}
        curve = measure(light, self.fit.options.augmenter, makers)
        stages.keep_arrays(
            "curve",
            degrees=np.array(curve.degrees),
            realised=np.array(curve.realised),
            distance=curve.distance,
            accuracy=curve.accuracy,
        )
        self.fit.remember_time()
        return curve

    def degrees(self, curve: DegreeCurve) -> list[float]:
        """The degree of each of `Fit.parts`: the best of the curve without the replicates scored on that part."""
        whole = float(curve.recommendation()["degree"])
        if not self.fit.folds.cross_validated:
            return [whole]
        return [*(curve.without(number) for number in range(len(self.fit.folds.scored))), whole]

    @cached_property
    def affordable(self) -> dict[str, Any]:
        """How many degrees, copies and texts the time allows, by the time that answers to originals took."""
        if (facts := self.fit.stages.facts("copies")) is not None:
            return facts
        first = self.fit.stages.arrays("answers-0")
        assert first is not None, "teachers answer before copies are planned"
        asked = sum(int(np.isfinite(logits_NC[self._rows, 0]).sum()) for logits_NC in self.answers.logits)
        rounds = self.fit.clock.until(ANSWERED) / max(1e-9, float(first["seconds"]) * asked)
        degrees = list(self.fit.options.degrees)
        if rounds < len(degrees) and len(degrees) > 3:
            degrees = degrees[1::2] or degrees  # 20 % and 60 % of the default five
        share = float(np.clip(rounds / len(degrees), 0.02, 1.0))
        facts = {
            "degrees": degrees,
            "copies": int(np.clip(rounds / len(degrees), 1, MOST_COPIES)),
            "pool": max(min(100, len(self._rows)), round(share * len(self._rows))),
        }
        self.fit.stages.keep_facts("copies", facts)
        return facts

    def copies(self, degree: float) -> tuple[ShiftedCopies, Answered]:
        """The copies at a degree with the teachers' answers to them, T arrays of shape (P, C)."""
        made = self._maker_of_copies.make(degree, self.affordable["copies"], self.affordable["pool"])
        plan, logits, done = self.answers.plan, [], 0
        title = f"answers, {self.fit.options.augmenter} {degree:.0%}"
        fold_P = self.fit.folds.fold_N[made.origin_P]
        wanted = [np.flatnonzero(plan.answers_for(number, fold_P)) for number in range(len(plan.left))]
        total = sum(map(len, wanted))

        def tick(count: int) -> None:
            nonlocal done
            done += count
            self.fit.tell(title, done, total)

        for number, row_M in enumerate(wanted):
            logits.append(self.fit.teachers.answers(number, made.corpus, row_M, self.fit.network(number), tick))
        return made, Answered(plan=plan, logits=logits)

    def _maker(self, degree: float, replicates: Sequence[Replicate]) -> Callable[[], CopiesAt]:
        def make() -> CopiesAt:
            made, answered = self.copies(degree)
            targets = {fold: answered.targets(fold) for fold in {replicate.apart for replicate in replicates}}
            return CopiesAt(
                corpus=made.corpus,
                origin_P=made.origin_P,
                answer_RPC=[targets[replicate.apart] for replicate in replicates],
                realised=made.realised,
            )

        return make

    @cached_property
    def _rows(self) -> NDArray[np.int64]:
        """The texts that are augmented: all but the test texts."""
        return self.fit.folds.training_rows(frozenset(), labelled=False)

    @cached_property
    def _maker_of_copies(self) -> CopyMaker:
        fit = self.fit
        return CopyMaker(
            texts=fit.texts.take(self._rows),
            row_N=self._rows,
            labels=fit.own.labels,
            tokenizer=fit.tokenizer,
            embeddings=fit.embeddings if fit.options.augmenter == "knn" else None,
            augmenter=fit.options.augmenter,
            max_length=fit.options.max_length,
            seed=fit.options.seed,
            folder=fit.stages.folder / "bank",
        )

    def _light(self, plan: CrossFitting, logits: Sequence[NDArray[np.float32]]) -> LightStudents:
        fit, replicates = self.fit, []
        for number, (apart, training, scored) in enumerate(self._comparisons(plan)):
            row_N, held_N = fit.held(training)
            replicates.append(
                Replicate(
                    row_N=row_N,
                    held_N=held_N,
                    scored_N=scored,
                    answer_NC=plan.targets(logits, apart),
                    apart=apart,
                    seed=fit.options.seed + 100 * (number + 1),
                )
            )
        return LightStudents(fit.corpus, fit.embeddings, fit.folds.label_N, replicates)

    def _comparisons(self, plan: CrossFitting) -> list[tuple[int | None, NDArray[np.int64], NDArray[np.int64]]]:
        """The scored fold whose teachers answer (None: all), texts trained on, texts compared on; one a replicate.

        Scored folds under cross-validation. With a test split folds of the training texts where teachers are
        cross-fitted, else blocks of what a lone teacher was validated on: it has not been trained on those either.
        """
        folds = self.fit.folds
        if folds.cross_validated:
            return [(fold, training, scored) for fold, training, scored in folds.parts()]
        if len(plan.left) > 1:
            return [
                (None, folds.training_rows(frozenset([fold]), labelled=True), folds.rows(fold)) for fold in range(FOLDS)
            ]
        apart = self.fit.teachers.rows(0)[1]
        training = np.setdiff1d(folds.training_rows(frozenset(), labelled=True), apart)
        block_M = stratified(folds.label_N[apart], BLOCKS, self.fit.options.seed + 3)
        return [(None, training, apart[block_M == block]) for block in range(BLOCKS)]
