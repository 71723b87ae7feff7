"""Who answers: the small contract of every teacher, and a fine-tuned network under it (design: teachers).

Answers are kept by content (`answers.Answers`), so a teacher also says what it reads of a text.
Shapes: N texts, C classes.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from empirical.teachers.fine_tuned import Teacher
from empirical.tokens.batch import Batch

CONTENT_BYTES = 16


class Answering(Protocol):
    """A teacher that is only asked for logits.

    name: what tables and pages call it.
    key: names its answers: a hash of its weights, or its address and model. Equal keys give equal answers.
    labels: the task's label names, in the order of the logits' columns.
    """

    @property
    def name(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    def contents(self, batch: Batch) -> list[bytes]:
        """For each text what the teacher reads of it, as 16 bytes: texts with equal contents get one answer."""
        ...

    def answer(self, batch: Batch) -> NDArray[np.float32]:
        """Logits, float32 of shape (N, C). A teacher that gives probabilities returns their logarithms."""
        ...


def content(data: bytes) -> bytes:
    """Sixteen bytes that name what a teacher reads."""
    return hashlib.blake2b(data, digest_size=CONTENT_BYTES).digest()


def token_contents(batch: Batch) -> list[bytes]:
    """The contents of texts for a teacher that reads token ids: ids and, of pairs, which text each belongs to."""
    ids_BL = np.ascontiguousarray(batch.ids_BL, dtype="<i4")
    length_B = batch.mask_BL.sum(axis=1)
    parts = []
    for ids_L, segment_L, length in zip(ids_BL, batch.segment_BL, length_B, strict=True):
        data = ids_L[:length].tobytes()
        if segment_L.any():
            data += b"|" + segment_L[:length].tobytes()
        parts.append(content(data))
    return parts


def text_contents(text_a: list[str], text_b: list[str] | None) -> list[bytes]:
    """The contents of texts (or pairs) for a teacher that reads text."""
    if text_b is None:
        return [content(text.encode("utf-8", "surrogatepass")) for text in text_a]
    pairs = zip(text_a, text_b, strict=True)
    return [content(f"{first}\0{second}".encode("utf-8", "surrogatepass")) for first, second in pairs]


class NetworkAnswers:
    """A fine-tuned network as one who answers; its key holds its weights, its label order and its precision."""

    def __init__(self, teacher: Teacher, name: str, labels: tuple[str, ...]) -> None:
        self.teacher, self.name, self.labels = teacher, name, labels
        self.key = f"{teacher.hash}-{teacher.precision}"

    def contents(self, batch: Batch) -> list[bytes]:
        return token_contents(batch)

    def answer(self, batch: Batch) -> NDArray[np.float32]:
        return self.teacher.numpy_logits(batch)
