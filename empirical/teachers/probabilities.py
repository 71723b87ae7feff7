"""A file of probabilities as a teacher: a text column and one column `p_<label>` a class, whoever made them.

    kdshift fit --unlabelled texts.csv --teacher probabilities.parquet

Shapes: N texts, C classes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from empirical.tasks.own_files import read_rows
from empirical.teachers.answering import text_contents
from empirical.tokens.batch import Batch
from theory.errors import InputError

PREFIX = "p_"
LEAST = 1e-6  # probabilities are kept away from zero: a logarithm has to be taken
TOLERANCE = 0.02  # by which a row's probabilities may miss one


@dataclass(frozen=True, kw_only=True)
class ProbabilityFile:
    """Answers by text. found: log-probabilities by what a text hashes to."""

    name: str
    key: str
    labels: tuple[str, ...]
    found: dict[bytes, NDArray[np.float32]]

    @classmethod
    def read(cls, path: Path, text: str | None, text_b: str | None, labels: Sequence[str] | None) -> ProbabilityFile:
        """The answers in a file; labels: the classes' order, None: the columns' order.

        Raises:
            InputError: no such columns, or a row whose values are no probabilities (with its line).
        """
        rows = list(read_rows(path))
        columns = [str(name) for name in (rows[0][1] if rows else {})]
        classes = [name.removeprefix(PREFIX) for name in columns if name.startswith(PREFIX)]
        wanted = list(labels) if labels else classes
        if len(classes) < 2 or sorted(wanted) != sorted(classes):
            allowed = "columns " + ", ".join(PREFIX + name for name in (labels or ("<label>", "...")))
            raise InputError(str(path), f"columns {', '.join(columns) or 'none'}", allowed)
        column = text if text in columns else "text" if "text" in columns else "text_a"
        if column not in columns:
            raise InputError(f"{path}: column of text", text or "text", f"one of {', '.join(columns)}")
        first = [str(row[column]).strip() for _, row in rows]
        second = None if text_b is None else [str(row.get(text_b, "")).strip() for _, row in rows]
        answers = [_checked(path, line, row, wanted) for line, row in rows]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        found = dict(zip(text_contents(first, second), answers, strict=True))
        return cls(name=str(path), key=f"{digest}-{','.join(wanted)}", labels=tuple(wanted), found=found)

    def contents(self, batch: Batch) -> list[bytes]:
        assert batch.text_a is not None, "a file of probabilities is looked up by text"
        return text_contents(list(batch.text_a), None if batch.text_b is None else list(batch.text_b))

    def answer(self, batch: Batch) -> NDArray[np.float32]:
        """Log-probabilities, float32 of shape (N, C), NaN for texts that the file does not hold."""
        return self._looked_up(self.contents(batch))

    def ask(self, text_a: Sequence[str], text_b: Sequence[str] | None = None) -> NDArray[np.float32]:
        """The same for texts."""
        return self._looked_up(text_contents(list(text_a), None if text_b is None else list(text_b)))

    def _looked_up(self, contents: Sequence[bytes]) -> NDArray[np.float32]:
        nothing = np.full(len(self.labels), np.nan, dtype=np.float32)
        return np.stack([self.found.get(entry, nothing) for entry in contents])


def _checked(path: Path, line: int, row: dict[str, object], labels: Sequence[str]) -> NDArray[np.float32]:
    try:
        p_C = np.array([float(str(row[PREFIX + label])) for label in labels])
    except ValueError:
        p_C = np.full(len(labels), np.nan)
    if not np.isfinite(p_C).all() or (p_C < 0).any() or abs(p_C.sum() - 1) > TOLERANCE:
        found = ", ".join(str(row[PREFIX + label]) for label in labels)
        raise InputError(f"{path}:{line}", found, "probabilities that add up to one")
    p_C = np.maximum(p_C, LEAST)
    return np.asarray(np.log(p_C / p_C.sum()), dtype=np.float32)
