"""A user's texts as `kdshift fit` takes them: columns found or guessed, empty rows and repeats dropped and counted.

kdshift fit reviews.csv --text review --label stars
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from empirical.tasks.own_files import Row, folder_files, read_rows, sorted_labels
from empirical.tasks.spec import Split
from theory.errors import InputError

LEAST_TEXTS = 20
LEAST_OF_A_CLASS = 4  # one for each fold
MOST_CLASSES = 200
TEXT_NAMES, PAIR_NAMES, LABEL_NAMES = ("text", "text_a", "sentence"), ("text_b",), ("label", "class", "sentiment")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Names of the columns that are read; `text_b` is None for single texts, `label` for unlabelled ones."""

    text: str
    text_b: str | None
    label: str | None


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """Rows that were left out, by reason: nothing is lost silently."""

    empty: int = 0
    no_label: int = 0
    repeats: int = 0
    contradictions: int = 0
    in_test: int = 0

    def sentence(self) -> str:
        """What was dropped, in words; empty if nothing was."""
        words = {
            "empty": "with an empty text",
            "no_label": "without a label",
            "repeats": "repeating an earlier text",
            "contradictions": "whose text bears several labels",
            "in_test": "also in the test file",
        }
        parts = [f"{count} {words[name]}" for name, count in vars(self).items() if count]
        return "rows left out: " + ", ".join(parts) if parts else ""


@dataclass(frozen=True, kw_only=True)
class OwnTexts:
    """What a file holds after cleaning.

    train: labelled texts. test: those of a test file, or None. labels: class names in order.
    unlabelled: texts without labels (their `Split.labels` are all -1), or None. columns, dropped: as read.
    line_N: the line of each training text in its file; test_line_N the same of the test file.
    """

    name: str
    labels: tuple[str, ...]
    train: Split
    line_N: NDArray[np.int64]
    test: Split | None
    test_line_N: NDArray[np.int64] | None
    unlabelled: Split | None
    columns: Columns
    dropped: Dropped

    def digest(self) -> str:
        """Names the content: equal files of another name or place have equal digests."""
        parts = [
            self.train.digest(),
            *(part.digest() if part is not None else "-" for part in (self.test, self.unlabelled)),
        ]
        return "-".join(part[:8] for part in (*parts, "".join(self.labels).encode().hex()[-8:]))


def read_texts(
    path: Path,
    *,
    text: str | None = None,
    text_b: str | None = None,
    label: str | None = None,
    test: Path | None = None,
    unlabelled: Path | None = None,
) -> OwnTexts:
    """The labelled texts of a file or of a folder with train, validation (joined to train) and test files.

    Raises:
        InputError: a file that cannot be read, columns that are not there (with a guess), fewer than two classes,
            too few texts altogether or of one class, more classes than anybody means.
    """
    if not path.exists():
        raise InputError(
            "FILE", str(path), "an existing CSV, TSV, JSONL or Parquet file, or a folder with train and test"
        )
    files = folder_files(path) if path.is_dir() else {"train": path}
    if test is not None:
        files["test"] = test
    rows = {name: list(read_rows(file)) for name, file in files.items()}
    columns = find_columns(files["train"], rows["train"], text, text_b, label)
    train_rows = rows["train"] + rows.get("validation", [])
    kept, dropped = cleaned(train_rows, columns)
    test_kept: list[Kept] = []
    if "test" in files:
        test_kept, _ = cleaned(rows["test"], find_columns(files["test"], rows["test"], text, text_b, columns.label))
        seen = {entry.key for entry in test_kept}
        before = len(kept)
        kept = [entry for entry in kept if entry.key not in seen]
        dropped = Dropped(**{**vars(dropped), "in_test": before - len(kept)})
    labels = _checked_labels(files["train"], kept, dropped)
    train, line_N = _split(kept, labels, columns)
    test_split = test_line_N = None
    if "test" in files:
        _check_test(files["test"], test_kept, labels)
        test_split, test_line_N = _split(test_kept, labels, columns)
    return OwnTexts(
        name=path.stem,
        labels=labels,
        train=train,
        line_N=line_N,
        test=test_split,
        test_line_N=test_line_N,
        unlabelled=None
        if unlabelled is None
        else read_unlabelled(unlabelled, None, columns.text_b, kept + test_kept, remembered=columns.text)[0],
        columns=columns,
        dropped=dropped,
    )


