"""What a task is: its splits, its label order, its metric, the sizes the paper prints, its licence.

Serves section 5 (GLUE) and section 6 (biomedical) of the paper; `kdshift empirical tasks` lists them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Metric = Literal["accuracy", "matthews", "f1", "micro-f1"]


@dataclass(frozen=True, kw_only=True)
class Split:
    """Texts (or pairs) with the indices of their labels, N of them.

    text_a: N first texts. text_b: N second texts, None for single texts.
    labels: int64 array of shape (N,), positions in the task's label order.
    """

    text_a: list[str]
    text_b: list[str] | None
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        assert len(self.text_a) == len(self.labels), "as many texts as labels"
        assert self.text_b is None or len(self.text_b) == len(self.labels), "as many second texts as labels"

    def __len__(self) -> int:
        return len(self.text_a)

    def take(self, indices: NDArray[np.int64] | Sequence[int]) -> Split:
        """The examples at `indices` (integer array of shape (M,)), in that order."""
        second = None if self.text_b is None else [self.text_b[i] for i in indices]
        picked = np.asarray(indices, dtype=np.int64)
        return Split(text_a=[self.text_a[i] for i in indices], text_b=second, labels=self.labels[picked])

    def followed_by(self, other: Split) -> Split:
        """These examples and then those of `other` (both of single texts, or both of pairs)."""
        assert (self.text_b is None) == (other.text_b is None), "single texts and pairs do not mix"
        second = None if self.text_b is None or other.text_b is None else self.text_b + other.text_b
        labels = np.concatenate([self.labels, other.labels])
        return Split(text_a=self.text_a + other.text_a, text_b=second, labels=labels)

    def digest(self) -> str:
        """Sixteen hexadecimal digits that name these examples in this order."""
        state = hashlib.sha256(self.labels.astype("<i8").tobytes())
        for texts in (self.text_a, self.text_b or []):
            for text in texts:
                state.update(text.encode("utf-8", "surrogatepass") + b"\0")
            state.update(b"\1")
        return state.hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Size:
    """A size as the paper prints it: 392.7k means 392,700 give or take 50."""

    value: float
    tolerance: float = 0.0
    source: str = "paper, section 5"

    def fits(self, found: int) -> bool:
        """Whether `found` examples agree with the printed size to its last digit."""
        return abs(found - self.value) <= self.tolerance

    def __str__(self) -> str:
        return f"{self.value:,.0f}" + (f" +- {self.tolerance:g}" if self.tolerance else "")


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """A known task: where it comes from, how it is read and how it is scored.

    columns: the hub's column names of the first text, the second text (or None) and the label.
    splits: the hub's split names of train and of each evaluation split ("test" first, then extra ones).
    related_only: the printed sizes count the examples outside the first label only.
    """

    name: str
    title: str
    family: Literal["glue", "biomedical", "tweets"]
    labels: tuple[str, ...]
    metric: Metric
    columns: tuple[str, str | None, str]
    licence: str
    train_size: Size | None = None
    test_size: Size | None = None
    hub: tuple[str, str] | None = None
    hub_revision: str | None = None
    related_only: bool = False
    splits: tuple[str, ...] = ("train", "validation")
    extra_tests: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class RawTask:
    """What a reader returns, before the validation split is cut from the training data."""

    train: Split
    test: Split
    labels: tuple[str, ...]
    validation: Split | None = None
    extra_tests: dict[str, Split] = field(default_factory=dict)
