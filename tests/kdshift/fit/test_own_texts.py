"""Reading a user's file: separators, guesses, what is dropped and counted, what is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from kdshift.fit.own_texts import read_texts
from theory.errors import InputError

ROWS = [(f"text number {i} is {'good' if i % 2 else 'bad'}", "pos" if i % 2 else "neg") for i in range(30)]


def csv_of(rows: list[tuple[str, str]], header: str = "text,label", separator: str = ",") -> str:
    lines = [header, *(separator.join(row) for row in rows)]
    return "\n".join(lines) + "\n"


def put(path: Path, body: str) -> Path:
    path.write_text(body, encoding="utf-8")
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_of_a_csv_file_is_found(tmp_path: Path, separator: str) -> None:
    header = separator.join(("text", "label"))
    own = read_texts(put(tmp_path / "own.csv", csv_of(ROWS, header, separator)))
    assert len(own.train) == 30 and own.labels == ("neg", "pos") and own.dropped.sentence() == ""
    assert own.train.text_a[0] == ROWS[0][0] and list(own.line_N[:2]) == [2, 3]


def test_jsonl_parquet_and_tsv_hold_the_same_texts(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=["text", "label"])
    frame.to_parquet(tmp_path / "own.parquet")
    put(tmp_path / "own.jsonl", "\n".join(json.dumps(row) for row in frame.to_dict("records")))
    frame.to_csv(tmp_path / "own.tsv", sep="\t", index=False)
    digests = {read_texts(tmp_path / f"own.{suffix}").digest() for suffix in ("parquet", "jsonl", "tsv")}
    assert len(digests) == 1


def test_empty_rows_repeats_and_contradictions_are_dropped_and_counted(tmp_path: Path) -> None:
    extra = [("  ", "pos"), (ROWS[0][0], "neg"), (ROWS[1][0], "neg"), ("a new text", ""), ("another one", "pos")]
    own = read_texts(put(tmp_path / "own.csv", csv_of([*ROWS, *extra])))
    assert vars(own.dropped) == {"empty": 1, "no_label": 1, "repeats": 1, "contradictions": 2, "in_test": 0}
    assert len(own.train) == 30 + 5 - 1 - 1 - 1 - 2 and ROWS[1][0] not in own.train.text_a
    assert (
        "1 with an empty text" in own.dropped.sentence()
        and "2 whose text bears several labels" in own.dropped.sentence()
    )


def test_texts_of_the_test_file_leave_the_training_texts(tmp_path: Path) -> None:
    put(tmp_path / "train.csv", csv_of(ROWS))
    put(tmp_path / "test.csv", csv_of([ROWS[3], ("quite new", "neg")]))
    own = read_texts(tmp_path)
    assert own.dropped.in_test == 1 and own.test is not None and ROWS[3][0] not in own.train.text_a
    assert list(own.test.labels) == [1, 0]
    again = read_texts(tmp_path / "train.csv", test=tmp_path / "test.csv")
    assert again.digest() == own.digest()


def test_unlabelled_texts_leave_out_the_labelled_ones(tmp_path: Path) -> None:
    put(tmp_path / "more.csv", "text\n" + "\n".join([ROWS[0][0], "fresh one", "fresh two", "fresh two"]) + "\n")
    own = read_texts(put(tmp_path / "own.csv", csv_of(ROWS)), unlabelled=tmp_path / "more.csv")
    assert own.unlabelled is not None and own.unlabelled.text_a == ["fresh one", "fresh two"]
    assert list(own.unlabelled.labels) == [-1, -1]


WRONG = {
    "columns with a guess": (
        csv_of(ROWS, "review,stars"),
        {},
        r"columns review, stars; did you mean --text review --label stars\?",
    ),
    "a near column": (
        csv_of(ROWS, "review,stars"),
        {"text": "reviews"},
        r"--text reviews.*did you mean --text review\?",
    ),
    "one class": (csv_of([(text, "pos") for text, _ in ROWS]), {}, r"one class \(pos\)"),
    "two rows": (csv_of(ROWS[:2]), {}, "2 labelled texts.*at least 20"),
    "empty": ("", {}, "no rows"),
    "many labels": (
        csv_of([(f"text {i}", f"label {i}") for i in range(10_000)]),
        {},
        "10000 different labels.*right column",
    ),
    "a rare label": (csv_of([*ROWS, ("lonely", "typo")]), {}, "label 'typo' on 1 of 31"),
    "no second column": (csv_of(ROWS), {"text_b": "other"}, "--text-b other"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_meant_is_refused_in_one_line(tmp_path: Path, case: str) -> None:
    body, options, message = WRONG[case]
    with pytest.raises(InputError, match=message) as caught:
        read_texts(put(tmp_path / "own.csv", body), **options)
    assert "\n" not in str(caught.value)


def test_a_binary_file_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_bytes(b"text,label\nabc\0def,pos\n")
    with pytest.raises(InputError, match=r"own\.csv:2.*binary"):
        read_texts(tmp_path / "own.csv")
    (tmp_path / "own.csv").write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="UTF-8"):
        read_texts(tmp_path / "own.csv")
    with pytest.raises(InputError, match="existing CSV"):
        read_texts(tmp_path / "absent.csv")
