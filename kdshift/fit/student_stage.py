"""The students of a fit: one for each scored part and one that ships, the kind of each chosen within its own training.

A kind that was chosen by the labels of texts which are scored later would flatter every score, so each part chooses for
itself. Shapes: N texts, C classes, M validation texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from transformers import PreTrainedModel

from empirical.files import replacing
from empirical.models.classifier import load_classifier, save_model
from kdshift.fit.fitting import Fit
from kdshift.fit.learner import Material, predict_logits
from kdshift.fit.options import KINDS, Kind
from kdshift.fit.shifting import Shifting
from theory.errors import InputError

TRAINED = 0.95  # share of the time after which students are trained
LEAST_SECONDS = 30.0  # for one training of a slow kind; with less only the fastest is tried


@dataclass(kw_only=True)
class StudentStage:
    """Trains the students at the degrees that were chosen (one for each of `Fit.parts`)."""

    fit: Fit
    shifting: Shifting
    degrees: list[float]

    def run(self) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Probabilities for every scored text, (N, C), and what is known of the student that ships (in work/model)."""
        fit = self.fit
        kept, known = fit.stages.arrays("student"), fit.stages.facts("student")
        if kept is not None and known is not None:
            return kept["probabilities"], known
        output_NC = np.full((len(fit.texts), len(fit.own.labels)), np.nan)
        parts, choices = list(fit.parts()), []
        for number, (fold, training, scored) in enumerate(parts):
            model, choice = self._part(number, fold, training, len(parts))
            choices.append(choice)
            if len(scored):
                output_NC[scored] = softmax(predict_logits(model, fit.corpus, scored), axis=1)
            if number == len(parts) - 1:
                self._keep(model, "model")
        known = {
            **choices[-1],
            "kinds_tried": self._kinds,
            "kinds_by_part": [choice["kind"] for choice in choices],
            "degrees_by_part": self.degrees,
        }
        fit.stages.keep_facts("student", known)
        fit.stages.keep_arrays("student", probabilities=output_NC)
        fit.remember_time()
        return output_NC, known

    def _part(
        self, number: int, fold: int | None, training: NDArray[np.int64], parts: int
    ) -> tuple[PreTrainedModel, dict[str, Any]]:
        """The best student of one part, found again if it was trained before, and how it was chosen."""
        choice = self.fit.stages.facts(f"kind-{number}")
        folder = self.fit.stages.folder / f"student-{number}"
        if choice is not None and (folder / "config.json").exists():
            return load_classifier(str(folder)), choice
        row_N, held_N = self.fit.held(training)
        copies, degree = None, self.degrees[number]
        if degree > 0:
            made, answered = self.shifting.copies(degree)
            copies = (made.corpus, made.origin_P, answered.targets(fold))
        answer_NC = self.shifting.answers.targets(fold)
        material = self.fit.students.material(row_N, answer_NC, copies)
        model, choice = self._chosen(material, held_N, answer_NC, number, parts)
        self._keep(model, folder.name)
        self.fit.stages.keep_facts(f"kind-{number}", choice)
        self.fit.remember_time()
        return model, choice

    def _chosen(
        self, material: Material, held_N: NDArray[np.int64], answer_NC: NDArray[np.float32], number: int, parts: int
    ) -> tuple[PreTrainedModel, dict[str, Any]]:
        """The kind of student that does best on this part's own validation texts, and how each did."""
        fit, tried = self.fit, {}
        best: tuple[float, Kind, PreTrainedModel] | None = None
        for place, kind in enumerate(self._kinds):
            seconds = fit.clock.until(TRAINED) / ((parts - number) * len(self._kinds) - place)
            title = f"{kind} student {number + 1} of {parts}"
            model, learned = fit.students.train(kind, material, held_N, seconds, None, fit.progress, title)
            value = fit.students.value(model, held_N, answer_NC)
            tried[kind] = {"validation": value, "steps": learned.steps, "seconds": learned.seconds}
            if best is None or value < best[0]:
                best = (value, kind, model)
        assert best is not None, "there is a kind"
        return best[2], {"kind": best[1], "tried": tried}

    @cached_property
    def _kinds(self) -> list[Kind]:
        """The kinds that are tried in every part; raises InputError where none is as small and fast as was wished."""
        if (kept := self.fit.stages.facts("kinds")) is not None:
            return list(kept["kinds"])
        kinds = wished_kinds(self.fit)
        parts = len(list(self.fit.parts()))
        while len(kinds) > 1 and self.fit.clock.until(TRAINED) / (parts * len(kinds)) < LEAST_SECONDS:
            kinds.pop()
        self.fit.stages.keep_facts("kinds", {"kinds": kinds})
        return kinds

    def _keep(self, model: PreTrainedModel, name: str) -> None:
        with replacing(self.fit.stages.folder / name) as draft:
            save_model(model, self.fit.tokenizer, draft)


def wished_kinds(fit: Fit) -> list[Kind]:
    """The kinds of student that may be asked for and are as small and fast as was wished.

    Raises InputError, naming the wishes, where there is none. Asked before any training, measured once: a second
    measurement of the time might find another answer after hours.
    """
    if (kept := fit.stages.facts("wished")) is not None:
        return list(kept["kinds"])
    options = fit.options
    kinds = [kind for kind in KINDS if options.student in ("auto", kind) and fit.students.fits(kind)]
    if kinds:
        fit.stages.keep_facts("wished", {"kinds": kinds})
        return kinds
    wishes = {"--max-megabytes": options.megabytes, "--max-milliseconds": options.milliseconds}
    given = {name: value for name, value in wishes.items() if value is not None}
    raise InputError(
        " and ".join(given), " and ".join(f"{value:g}" for value in given.values()),
        f"more: no student ({options.student}) is as small and fast",
    )  # fmt: skip
