"""Files of one's own: CSV, TSV, JSON lines or Parquet with `text,label` or `text_a,text_b,label`.

Every complaint names the file and the line. `kdshift empirical distill` and `sweep` read them through a task's `path`.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from empirical.tasks.spec import RawTask, Split
from empirical.tasks.splitting import cut_by_text, repeats, text_keys
from theory.errors import InputError

logger = logging.getLogger(__name__)

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
SEPARATORS = (",", ";", "\t", "|")
LONG_TEXT = 20_000  # characters: longer texts are kept, cut to `max_length` tokens, and reported
WHOLE_NUMBER = re.compile(r"-?[0-9]+")  # not what `isdigit` takes for one: a superscript two is a label like any other
TEST_SHARE, TEST_LIMIT, TEST_KEY = 0.2, 5_000, 20_241  # the test split cut from a lone file

Row = tuple[int, dict[str, object]]


def read_rows(
    path: Path, *, quoted: bool = True, header: Sequence[str] | None = None, broken: list[int] | None = None
) -> Iterator[Row]:
    """The rows of a CSV, TSV, JSON lines or Parquet file with the line (in Parquet: row) each ends on, from 1.

    quoted: whether quotation marks of a TSV have a meaning (in GLUE's they have none).
    header: column names of a file without a header line. broken: takes the lines of delimited rows that have another
    number of fields, which are then left out. Raises InputError for what cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        yield from _parquet(path)
        return
    if suffix not in (*SUFFIXES, ".txt"):
        raise InputError("data file", str(path), "a file ending in " + ", ".join(SUFFIXES))
    text = _decoded(path)
    if suffix == ".jsonl":
        yield from _json_lines(path, text)
    else:
        separator = _separator(text) if suffix == ".csv" else "\t"
        yield from _delimited(path, text, separator, quoted, header, broken)


def _decoded(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError("data file", str(path), f"a readable file ({error.strerror})") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = raw[error.start : error.start + 4]
        raise InputError(f"{path}:{line}", found, "UTF-8 text in the whole file (convert it with iconv)") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{path}:{line}", "a zero byte", "a text file (this one is binary)")
    return text


def _separator(text: str) -> str:
    """What separates the fields of a CSV file: the most frequent of `,` `;` tab `|` in its first line, else a comma."""
    head = text.split("\n", 1)[0]
    return max(SEPARATORS, key=head.count)


def _delimited(
    path: Path, text: str, delimiter: str, quoted: bool, header: Sequence[str] | None, broken: list[int] | None
) -> Iterator[Row]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=quoted)
    columns = list(header) if header is not None else None
    try:
        for fields in reader:
            if not fields or fields == [""]:
                continue
            if columns is None:
                columns = [name.strip() for name in fields]
                continue
            if len(fields) != len(columns) and broken is not None:
                broken.append(reader.line_num)
                continue
            if len(fields) != len(columns):
                allowed = f"{len(columns)} fields as in the header ({', '.join(columns)})"
                raise InputError(f"{path}:{reader.line_num}", f"{len(fields)} fields", allowed)
            yield reader.line_num, dict(zip(columns, fields, strict=True))
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}", str(error), "well-formed delimited text") from None