def read_unlabelled(
    path: Path,
    text: str | None,
    text_b: str | None,
    known: Sequence[Kept] = (),
    *,
    remembered: str | None = None,
    keep_all: bool = False,
) -> tuple[Split, list[Row]]:
    """Texts without labels and their rows; repeats, empty texts and `known` ones left out unless `keep_all`.

    text: the column that was asked for; None: `remembered` where the file has it, else one with a usual name.

    Raises:
        InputError: no such file, no such column, or no text that is new.
    """
    if not path.exists():
        raise InputError(
            "FILE" if keep_all else "--unlabelled", str(path), "an existing CSV, TSV, JSONL or Parquet file"
        )
    rows = list(read_rows(path))
    if not rows:
        raise InputError("FILE" if keep_all else "--unlabelled", f"{path}, without a row", "at least one row of text")
    names = [str(name) for name in rows[0][1]]
    usual = [name for name in (remembered, *TEXT_NAMES) if name in names] or names[: len(names) == 1]
    found = next(iter(usual if text is None else [name for name in names if name == text]), None)
    if found is None or (text_b is not None and text_b not in names):
        wanted = "none given" if text is None else " and ".join(name for name in (text, text_b) if name)
        raise InputError(f"{path}: column of text", wanted, f"one of {', '.join(names) or 'no column at all'}")
    columns = Columns(text=found, text_b=text_b, label=None)
    if keep_all:
        kept = [Kept(line=line, key=(_value(row, found), _value(row, text_b)), label="") for line, row in rows]
    else:
        seen = {entry.key for entry in known}
        kept = [entry for entry in cleaned(rows, columns)[0] if entry.key not in seen]
    if not kept:
        raise InputError(
            "FILE" if keep_all else "--unlabelled", str(path), "at least one text that is not labelled yet"
        )
    second = None if text_b is None else [entry.key[1] for entry in kept]
    split = Split(text_a=[entry.key[0] for entry in kept], text_b=second, labels=np.full(len(kept), -1, dtype=np.int64))
    by_line = dict(rows)
    return split, [(entry.line, by_line[entry.line]) for entry in kept]


def find_columns(path: Path, rows: Sequence[Row], text: str | None, text_b: str | None, label: str | None) -> Columns:
    """The columns asked for, or those that bear an ordinary name.

    Raises:
        InputError: one is not there; the message lists the columns and guesses which are meant.
    """
    if not rows:
        raise InputError(str(path), "no rows", "a header line and at least 20 labelled texts")
    names = [str(name) for name in rows[0][1]]
    roles = (("text", text, TEXT_NAMES), ("label", label, LABEL_NAMES))
    chosen: dict[str, str] = {}
    for role, asked, usual in roles:
        found = asked if asked in names else None if asked else next((name for name in usual if name in names), None)
        if found is None:
            option = f"--{role} {asked}" if asked else f"no --{role}, and no column {usual[0]!r}"
            raise InputError(str(path), option, f"columns {', '.join(names)}{_guess(names, rows, asked, role)}")
        chosen[role] = found
    if text_b is None and chosen["text"] == "text_a":
        text_b = next((name for name in PAIR_NAMES if name in names), None)
    if text_b is not None and text_b not in names:
        raise InputError(str(path), f"--text-b {text_b}", f"columns {', '.join(names)}")
    return Columns(text=chosen["text"], text_b=text_b, label=chosen["label"])


