"""One fit of one user's texts in its folder: what every stage of `kdshift fit` needs, the baselines and the teachers.

Each stage is kept as it ends and found again by the next call. Shapes: N texts, T teachers, C classes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from empirical.models.classifier import embedding_matrix, load_tokenizer, longest_text
from empirical.tasks.spec import Split
from empirical.teachers.answering import NetworkAnswers
from empirical.tokens.corpus import Corpus, encode_corpus
from kdshift.fit.baselines import BagOfWords, majority
from kdshift.fit.folds import UNLABELLED, Folds, held_back, make_folds
from kdshift.fit.options import FitOptions
from kdshift.fit.own_teachers import OwnTeachers
from kdshift.fit.own_texts import OwnTexts
from kdshift.fit.shipping import StudentMaker, Wish
from kdshift.fit.stages import Clock, Stages
from kdshift.fit.temperature import calibrated
from theory.errors import InputError
from theory.progress_report import Progress

TAUGHT = 0.5  # share of the time after which teachers are trained
HELD_SHARE, LEAST_HELD, MOST_HELD = 0.12, 30, 1_000


@dataclass(kw_only=True)
class Fit:
    """The state that stages share.

    outside_NC: an outside teacher's log-probabilities of all texts (training, test, unlabelled), or None.
    agreement: whether the labels are the outside teacher's own, so that scores are agreement with it.
    ask: how an outside teacher is asked about further texts (`paid_stage`), where it can be.
    """

    own: OwnTexts
    options: FitOptions
    folder: Path
    outside_NC: NDArray[np.float32] | None = None
    agreement: bool = False
    ask: Callable[[Sequence[str], Sequence[str] | None], NDArray[np.float32]] | None = None
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
            calibrate=not self.agreement,
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
        self._networks: dict[int, NetworkAnswers] = {}

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
        corpus = encode_corpus(self.tokenizer, self.texts.text_a, self.texts.text_b, self.options.max_length)
        if corpus.length_N.max(initial=0) > (longest := longest_text(self.options.network)):
            allowed = f"up to {longest}, the most tokens that {self.options.network.name} reads"
            raise InputError("--max-length", self.options.max_length, allowed)
        return corpus

    def baselines(self) -> dict[str, NDArray[np.float64]]:
        """Probabilities of majority and bag of words for every scored text, (N, C), NaN for the others."""
        if (kept := self.stages.arrays("baselines")) is not None:
            return kept
        classes = len(self.own.labels)
        found = {name: np.full((len(self.texts), classes), np.nan) for name in ("majority", "bag_of_words")}
        for number, (_, training, scored) in enumerate(self.folds.parts()):
            self.tell("baselines", number, len(self.folds.scored))
            part, seen = self.texts.take(scored), self.texts.take(training)
            found["majority"][scored] = majority(seen.labels, classes, len(scored))
            words = BagOfWords.fit(seen, self.own.labels, self.options.seed)
            found["bag_of_words"][scored] = words.predict_proba(part.text_a, part.text_b)
        labelled = self.folds.training_rows(frozenset(), labelled=True)
        BagOfWords.fit(self.texts.take(labelled), self.own.labels, self.options.seed).save(self.stages.folder / "words")
        self.tell("baselines", len(self.folds.scored), len(self.folds.scored))
        self.stages.keep_arrays("baselines", **found)
        self.remember_time()
        return found

    def answers(self) -> list[NDArray[np.float32]]:
        """Every teacher's logits of all texts that it may be asked about, T arrays of shape (N, C), NaN elsewhere.

        Where texts are cross-fitted a teacher is asked about its own training texts too: whether that is any worse is
        for validation to say (`answer_choice`).
        """
        plan, kept = self.teachers.plan, []
        for number, left in enumerate(plan.left):
            found = self.stages.arrays(f"answers-{number}")
            if found is None:
                self.teachers.train(number, self.clock.until(TAUGHT) / (len(plan.left) - number))
                row_M = np.flatnonzero(plan.answers_for(number, self.folds.fold_N))
                if plan.cross_fitted:
                    row_M = np.union1d(row_M, self.folds.training_rows(left, labelled=True))
                began = time.monotonic()
                logits_NC = self.teachers.answers(number, self.corpus, row_M, self.network(number))
                seconds = (time.monotonic() - began) / len(row_M)
                found = {"logits": logits_NC, "seconds": np.array(seconds)}
                self.stages.keep_arrays(f"answers-{number}", **found)
                self.remember_time()
            kept.append(found["logits"])
        return kept

    def network(self, number: int) -> NetworkAnswers:
        """Teacher `number`, loaded once."""
        if number not in self._networks:
            self._networks[number] = self.teachers.network(number)
        return self._networks[number]

    def outside(self) -> NDArray[np.float64]:
        """The outside teacher's probabilities, (N, C), those of scored texts calibrated on labels of other texts."""
        assert self.outside_NC is not None, "there is an outside teacher"
        output_NC = softmax(self.outside_NC.astype(np.float64), axis=1)
        if not self.agreement:
            for _, training, scored in self.folds.parts():
                output_NC[scored] = np.exp(calibrated(self.outside_NC, self.folds.label_N, training)[scored])
        return output_NC

    def parts(self) -> Iterator[tuple[int | None, NDArray[np.int64], NDArray[np.int64]]]:
        """The trainings of students: those that are scored (see `Folds.parts`), last the one that ships; arrays (N,).

        A student that is scored on a test split ships itself; under cross-validation one more learns from all texts.
        """
        yield from self.folds.parts()
        if self.folds.cross_validated:
            yield None, self.folds.training_rows(frozenset(), labelled=True), np.array([], dtype=np.int64)

    def held(self, training: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Texts to train a student on, unlabelled ones too, and labelled ones held back for its choices; both (N,)."""
        row_N, held_N = held_back(training, self.folds.label_N, HELD_SHARE, LEAST_HELD, self.options.seed)
        return np.concatenate([row_N, held_N[MOST_HELD:], self.folds.rows(UNLABELLED)]), held_N[:MOST_HELD]

    def tell(self, title: str, done: int, total: int) -> None:
        if self.progress:
            self.progress(title, done, total)

    def remember_time(self) -> None:
        self.stages.keep_facts("clock", {"spent": self.clock.spent})
