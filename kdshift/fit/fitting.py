"""The whole of `kdshift fit`: baselines, teachers, the degree that pays, the student, one sentence.

Each stage is kept as it ends and found again by the next call. Shapes: N texts, T teachers, P copies, C classes.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from transformers import PreTrainedModel

from empirical.models.classifier import embedding_matrix, load_classifier, load_tokenizer, save_model
from empirical.tasks.spec import Split
from empirical.tokens.corpus import Corpus, encode_corpus
from kdshift.fit.baselines import BagOfWords, majority
from kdshift.fit.degree_choice import CopiesAt, DegreeCurve, LightStudents, Replicate, measure
from kdshift.fit.folds import TEST, UNLABELLED, Folds, held_back, make_folds
from kdshift.fit.learner import predict_logits
from kdshift.fit.options import FitOptions
from kdshift.fit.own_teachers import OwnTeachers
from kdshift.fit.own_texts import OwnTexts
from kdshift.fit.shifted_copies import CopyMaker, ShiftedCopies
from kdshift.fit.shipping import KINDS, Kind, StudentMaker, Wish
from kdshift.fit.stages import Clock, Stages
from theory.errors import InputError

TEACHING, ANSWERING = 0.45, 0.4  # shares of the time left that teachers' training and the copies' answers may take
MOST_COPIES, BLOCKS = 4, 5
HELD_SHARE, LEAST_HELD, MOST_HELD = 0.12, 30, 1_000

Progress = Callable[[str, int, int], None]


@dataclass(kw_only=True)
class Fit:
    """One fit of one user's texts in its folder.

    outside_NC: an outside teacher's log-probabilities of all texts (training, test, unlabelled), or None.
    agreement: whether the labels are the outside teacher's own, so that scores are agreement with it.
    """

    own: OwnTexts
    options: FitOptions
    folder: Path
    outside_NC: NDArray[np.float32] | None = None
    agreement: bool = False
    progress: Progress | None = None
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.stages = Stages(self.folder / "work" / self.options.digest(self.own.digest()))
        spent = (self.stages.facts("clock") or {"spent": 0.0})["spent"]
        self.clock = Clock(minutes=self.options.minutes, spent_before=float(spent))
        self.tokenizer = load_tokenizer(self.options.network)
        self.embeddings = embedding_matrix(self.options.network)
        self.teachers = OwnTeachers(
            model=self.options.network,
            labels=self.own.labels,
            tokenizer=self.tokenizer,
            corpus=self.corpus,
            folds=self.folds,
            plan=self.folds.teachers(trained_on_labels=self.outside_NC is None),
            answer_NC=self.outside_NC,
            folder=self.stages.folder,
            seed=self.options.seed,
            progress=self.progress,
        )
        self.students = StudentMaker(
            model=self.options.network,
            labels=self.own.labels,
            tokenizer=self.tokenizer,
            embeddings_VD=self.embeddings,
            corpus=self.corpus,
            label_N=self.folds.label_N,
            seed=self.options.seed,
            soft_only=self.agreement,
            wish=Wish(megabytes=self.options.megabytes, milliseconds=self.options.milliseconds),
        )

    @cached_property
    def texts(self) -> Split:
        """All texts: training file, test file, unlabelled file."""
        parts = [part for part in (self.own.train, self.own.test, self.own.unlabelled) if part is not None]
        second = None if self.own.train.text_b is None else [text for part in parts for text in part.text_b or ()]
        return Split(
            text_a=[text for part in parts for text in part.text_a],
            text_b=second,
            labels=np.concatenate([part.labels for part in parts]),
        )

    @cached_property
    def folds(self) -> Folds:
        return make_folds(self.own, self.options.seed)

    @cached_property
    def corpus(self) -> Corpus:
        return encode_corpus(self.tokenizer, self.texts.text_a, self.texts.text_b, self.options.max_length)

    def baselines(self) -> dict[str, NDArray[np.float64]]:
        """Probabilities of majority and bag of words for every scored text, (N, C), NaN for the others."""
        if (kept := self.stages.arrays("baselines")) is not None:
            return kept
        classes = len(self.own.labels)
        found = {name: np.full((len(self.texts), classes), np.nan) for name in ("majority", "bag_of_words")}
        for number, (_, training, scored) in enumerate(self.folds.parts()):
            self._tell("baselines", number, len(self.folds.scored))
            part, seen = self.texts.take(scored), self.texts.take(training)
            found["majority"][scored] = majority(seen.labels, classes, len(scored))
            words = BagOfWords.fit(seen, self.own.labels, self.options.seed)
            found["bag_of_words"][scored] = words.predict_proba(part.text_a, part.text_b)
        labelled = self.folds.training_rows(frozenset(), labelled=True)
        BagOfWords.fit(self.texts.take(labelled), self.own.labels, self.options.seed).save(self.stages.folder / "words")
        self._done("baselines", len(self.folds.scored))
        self.stages.keep_arrays("baselines", **found)
        return found

    def answers(self) -> list[NDArray[np.float32]]:
        """Every teacher's logits of the texts that it may answer for, T arrays of shape (N, C)."""
        plan, kept = self.teachers.plan, []
        for number in range(len(plan.left)):
            found = self.stages.arrays(f"answers-{number}")
            if found is None:
                self.teachers.train(number, TEACHING * self.clock.left / (len(plan.left) - number))
                row_M = np.flatnonzero(plan.answers_for(number, self.folds.fold_N))
                began = time.monotonic()
                logits_NC = self.teachers.answers(number, self.corpus, row_M, self.teachers.network(number))
                seconds = (time.monotonic() - began) / len(row_M)
                self.stages.keep_arrays(f"answers-{number}", logits=logits_NC, seconds=np.array(seconds))
                self._remember_time()
                found = {"logits": logits_NC}
            kept.append(found["logits"])
        return kept

    def degree(self, answers: list[NDArray[np.float32]]) -> tuple[DegreeCurve, dict[str, Any]]:
        """The curve of the degrees and the recommendation read off it."""
        kept, facts = self.stages.arrays("curve"), self.stages.facts("copies")
        if kept is None or facts is None:
            facts = facts or self._affordable(answers)
            self.stages.keep_facts("copies", facts)
            light = LightStudents(self.corpus, self.embeddings, self.folds.label_N, self._replicates(answers))
            makers = {degree: self._maker(degree, facts, light.replicates) for degree in facts["degrees"]}
            curve = measure(light, self.options.augmenter, makers)
            self.stages.keep_arrays(
                "curve",
                degrees=np.array(curve.degrees),
                realised=np.array(curve.realised),
                distance=curve.distance,
                accuracy=curve.accuracy,
            )
            self._remember_time()
        else:
            curve = DegreeCurve(
                augmenter=self.options.augmenter,
                degrees=tuple(kept["degrees"].tolist()),
                realised=tuple(kept["realised"].tolist()),
                distance=kept["distance"],
                accuracy=kept["accuracy"],
            )
        return curve, curve.recommendation()

    def _affordable(self, answers: list[NDArray[np.float32]]) -> dict[str, Any]:
        """How many degrees, copies and texts the time allows, by the time that answers to originals took."""
        first = self.stages.arrays("answers-0")
        assert first is not None, "teachers answer before copies are planned"
        asked = sum(int(np.isfinite(logits_NC[self._shifted_rows, 0]).sum()) for logits_NC in answers)
        affordable = ANSWERING * self.clock.left / max(1e-9, float(first["seconds"]) * asked)
        degrees = list(self.options.degrees)
        if affordable < len(degrees) and len(degrees) > 3:
            degrees = degrees[1::2] or degrees  # 20 % and 60 % of the default five
        copies = int(np.clip(affordable / len(degrees), 1, MOST_COPIES))
        share = float(np.clip(affordable / len(degrees), 0.02, 1.0))
        pool = max(min(100, len(self._shifted_rows)), round(share * len(self._shifted_rows)))
        return {"degrees": degrees, "copies": copies, "pool": pool}

    @cached_property
    def _shifted_rows(self) -> NDArray[np.int64]:
        """The texts that are augmented: all but the test texts."""
        return self.folds.training_rows(frozenset(), labelled=False)

    @cached_property
    def _copy_maker(self) -> CopyMaker:
        return CopyMaker(
            texts=self.texts.take(self._shifted_rows),
            row_N=self._shifted_rows,
            labels=self.own.labels,
            tokenizer=self.tokenizer,
            embeddings=self.embeddings if self.options.augmenter == "knn" else None,
            augmenter=self.options.augmenter,
            max_length=self.options.max_length,
            seed=self.options.seed,
            folder=self.stages.folder / "bank",
        )

    def copies(self, degree: float, facts: dict[str, Any]) -> tuple[ShiftedCopies, list[NDArray[np.float32]]]:
        """The copies at a degree and every teacher's logits of them, T arrays of shape (P, C)."""
        made = self._copy_maker.make(degree, facts["copies"], facts["pool"])
        plan, logits = self.teachers.plan, []
        title = f"answers, {self.options.augmenter} {degree:.0%}"
        fold_P = self.folds.fold_N[made.origin_P]
        wanted = [np.flatnonzero(plan.answers_for(number, fold_P)) for number in range(len(plan.left))]
        total, done = sum(map(len, wanted)), 0

        def tick(count: int) -> None:
            nonlocal done
            done += count
            self._tell(title, done, total)

        for number, row_M in enumerate(wanted):
            logits.append(self.teachers.answers(number, made.corpus, row_M, self._network(number), tick))
        return made, logits

    def _network(self, number: int) -> Any:
        if number not in self._networks:
            self._networks[number] = self.teachers.network(number)
        return self._networks[number]

    @cached_property
    def _networks(self) -> dict[int, Any]:
        return {}

    def _maker(self, degree: float, facts: dict[str, Any], replicates: list[Replicate]) -> Callable[[], CopiesAt]:
        def make() -> CopiesAt:
            made, logits = self.copies(degree, facts)
            scored = [int(self.folds.fold_N[replicate.scored_N[0]]) for replicate in replicates]
            targets = {fold: self.teachers.plan.targets(logits, fold) for fold in set(scored)}
            return CopiesAt(
                corpus=made.corpus,
                origin_P=made.origin_P,
                answer_RPC=[targets[fold] for fold in scored],
                realised=made.realised,
            )

        return make

    def _replicates(self, answers: list[NDArray[np.float32]]) -> list[Replicate]:
        """One a scored fold; of a lone test split BLOCKS, each scored on a block of its own by a student of its own."""
        replicates: list[Replicate] = []
        for fold, training, scored in self.folds.parts():
            blocks = [scored] if self.folds.cross_validated else np.array_split(scored, BLOCKS)
            for number, block in enumerate(blocks):
                row_N, held_N = self._held(training)
                seed = self.options.seed + 100 * (len(replicates) + 1) + number
                replicates.append(
                    Replicate(
                        row_N=row_N,
                        held_N=held_N,
                        scored_N=block,
                        answer_NC=self.teachers.plan.targets(answers, fold),
                        seed=seed,
                    )
                )
        return replicates

    def _held(self, training: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Texts to train a student on, unlabelled ones too, and labelled ones held back for its choices."""
        row_N, held_N = held_back(training, self.folds.label_N, HELD_SHARE, LEAST_HELD, self.options.seed)
        return np.concatenate([row_N, held_N[MOST_HELD:], self.folds.rows(UNLABELLED)]), held_N[:MOST_HELD]

    def student(
        self, answers: list[NDArray[np.float32]], degree: float, facts: dict[str, Any]
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Probabilities for every scored text, (N, C), and what is known of the student that ships (in work/model)."""
        kept, known = self.stages.arrays("student"), self.stages.facts("student")
        if kept is not None and known is not None:
            return kept["probabilities"], known
        made, logits = self.copies(degree, facts) if degree > 0 else (None, [])
        output_NC = np.full((len(self.texts), len(self.own.labels)), np.nan)
        parts = [(fold, training, scored) for fold, training, scored in self.folds.parts()]
        if self.folds.cross_validated:  # a student that ships learns from all labelled texts
            parts.append((None, self.folds.training_rows(frozenset(), labelled=True), np.array([], dtype=np.int64)))  # type: ignore[arg-type]
        kind: Kind | None = None
        known = {"tried": {}}
        for number, (fold, training, scored) in enumerate(parts):
            row_N, held_N = self._held(training)
            copies = None
            if made is not None:
                copies = (made.corpus, made.origin_P, self.teachers.plan.targets(logits, fold))
            answer_NC = self.teachers.plan.targets(answers, fold)
            material = self.students.material(row_N, answer_NC, copies)
            model: PreTrainedModel | None = None
            if kind is None:
                kind, model = self._chosen(material, held_N, answer_NC, len(parts), known)
            if model is None:
                model = self._trained(kind, material, held_N, number, len(parts))
            if len(scored):
                output_NC[scored] = softmax(predict_logits(model, self.corpus, scored), axis=1)
            if number == len(parts) - 1:
                self._save(model, kind)
        known |= {"kind": kind}
        self.stages.keep_facts("student", known)
        self.stages.keep_arrays("student", probabilities=output_NC)
        self._remember_time()
        return output_NC, known

    def _trained(
        self, kind: Kind, material: Any, held_N: NDArray[np.int64], number: int, total: int
    ) -> PreTrainedModel:
        """A student of the chosen kind, found again if it was trained before."""
        folder = self.stages.folder / f"student-{number}"
        if (folder / "config.json").exists():
            return load_classifier(str(folder))
        seconds = self.clock.left / (total - number)
        title = f"{kind} student {number + 1} of {total}"
        model, _ = self.students.train(kind, material, held_N, seconds, None, self.progress, title)
        _save_whole(model, self.tokenizer, folder)
        self._remember_time()
        return model

    def _chosen(
        self,
        material: Any,
        held_N: NDArray[np.int64],
        answer_NC: NDArray[np.float32],
        total: int,
        known: dict[str, Any],
    ) -> tuple[Kind, PreTrainedModel | None]:
        """The kind of student that does best on validation texts of the first part, and that very student."""
        kinds = [kind for kind in KINDS if self.options.student in ("auto", kind) and self.students.fits(kind)]
        if not kinds:
            wish = f"{self.options.megabytes} MB, {self.options.milliseconds} ms"
            raise InputError(
                "--max-megabytes, --max-milliseconds", wish, "more: no kind of student is as small and fast"
            )
        choice = self.stages.facts("kind")
        if choice is not None:
            known["tried"] = choice["tried"]
            return choice["kind"], None
        best: tuple[float, Kind, PreTrainedModel] | None = None
        for number, kind in enumerate(kinds):
            seconds = self.clock.left / (total + len(kinds) - number)
            if best is not None and kind == "bilstm" and self.clock.left < 30 * 60 * 0.1:
                continue  # the slowest to train: only with minutes to spare
            model, learned = self.students.train(
                kind, material, held_N, seconds, None, self.progress, f"{kind} student, on trial"
            )
            value = self.students.value(model, held_N, answer_NC)
            known["tried"][kind] = {"validation": value, "steps": learned.steps, "seconds": learned.seconds}
            if best is None or value < best[0]:
                best = (value, kind, model)
        assert best is not None, "there is a kind"
        self.stages.keep_facts("kind", {"kind": best[1], "tried": known["tried"]})
        _save_whole(best[2], self.tokenizer, self.stages.folder / "student-0")
        return best[1], best[2]

    def _save(self, model: PreTrainedModel, kind: Kind) -> None:
        _save_whole(model, self.tokenizer, self.stages.folder / "model")

    def _tell(self, title: str, done: int, total: int) -> None:
        if self.progress:
            self.progress(title, done, total)

    def _done(self, title: str, total: int) -> None:
        self._tell(title, total, total)
        self._remember_time()

    def _remember_time(self) -> None:
        self.stages.keep_facts("clock", {"spent": self.clock.spent})


def _save_whole(model: PreTrainedModel, tokenizer: Any, folder: Path) -> None:
    """A model's folder, there whole or not at all."""
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    save_model(model, tokenizer, temporary)
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)


__all__ = ["TEST", "Fit", "Progress"]
