"""What a user may ask of a fit, and the digest that names what it has done already."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from empirical.config import ModelConfig
from theory.errors import InputError

DEGREES = (0.1, 0.2, 0.4, 0.6, 0.8)
LEAST_LENGTH = 4  # tokens: two special ones and two of a text
Kind = Literal["static", "encoder", "bilstm"]
KINDS: tuple[Kind, ...] = ("static", "encoder", "bilstm")  # of students, the fastest to train first


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """The options of `kdshift fit` that change what is computed, checked.

    teacher: an encoder to fine-tune (`minilm`, an id, a folder), a file of probabilities, or URL#model.
    paid_degrees: of copies that an endpoint answers for its assistant. minutes: the time laid out.
    megabytes, milliseconds: wishes for the student. labels: for unlabelled texts.
    """

    teacher: str = "minilm"
    assistant: str = "minilm"
    augmenter: str = "knn"
    degrees: tuple[float, ...] = DEGREES
    student: str = "auto"
    minutes: float = 10.0
    megabytes: float | None = None
    milliseconds: float | None = None
    labels: tuple[str, ...] | None = None
    max_length: int = 128
    seed: int = 0
    paid_degrees: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.minutes > 0:
            raise InputError("--minutes", self.minutes, "a number above 0")
        for name, degrees in (("--degree", self.degrees), ("--paid-degree", self.paid_degrees)):
            for degree in degrees:
                if not 0 < degree <= 1:
                    hint = f" (did you mean {degree / 100:g}?)" if 1 < degree <= 100 else ""
                    raise InputError(name, degree, f"shares of the tokens, above 0 and up to 1{hint}")
        if self.paid_degrees and "://" not in self.teacher:
            raise InputError("--paid-degree", self.teacher, "a --teacher URL#model: only an endpoint reads new texts")
        if self.max_length < LEAST_LENGTH:
            raise InputError("--max-length", self.max_length, f"a whole number of tokens >= {LEAST_LENGTH}")
        if self.seed < 0:
            raise InputError("--seed", self.seed, "a whole number >= 0")
        if self.student not in ("auto", *KINDS):
            raise InputError("--student", self.student, "one of auto, " + ", ".join(KINDS))
        if self.augmenter not in ("knn", "random", "synonym", "eda"):
            raise InputError("--augmenter", self.augmenter, "one of knn, random, synonym, eda")
        for name in ("megabytes", "milliseconds"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"--max-{name}", value, "a number above 0")

    @property
    def network(self) -> ModelConfig:
        """The encoder that is fine-tuned: the teacher itself, or the assistant of one outside."""
        return ModelConfig(name=self.assistant if self.outside else self.teacher)

    @property
    def outside(self) -> bool:
        """Whether the teacher is no network of ours: an address, or a file of probabilities."""
        return "://" in self.teacher or self.teacher.endswith((".csv", ".tsv", ".jsonl", ".parquet"))

    def digest(self, texts: str) -> str:
        """Names a fit of these texts: minutes do not count, a finished fit is finished."""
        asked = {name: value for name, value in asdict(self).items() if name != "minutes"}
        if not self.paid_degrees:  # came later: fits without them keep their names
            del asked["paid_degrees"]
        return hashlib.sha256(json.dumps([texts, asked], sort_keys=True).encode()).hexdigest()[:16]
