"""The options that say which augmenter works with what, the same for `kdshift empirical augment | shift | cost`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from kdshift.cli.lists import Words
from theory.errors import InputError, unknown_name

if TYPE_CHECKING:
    from empirical.augment import Augmenter
    from empirical.augment.in_context import Examples
    from empirical.models.input_gradient import InputGradient
    from empirical.tokens.batch import Batch

WHOLE_LINE = 10**6  # tokens: lines are not cut


def check_names(names: Sequence[str]) -> None:
    """Raise InputError for the first that is no augmenter, before any other is made: some take seconds."""
    from empirical.config import AUGMENTERS

    for name in names:
        if name not in AUGMENTERS:
            raise unknown_name("--augmenter", name, AUGMENTERS)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class AugmenterOptions:
    """What augmenters are made with; `kdshift empirical augmenters` says which of it each one needs."""

    model: Annotated[
        str, Parameter(help="whose tokenizer and embeddings: `minilm`, a Hugging Face id or a directory")
    ] = "minilm"
    neighbours: Annotated[PositiveInt, Parameter(help="k of kNN, and of what a language model proposes")] = 15
    metric: Annotated[Literal["cosine", "euclidean"], Parameter(help="distance of kNN")] = "cosine"
    engine: Annotated[
        str | None,
        Parameter(
            help="back-translation: `apertium`, or a translation model's id or path; paraphrase, in-context: URL#model"
        ),
    ] = None
    calls: Annotated[PositiveInt | None, Parameter(help="paraphrase, in-context: most calls to the endpoint")] = None
    tokens: Annotated[PositiveInt | None, Parameter(help="paraphrase, in-context: most tokens to and from it")] = None
    pivots: Annotated[
        Words | None, Parameter(help="back-translation by a model: language codes; the first is used")
    ] = None
    language_model: Annotated[
        str | None, Parameter(help="contextual: a masked language model; knn-in-context: a causal one; flipda: T5")
    ] = None
    teacher: Annotated[
        str | None, Parameter(help="directory of a fine-tuned teacher (flip, augpro-fgsm, selection)")
    ] = None
    student: Annotated[str | None, Parameter(help="directory of a trained student (augpro-fgsm, glitter)")] = None
    selection: Annotated[
        Literal["low-entropy", "high-entropy", "confident", "glitter"] | None,
        Parameter(help="keep what the teacher is (un)sure of, or (glitter) what the student gets most wrong"),
    ] = None
    entropy_quantile: Annotated[float | None, Parameter(help="share of the texts that the selection keeps")] = None
    candidates: Annotated[PositiveInt, Parameter(help="glitter, flipda: versions of each text to choose from")] = 4
    pattern: Annotated[str, Parameter(help="flipda: what names the label to T5, beside the text")] = (
        "{text} It is {label}."
    )

    def build(
        self,
        name: str,
        degree: float,
        tokenizer: Any,
        *,
        labels: Sequence[str] | None = None,
        held_out: Batch | None = None,
        examples: Examples | None = None,
        cache: Path | None = None,
        max_length: int = WHOLE_LINE,
    ) -> Augmenter:
        """The augmenter of that name, with its selection.

        Raises:
            InputError: an unknown name, a value out of range, or something that it needs and was not given.
        """
        from empirical.augment import make_augmenter
        from empirical.augment.catalogue import needs_of
        from empirical.config import AugmentConfig, ModelConfig
        from empirical.models.classifier import embedding_matrix

        check_names([name])
        if not 0 <= degree <= 1:
            raise InputError("--degree", degree, "0 to 1")
        config = AugmentConfig(
            augmenter=name,
            degree=degree,
            neighbours=self.neighbours,
            metric=self.metric,
            engine=self.engine,
            calls=self.calls,
            tokens=self.tokens,
            pivots=self.pivots,
            language_model=self.language_model,
            student=self.student,
            selection=self.selection or "low-entropy",
            entropy_quantile=self._quantile(),
            candidates=max(2, self.candidates),
            pattern=self.pattern,
        )
        needs = needs_of(config)
        asked = bool(needs & {"teacher", "teacher-gradient"})
        teacher = _network("--teacher", self.teacher, tokenizer, labels) if asked else None
        student = _network("--student", self.student, tokenizer, labels) if "student" in needs else None
        return make_augmenter(
            config,
            tokenizer=tokenizer,
            embeddings=embedding_matrix(ModelConfig(name=self.model)) if "embeddings" in needs else None,
            held_out=held_out,
            examples=examples,
            teacher=teacher,
            network=teacher,
            student=student,
            labels=None if teacher is None else teacher.labels,
            cache=cache,
            tables=cache,
            max_length=max_length,
        )

    def _quantile(self) -> float | None:
        quantile = self.entropy_quantile
        if quantile is None and self.selection in ("low-entropy", "high-entropy", "confident"):
            return 0.5
        if quantile is not None and not 0 < quantile < 1:
            raise InputError("--entropy-quantile", quantile, "between 0 and 1")
        return quantile


def _network(argument: str, source: str | None, tokenizer: Any, labels: Sequence[str] | None) -> InputGradient | None:
    if source is None:
        return None
    from empirical.teachers.frozen import frozen_network

    return frozen_network(argument, source, tokenizer, labels)