def _json_lines(path: Path, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{path}:{number}", error.msg, "one JSON object a line") from None
        if not isinstance(row, dict):
            raise InputError(f"{path}:{number}", type(row).__name__, "one JSON object a line")
        yield number, row


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError("data file", str(path), f"a readable Parquet file ({str(error).splitlines()[0]})") from None
    yield from enumerate(table.to_pylist(), start=1)


def build_split(
    path: Path, rows: Iterable[Row], columns: tuple[str, str | None, str], labels: Sequence[str] | None
) -> tuple[Split, tuple[str, ...]]:
    """The split in `rows` and its label order: `labels`, or the labels found, sorted (as numbers if all are).

    columns: names of the first text, the second text (None for single texts) and the label.
    Raises InputError with the line for a missing column, an empty text, a missing or an unknown label.
    """
    first, second, label_column = columns
    text_a: list[str] = []
    text_b: list[str] = []
    found: list[str] = []
    for line, row in rows:
        where = f"{path}:{line}"
        text_a.append(_text(where, row, first))
        if second is not None:
            text_b.append(_text(where, row, second))
        found.append(_label(where, row, label_column, labels))
    if not found:
        raise InputError("data file", str(path), "at least one example")
    order = tuple(labels) if labels is not None else sorted_labels(found)
    index = {label: position for position, label in enumerate(order)}
    split = Split(
        text_a=text_a,
        text_b=text_b if second is not None else None,
        labels=np.array([index[label] for label in found], dtype=np.int64),
    )
    return split, order


def _text(where: str, row: dict[str, object], column: str) -> str:
    if column not in row:
        raise InputError(where, f"no column {column!r}", "the columns " + ", ".join(map(str, row)))
    value = row[column]
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise InputError(where, value, f"a text that is not empty in column {column!r}")
    if len(text) > LONG_TEXT:
        logger.warning("%s: a text of %d characters is kept and cut to max_length tokens", where, len(text))
    return text


def _label(where: str, row: dict[str, object], column: str, labels: Sequence[str] | None) -> str:
    if column not in row:
        raise InputError(where, f"no column {column!r}", "the columns " + ", ".join(map(str, row)))
    value = row[column]
    label = "" if value is None or value != value else str(value).strip()
    if not label:
        raise InputError(where, value, f"a label in column {column!r}")
    if labels is not None and label not in labels:
        raise InputError(where, label, "a label of " + ", ".join(labels))
    return label


def sorted_labels(found: Iterable[str]) -> tuple[str, ...]:
    """The distinct labels in order: of their numbers if all are whole numbers, else of their letters."""
    distinct = set(found)
    if all(WHOLE_NUMBER.fullmatch(label) for label in distinct):
        return tuple(sorted(distinct, key=int))
    return tuple(sorted(distinct))


def own_columns(path: Path, text_a: str | None, text_b: str | None, label: str | None) -> tuple[str, str | None, str]:
    """The column names of a file of one's own: those given, or `text` / `text_a` with `text_b`, and `label`."""
    _, head = next(iter(read_rows(path)), (0, {}))
    names = list(head)
    if not names:
        raise InputError("data file", str(path), "a header and at least one example")
    if text_a is None:
        text_a = next((name for name in ("text", "text_a") if name in names), None)
        text_b = text_b or ("text_b" if text_a == "text_a" and "text_b" in names else None)
    columns = (text_a, text_b, label or "label")
    for role, column in zip(("text_a", "text_b", "label"), columns, strict=True):
        if (column is None and role == "text_a") or (column is not None and column not in names):
            wanted = column or "text or text_a"
            raise InputError(f"{path}: column of {role}", wanted, "one of the file's columns " + ", ".join(names))
    assert text_a is not None
    return text_a, text_b, columns[2]


def read_own(
    path: Path,
    *,
    text_a: str | None = None,
    text_b: str | None = None,
    label: str | None = None,
    labels: Sequence[str] | None = None,
) -> RawTask:
    """A task of one's own: a folder with train, test and perhaps validation files, or one file.

    From a lone file a fifth (at most 5,000 examples) is cut as the test split, the same one whatever the seeds; repeats
    of a text stay together.
    Raises InputError naming the file and the line.
    """
    files = folder_files(path) if path.is_dir() else {"train": path}
    columns = own_columns(files["train"], text_a, text_b, label)
    train, order = build_split(files["train"], read_rows(files["train"]), columns, labels)
    if len(np.unique(train.labels)) < 2:
        raise InputError(str(files["train"]), f"one class ({order[train.labels[0]]})", "at least two classes")
    parts = {
        name: build_split(file, read_rows(file), columns, order)[0] for name, file in files.items() if name != "train"
    }
    if "test" in parts:
        _warn_of_shared_texts(path, train, parts)
        return RawTask(train=train, test=parts["test"], labels=order, validation=parts.get("validation"))
    size = min(TEST_LIMIT, round(TEST_SHARE * len(train)))
    if size < 1 or len(train) - size < 2:
        raise InputError("data file", f"{len(train)} examples in {path}", "at least 5 examples")
    if repeated := repeats(train):
        logger.warning(
            "%s: %d of %d examples repeat a text; a text's repeats stay in one split", path, repeated, len(train)
        )
    test, rest = cut_by_text(train, size, np.random.Generator(np.random.Philox(key=TEST_KEY)))
    if not len(test):
        raise InputError(
            "data file", f"{len(train) - repeated} different texts in {path}", "enough to cut a test split"
        )
    return RawTask(train=train.take(rest), test=train.take(test), labels=order)


def _warn_of_shared_texts(path: Path, train: Split, parts: Mapping[str, Split]) -> None:
    seen = set(text_keys(train))
    for name, part in parts.items():
        if shared := sum(key in seen for key in text_keys(part)):
            logger.warning("%s: %d of %d texts of %s stand in train too", path, shared, len(part), name)


def folder_files(folder: Path) -> dict[str, Path]:
    """The files of a folder's splits `train`, `test` and perhaps `validation`; raises InputError for none or two."""
    files: dict[str, Path] = {}
    for split, names in (("train", ("train",)), ("validation", ("validation", "valid", "dev")), ("test", ("test",))):
        hits = [
            folder / (name + suffix) for name in names for suffix in SUFFIXES if (folder / (name + suffix)).is_file()
        ]
        if len(hits) > 1:
            raise InputError("data folder", ", ".join(hit.name for hit in hits), f"one {split} file in {folder}")
        if hits:
            files[split] = hits[0]
    for split in ("train", "test"):
        if split not in files:
            allowed = f"a folder with {split}{{{','.join(SUFFIXES)}}}"
            raise InputError("data folder", str(folder), allowed)
    return files
