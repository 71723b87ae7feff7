"""Two stages: an outside teacher is paid by the text, its assistant answers for nothing; each has a degree of its own.

    kdshift fit texts.csv --teacher http://localhost:8000/v1#my-model --paid-degree 0.1,0.3

At the paid stage one copy of every training text goes to the outside teacher, at each degree that is tried, and light
students say by their distance to its answers whether that helps an assistant. `stages.csv` puts this curve beside the
free one of `shifting`. Shapes: N texts, P copies, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from empirical.augment import make_augmenter
from empirical.augment.lines import augment_texts
from empirical.config import AugmentConfig
from empirical.randomness import Draws, step_generator
from empirical.tokens.corpus import encode_corpus
from kdshift.fit.degree_choice import CopiesAt, DegreeCurve, LightStudents, Replicate, measure
from kdshift.fit.fitting import Fit
from kdshift.fit.folds import FOLDS, TEST
from kdshift.fit.own_teachers import PaidCopies

Ask = Callable[[Sequence[str], Sequence[str] | None], NDArray[np.float32]]


@dataclass(kw_only=True)
class PaidStage:
    """The stage before the assistants. ask: the outside teacher's log-probabilities of texts, paid for once."""

    fit: Fit
    ask: Ask

    def curve(self) -> DegreeCurve:
        """Light students of the outside teacher, with paid copies at each degree and without."""
        light = LightStudents(self.fit.corpus, self.fit.embeddings, self.fit.folds.label_N, self._replicates)
        return measure(light, self.fit.options.augmenter, {degree: self._at(degree) for degree in self.degrees})

    @property
    def degrees(self) -> tuple[float, ...]:
        return self.fit.options.paid_degrees

    def copies(self, degree: float) -> PaidCopies:
        """One copy of every training text at this degree, as the outside teacher reads it, with its answers."""
        fit, name = self.fit, f"paid-{degree:g}"
        texts, realised = self._written(degree)
        corpus = encode_corpus(fit.tokenizer, *texts, fit.options.max_length)
        kept = fit.stages.arrays(name)
        if kept is None or len(kept["answers"]) != len(corpus):
            kept = {"answers": self.ask(*texts)}
            fit.stages.keep_arrays(name, **kept)
        return PaidCopies(corpus=corpus, origin_P=self._rows, answer_PC=kept["answers"], realised=realised)

    def chosen(self, curve: DegreeCurve) -> Callable[[int | None], PaidCopies | None]:
        """From the fold that an assistant is trained without (None: none) to the copies that it learns from.

        The degree is that of the curve without this fold's replicate; it is 0, no copies, where none does better.
        """
        whole = float(curve.recommendation()["degree"])

        def of(fold: int | None) -> PaidCopies | None:
            degree = whole if fold is None else curve.without(fold)
            return self.copies(degree) if degree > 0 else None

        return of

    @cached_property
    def _rows(self) -> NDArray[np.int64]:
        """The texts that are copied: all but the test texts."""
        return np.flatnonzero(self.fit.folds.fold_N != TEST)

    def _written(self, degree: float) -> tuple[tuple[list[str], list[str] | None], float]:
        """The copies as text, changed within their originals, and the degree that was realised."""
        fit, split = self.fit, self.fit.texts.take(self._rows)
        tool = make_augmenter(
            AugmentConfig(augmenter=fit.options.augmenter, degree=degree),
            tokenizer=fit.tokenizer,
            embeddings=fit.embeddings,
            cache=fit.stages.folder / "bank",
            max_length=fit.options.max_length,
        )
        rng = step_generator(fit.options.seed, round(1e6 * degree), Draws.COPIES)
        made = augment_texts(
            tool, fit.tokenizer, split.text_a, split.text_b, degree, rng, max_length=fit.options.max_length
        )
        second = None if split.text_b is None else [text.texts[1] for text in made]
        realised = sum(text.changed for text in made) / max(1, sum(text.eligible for text in made))
        return ([text.texts[0] for text in made], second), realised

    def _at(self, degree: float) -> Callable[[], CopiesAt]:
        def made() -> CopiesAt:
            paid = self.copies(degree)
            return CopiesAt(
                corpus=paid.corpus,
                origin_P=paid.origin_P,
                answer_RPC=[paid.answer_PC] * len(self._replicates),
                realised=paid.realised,
            )

        return made

    @cached_property
    def _replicates(self) -> list[Replicate]:
        """One a fold of the training texts, whoever is scored later: an assistant has never seen its fold."""
        fit = self.fit
        assert fit.outside_NC is not None, "the outside teacher has answered the originals"
        replicates = []
        for fold in range(FOLDS):
            row_N, held_N = fit.held(fit.folds.training_rows(frozenset([fold]), labelled=True))
            replicates.append(
                Replicate(
                    row_N=row_N,
                    held_N=held_N,
                    scored_N=fit.folds.rows(fold),
                    answer_NC=fit.outside_NC,
                    apart=None,
                    seed=fit.options.seed + fold,
                )
            )
        return replicates


def stage_table(paid: DegreeCurve | None, free: DegreeCurve) -> pd.DataFrame:
    """Both stages' curves, one row a degree: its distance, and the gain over none with a simultaneous interval."""
    rows: list[dict[str, Any]] = []
    for stage, curve in (("paid", paid), ("free", free)):
        if curve is None:
            continue
        gains = curve.gains()
        for column, degree in enumerate(curve.degrees):
            gain = (0.0, 0.0, 0.0) if column == 0 else gains[column - 1]
            rows.append(
                {
                    "stage": stage,
                    "augmenter": curve.augmenter,
                    "degree": degree,
                    "realised": curve.realised[column],
                    "distance": float(curve.distance[:, column].mean()),
                    **dict(zip(("gain", "low", "high"), gain, strict=True)),
                }
            )
    return pd.DataFrame(rows)