def _guess(names: Sequence[str], rows: Sequence[Row], asked: str | None, role: str) -> str:
    """The columns that look like text and label: the longest values, and the fewest distinct ones."""
    if asked and (near := difflib.get_close_matches(asked, names, n=1)):
        return f"; did you mean --{role} {near[0]}?"
    values = {name: [str(row.get(name, "")) for _, row in rows[:500]] for name in names}
    text = max(names, key=lambda name: sum(map(len, values[name])))
    few = [name for name in names if name != text and len(set(values[name])) > 1]
    guess = f"--text {text}"
    if few:
        guess += f" --label {min(few, key=lambda name: len(set(values[name])))}"
    return f"; did you mean {guess}?"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One cleaned row: its line, its text (and second text), its label (empty where none is asked for)."""

    line: int
    key: tuple[str, str]
    label: str


def cleaned(rows: Sequence[Row], columns: Columns) -> tuple[list[Kept], Dropped]:
    """The rows that say something new, and how many do not.

    Of texts that come several times with one label the first stays; with several labels, none does.
    """
    empty = no_label = 0
    first: dict[tuple[str, str], Kept] = {}
    count: Counter[tuple[str, str]] = Counter()
    contradicted: set[tuple[str, str]] = set()
    for line, row in rows:
        key = (_value(row, columns.text), _value(row, columns.text_b) if columns.text_b else "")
        label = _value(row, columns.label) if columns.label else ""
        if not key[0] or (columns.text_b and not key[1]):
            empty += 1
        elif columns.label and not label:
            no_label += 1
        else:
            count[key] += 1
            if first.setdefault(key, Kept(line=line, key=key, label=label)).label != label:
                contradicted.add(key)
    kept = [entry for key, entry in first.items() if key not in contradicted]
    lost = sum(count[key] for key in contradicted)
    repeats = sum(count.values()) - len(kept) - lost
    return kept, Dropped(empty=empty, no_label=no_label, repeats=repeats, contradictions=lost)


def _value(row: dict[str, object], column: str | None) -> str:
    value = row.get(column or "")
    return "" if value is None or value != value else str(value).strip()


def _checked_labels(path: Path, kept: Sequence[Kept], dropped: Dropped) -> tuple[str, ...]:
    count = Counter(entry.label for entry in kept)
    if len(kept) < LEAST_TEXTS:
        why = f" ({dropped.sentence()})" if dropped.sentence() else ""
        raise InputError(str(path), f"{len(kept)} labelled texts{why}", f"at least {LEAST_TEXTS} different ones")
    if len(count) < 2:
        raise InputError(str(path), f"one class ({next(iter(count))})", "at least two classes in the label column")
    if len(count) > MOST_CLASSES:
        allowed = f"at most {MOST_CLASSES} classes (is --label the right column?)"
        raise InputError(str(path), f"{len(count)} different labels in {len(kept)} texts", allowed)
    rare, texts = min(count.items(), key=lambda item: item[1])
    if texts < LEAST_OF_A_CLASS:
        found = f"label {rare!r} on {texts} of {len(kept)} texts"
        raise InputError(str(path), found, f"at least {LEAST_OF_A_CLASS} texts a label (join or leave out rare ones)")
    return sorted_labels(count)


def _check_test(path: Path, kept: Sequence[Kept], labels: Sequence[str]) -> None:
    if not kept:
        raise InputError(str(path), "no labelled text", "at least one labelled text to test on")
    for entry in kept:
        if entry.label not in labels:
            raise InputError(f"{path}:{entry.line}", entry.label, "a label of the training file: " + ", ".join(labels))


def _split(kept: Sequence[Kept], labels: Sequence[str], columns: Columns) -> tuple[Split, NDArray[np.int64]]:
    index = {label: position for position, label in enumerate(labels)}
    second = None if columns.text_b is None else [entry.key[1] for entry in kept]
    label_N = np.array([index[entry.label] for entry in kept], dtype=np.int64)
    split = Split(text_a=[entry.key[0] for entry in kept], text_b=second, labels=label_N)
    return split, np.array([entry.line for entry in kept], dtype=np.int64)
