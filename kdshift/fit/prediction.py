"""A student (or its bag of words) at work on new texts.

kdshift predict reviews-fit new.csv --json
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from theory.errors import InputError

CHUNK = 2048


class Classifier(Protocol):
    """Anything that gives probabilities, float of shape (N, C), for texts or pairs."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def predict_proba(self, text_a: Sequence[str], text_b: Sequence[str] | None = None) -> NDArray[Any]: ...


@dataclass(frozen=True, kw_only=True)
class ShippedStudent:
    """A classifier from a Hugging Face folder with its tokenizer; label names are the folder's."""

    model: Any
    tokenizer: Any
    labels: tuple[str, ...]
    max_length: int

    @classmethod
    def load(cls, folder: Path, max_length: int) -> ShippedStudent:
        """Raises InputError where the folder holds no classifier."""
        from empirical.config import ModelConfig
        from empirical.models.classifier import load_classifier, load_tokenizer

        model = load_classifier(str(folder))
        names = {int(index): str(name) for index, name in (model.config.id2label or {}).items()}
        labels = tuple(names[index] for index in range(len(names)))
        return cls(model=model, tokenizer=load_tokenizer(ModelConfig(name=str(folder))), labels=labels,  # type: ignore[call-arg, unused-ignore]
                   max_length=max_length)  # fmt: skip

    def predict_proba(self, text_a: Sequence[str], text_b: Sequence[str] | None = None) -> NDArray[np.float32]:
        """Probabilities, float32 of shape (N, C)."""
        from empirical.tokens.corpus import encode_corpus
        from kdshift.fit.learner import predict_logits

        corpus = encode_corpus(self.tokenizer, text_a, text_b, self.max_length)
        return np.asarray(softmax(predict_logits(self.model, corpus), axis=1), dtype=np.float32)


def load_shipped(folder: Path, which: str = "student") -> Classifier:
    """The student of a folder that `kdshift fit` has written, or its bag of words.

    Raises:
        InputError: no such folder, or an unfinished fit.
    """
    facts = fit_facts(folder)
    if which == "bag-of-words":
        from kdshift.fit.baselines import BagOfWords

        return BagOfWords.load(folder / "bag-of-words")
    from kdshift.fit.static_prediction import StaticClassifier

    length = int(facts["max_length"])
    return StaticClassifier.load(folder / "model", length) or ShippedStudent.load(folder / "model", length)


def fit_facts(folder: Path) -> dict[str, Any]:
    """What `fit.json` says; raises InputError where there is none."""
    try:
        facts = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        unfinished = " (its fit has not finished: run the same kdshift fit again)" if (folder / "work").exists() else ""
        raise InputError("DIR", str(folder), f"a folder that kdshift fit has written{unfinished}") from None
    return dict(facts)


def read_lines(
    source: Path | None, stdin: bytes | None, pairs: bool, columns: tuple[str | None, str | None], text: str
) -> tuple[list[str], list[str] | None]:
    """Texts (or pairs) of a table's columns, of a text file's lines, or of standard input; a tab parts a pair's texts.

    columns: of the text and of the second text, as they were asked for; text: the column of the fit. A line ends with a
    line feed and nothing else. Raises InputError with the line for a pair without its second text and for what is no
    UTF-8, and for a table without the columns.
    """
    from empirical.tasks.own_files import SUFFIXES
    from kdshift.fit.own_texts import read_unlabelled

    if source is not None and source.suffix.lower() in SUFFIXES:
        split = read_unlabelled(source, columns[0], columns[1], remembered=text, keep_all=True)[0]
        return split.text_a, split.text_b
    try:
        raw = (stdin or b"") if source is None else source.read_bytes()
    except OSError as error:
        raise InputError("FILE", str(source), f"a readable file ({error.strerror})") from None
    try:
        lines = [line.removesuffix("\r") for line in raw.decode("utf-8-sig").split("\n")]
    except UnicodeDecodeError as error:
        place = f"{source or 'standard input'}:{1 + raw[: error.start].count(10)}"
        raise InputError(place, raw[error.start : error.end], "UTF-8 text") from None
    if not lines[-1]:
        lines.pop()
    if not pairs:
        return lines, None
    split_lines = [line.split("\t") for line in lines]
    for number, parts in enumerate(split_lines, start=1):
        if len(parts) != 2:
            raise InputError(
                f"{source or 'standard input'}:{number}", f"{len(parts)} fields", "two texts with a tab between"
            )
    return [parts[0] for parts in split_lines], [parts[1] for parts in split_lines]


def predictions(
    classifier: Classifier, text_a: Sequence[str], text_b: Sequence[str] | None
) -> Iterator[tuple[str, float, NDArray[Any]]]:
    """Label, its probability and all probabilities (classes,) of each text, in order, chunk by chunk."""
    for start in range(0, len(text_a), CHUNK):
        stop = start + CHUNK
        p_NC = classifier.predict_proba(text_a[start:stop], None if text_b is None else text_b[start:stop])
        for p_C, best in zip(p_NC, p_NC.argmax(axis=1).tolist(), strict=True):
            yield classifier.labels[best], float(p_C[best]), p_C
