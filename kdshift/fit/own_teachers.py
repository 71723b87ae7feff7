"""The teachers of a fit: encoders fine-tuned with early stopping, each without some folds, their answers kept.

With an outside teacher (an endpoint, a file of probabilities) they are its assistants: they learn its answers and then
answer for augmented copies, which the outside teacher could not be asked about. Shapes: N texts, C classes, T teachers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from transformers import PreTrainedModel

from empirical.config import ModelConfig, TrainConfig
from empirical.files import replacing, write_atomically
from empirical.models.classifier import build_model, check_tokenizer, load_classifier, save_model
from empirical.models.precision import resolve_precision
from empirical.teachers.answering import NetworkAnswers
from empirical.teachers.answers import Answers, answered
from empirical.teachers.cross_fitted import CrossFitting, Left
from empirical.teachers.fine_tuned import Teacher
from empirical.tokens.corpus import Corpus
from kdshift.fit.folds import Folds, held_back
from kdshift.fit.learner import Material, learn, predict_logits
from kdshift.fit.linear_start import fitted_head, inputs
from kdshift.fit.scoring import distance, log_loss
from kdshift.fit.temperature import cooled, temperature
from theory.progress_report import Progress

MOST_EPOCHS, PATIENCE, EVALUATIONS_AN_EPOCH = 8, 2, 1
BATCH, RATE = 16, 1e-4
VALIDATION_SHARE, LEAST_VALIDATION, MOST_VALIDATION = 0.15, 40, 1_000


@dataclass(frozen=True, kw_only=True)
class PaidCopies:
    """P copies that an outside teacher has answered: their tokens, the texts they were made from, its logits (P, C)."""

    corpus: Corpus
    origin_P: NDArray[np.int64]
    answer_PC: NDArray[np.float32]
    realised: float


@dataclass(kw_only=True)
class OwnTeachers:
    """T networks, trained when they are first asked for, and the store of their answers.

    corpus: all texts. answer_NC: an outside teacher's logits for all texts, None where the labels teach.
    calibrate: whether labels set that teacher's temperature. paid: from the fold an assistant is trained without to the
    copies that it learns from besides. folder: where weights and answers are kept.
    """

    model: ModelConfig
    labels: tuple[str, ...]
    tokenizer: Any
    corpus: Corpus
    folds: Folds
    plan: CrossFitting
    answer_NC: NDArray[np.float32] | None
    folder: Path
    seed: int
    calibrate: bool = False
    paid: Callable[[int | None], PaidCopies | None] | None = None
    progress: Progress | None = None
    _inputs_NH: NDArray[np.float32] | None = field(default=None, init=False, repr=False)

    def train(self, number: int, seconds: float) -> dict[str, Any]:
        """Train teacher `number` unless it is there; returns what is known of its training."""
        facts = self.folder / f"teacher-{number}" / "training.json"
        if facts.exists():
            return dict(json.loads(facts.read_text(encoding="utf-8")))
        left = self.plan.left[number]
        train_N, validation_N = self.rows(number)
        taught_NC, copies = self._taught(left)
        model = self._started(train_N, validation_N)
        every = max(1, len(train_N) // BATCH) // EVALUATIONS_AN_EPOCH
        learned = learn(
            model,
            Material(corpus=self.corpus, row_N=train_N, label_N=self.folds.label_N, answer_NC=taught_NC, **copies),
            TrainConfig(
                steps=MOST_EPOCHS * every,
                batch_size=BATCH,
                learning_rate=RATE,
                evaluate_every=max(1, min(every, 250)),
                alpha=1.0 if self.answer_NC is None else 0.0,
                distance="kl",
            ),
            lambda network: self._loss(network, validation_N, taught_NC),
            seed=self.seed,
            patience=PATIENCE,
            seconds=seconds,
            folder=self.folder / f"teacher-{number}" / "checkpoints",
            progress=self.progress,
            title=f"teacher {number + 1} of {len(self.plan.left)}",
        )
        with replacing(self.folder / f"teacher-{number}" / "model") as draft:
            save_model(model, self.tokenizer, draft)
        what = {"texts": len(train_N), "validation": len(validation_N), "left_out": sorted(left), **vars(learned)}
        write_atomically(facts, json.dumps(what))
        return what

    def _started(self, train_N: NDArray[np.int64], validation_N: NDArray[np.int64]) -> PreTrainedModel:
        """The pretrained network, its last layer fitted to the labels (or an outside teacher's classes)."""
        model = build_model(self.model, self.labels, self.seed)
        check_tokenizer(model, self.tokenizer, self.model.name)
        label_N = self.folds.label_N if self.answer_NC is None else self.answer_NC.argmax(axis=1).astype(np.int64)
        if self._inputs_NH is None:
            rows = self.folds.training_rows(frozenset(), labelled=self.answer_NC is None)
            self._inputs_NH = self._last_inputs(model, rows)
        if len(self._inputs_NH):
            head = fitted_head(self._inputs_NH, label_N, train_N, validation_N, len(self.labels))
            if head is not None:
                head.put_into(model)
        return model

    def _last_inputs(self, model: PreTrainedModel, row_M: NDArray[np.int64]) -> NDArray[np.float32]:
        """What the pretrained network gives its last layer for each text, (N, H); empty where that cannot be had."""
        found = inputs(model, self.corpus, row_M)
        if found is None:
            return np.empty((0, 0), dtype=np.float32)
        output_NH = np.zeros((len(self.corpus), found.shape[1]), dtype=np.float32)
        output_NH[row_M] = found
        return output_NH

    def rows(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The texts that teacher `number` trains on, and those that its early stopping watches; both (N,)."""
        row_N = self.folds.training_rows(self.plan.left[number], labelled=self.answer_NC is None)
        train_N, validation_N = held_back(row_N, self.folds.label_N, VALIDATION_SHARE, LEAST_VALIDATION, self.seed)
        return train_N, validation_N[:MOST_VALIDATION]

    def _taught(self, left: Left) -> tuple[NDArray[np.float32] | None, dict[str, Any]]:
        """What an assistant learns: the outside teacher's answers to texts, and to paid copies where there are any.

        The temperature is that of the labels of its own training texts.
        """
        if self.answer_NC is None:
            return None, {}
        rows = self.folds.training_rows(left, labelled=True)
        at = temperature(self.answer_NC[rows], self.folds.label_N[rows]) if self.calibrate else 1.0
        paid = None if self.paid is None else self.paid(next(iter(left), None))
        if paid is None:
            return cooled(self.answer_NC, at), {}
        answer_PC = cooled(paid.answer_PC, at)
        return cooled(self.answer_NC, at), {
            "copies": paid.corpus,
            "origin_P": paid.origin_P,
            "copy_answer_PC": answer_PC,
        }

    def _loss(self, network: Any, row_M: NDArray[np.int64], taught_NC: NDArray[np.float32] | None) -> float:
        """What early stopping watches: log loss on labels, or the distance to the outside teacher."""
        p_MC = softmax(predict_logits(network, self.corpus, row_M), axis=1)
        if taught_NC is None:
            return log_loss(p_MC, self.folds.label_N[row_M])
        return float(distance(p_MC, softmax(taught_NC[row_M], axis=1)).mean())

    def network(self, number: int) -> NetworkAnswers:
        """A trained teacher as one who answers."""
        model = load_classifier(str(self.folder / f"teacher-{number}" / "model"))
        precision = resolve_precision("auto", model.device)
        return NetworkAnswers(
            Teacher(model, self.tokenizer, self.labels, precision=precision), f"teacher {number + 1}", self.labels
        )

    def answers(
        self,
        number: int,
        corpus: Corpus,
        row_M: NDArray[np.int64],
        network: NetworkAnswers,
        tick: Callable[[int], None] | None = None,
    ) -> NDArray[np.float32]:
        """A teacher's logits of these texts of `corpus` in an array of shape (N, C), NaN elsewhere."""
        store = Answers(self.folder / "answers", network.key, len(self.labels))
        output_NC = np.full((len(corpus), len(self.labels)), np.nan, dtype=np.float32)
        output_NC[row_M] = answered(network, corpus, row_M, store, tick=tick)
        store.close()
        return output_NC
