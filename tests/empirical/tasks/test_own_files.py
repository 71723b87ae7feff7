"""Files of one's own: every way to be wrong ends in one line with file and line; what is odd is treated as said."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from empirical.config import TaskConfig
from empirical.tasks.load import load_task
from theory.errors import InputError

ROWS = [(f"a text of number {i}", "yes" if i % 3 else "no") for i in range(20)]


def write(path: Path, body: str) -> str:
    path.write_bytes(body.encode() if isinstance(body, str) else body)
    return str(path)


def csv_of(rows, header="text,label"):
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_the_four_formats_agree(tmp_path, suffix):
    path = tmp_path / f"own.{suffix}"
    frame = pd.DataFrame(ROWS, columns=["text", "label"])
    if suffix == "parquet":
        frame.to_parquet(path)
    elif suffix == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="," if suffix == "csv" else "\t")
    task = load_task(TaskConfig(name=str(path), validation_size=4))
    assert task.labels == ("no", "yes") and task.train.text_b is None and task.name == "own"
    assert (len(task.train), len(task.validation), len(task.test)) == (12, 4, 4)
    texts = task.train.text_a + task.validation.text_a + task.test.text_a
    assert sorted(texts) == sorted(text for text, _ in ROWS)
    for split in (task.train, task.validation, task.test):
        assert [task.labels[label] for label in split.labels] == [dict(ROWS)[text] for text in split.text_a]


def test_the_test_split_of_a_lone_file_does_not_move_with_the_seed(tmp_path):
    path = write(tmp_path / "own.csv", csv_of(ROWS))
    one, two = (load_task(TaskConfig(name=path, split_seed=seed)) for seed in (0, 1))
    assert one.test.digest() == two.test.digest()


def test_pairs_folders_own_columns_and_a_label_order_of_ones_own(tmp_path):
    for name, count in (("train", 9), ("validation", 3), ("test", 4)):
        rows = [{"text_a": f"{name} {i}", "text_b": f"second {i}", "label": i % 3} for i in range(count)]
        write(tmp_path / f"{name}.jsonl", "\n".join(map(json.dumps, rows)))
    task = load_task(TaskConfig(name="mine", path=str(tmp_path), labels=("2", "1", "0")))
    assert (task.name, task.labels) == ("mine", ("2", "1", "0"))
    assert task.test.text_b == [f"second {i}" for i in range(4)] and list(task.test.labels) == [2, 1, 0, 2]
    assert len(task.validation) == 3
    other = write(tmp_path / "other.csv", csv_of([(text, "x", label) for text, label in ROWS], "body,extra,verdict"))
    renamed = load_task(TaskConfig(name=other, text_a="body", label="verdict"))
    assert renamed.train.text_a[0].startswith("a text") and renamed.train.text_b is None


def test_numeric_labels_sort_as_numbers(tmp_path):
    path = write(tmp_path / "own.csv", csv_of([(f"text {i}", str(i % 11)) for i in range(44)]))
    assert load_task(TaskConfig(name=path)).labels == tuple(map(str, range(11)))


def test_a_digit_that_is_no_number_is_a_label_like_any_other(tmp_path):
    path = write(tmp_path / "own.csv", csv_of([(f"text {i}", "\u00b2" if i % 2 else "1") for i in range(20)]))
    assert load_task(TaskConfig(name=path)).labels == ("1", "\u00b2")


def test_repeats_of_a_text_never_stand_on_both_sides_of_a_split(tmp_path, caplog):
    rows = [(f"{'A ' if i % 2 else 'a  '}text of number {i % 50}", "yes" if i % 3 else "no") for i in range(200)]
    path = write(tmp_path / "own.csv", csv_of(rows))
    with caplog.at_level(logging.WARNING):
        task = load_task(TaskConfig(name=path, validation_size=20))
    assert "150 of 200 examples repeat a text" in caplog.text
    assert (len(task.test), len(task.validation), len(task.train)) == (40, 20, 140)
    texts = [{" ".join(text.casefold().split()) for text in split.text_a}
             for split in (task.train, task.validation, task.test)]  # fmt: skip
    assert not (texts[0] & texts[1] or texts[0] & texts[2] or texts[1] & texts[2])


def test_a_folder_whose_splits_share_texts_is_told(tmp_path, caplog):
    for name, numbers in (("train", range(9)), ("test", range(7, 12))):
        write(tmp_path / f"{name}.csv", csv_of([(f"text {i}", "yes" if i % 2 else "no") for i in numbers]))
    with caplog.at_level(logging.WARNING):
        load_task(TaskConfig(name="mine", path=str(tmp_path)))
    assert "2 of 5 texts of test stand in train too" in caplog.text


WRONG = {
    "wrong columns": ("own.csv", csv_of(ROWS, "body,verdict"), "text or text_a.*body, verdict"),
    "no label column": ("own.csv", csv_of(ROWS, "text,verdict"), "column of label.*text, verdict"),
    "empty text": ("own.csv", csv_of([*ROWS, ("  ", "yes")]), r"own\.csv:22.*not empty"),
    "missing label": ("own.csv", csv_of([*ROWS, ("a text", "")]), r"own\.csv:22.*label"),
    "too few fields": ("own.csv", csv_of(ROWS) + "lonely\n", r"own\.csv:22.*1 fields.*2 fields"),
    "too many fields": ("own.csv", csv_of(ROWS) + "a, comma,yes\n", r"own\.csv:22.*3 fields"),
    "one class": ("own.csv", csv_of([(text, "yes") for text, _ in ROWS]), "one class.*two classes"),
    "empty file": ("own.csv", "", "a header and at least one example"),
    "header only": ("own.csv", "text,label\n", "a header and at least one example"),
    "open quote": ("own.csv", csv_of(ROWS) + '"never closed,yes\n', r"own\.csv:\d+"),
    "broken json": ("own.jsonl", '{"text": "a", "label": 1}\n{"text": \n', r"own\.jsonl:2.*JSON"),
    "json of another kind": ("own.jsonl", '{"text": "a", "label": 1}\n[1, 2]\n', r"own\.jsonl:2.*list"),
    "no parquet": ("own.parquet", "text,label", "readable Parquet"),
    "too small": ("own.csv", csv_of(ROWS[:2]), "at least 5"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_with_its_line(tmp_path, case):
    name, body, message = WRONG[case]
    with pytest.raises(InputError, match=message):
        load_task(TaskConfig(name=write(tmp_path / name, body)))


def test_labels_outside_the_tasks_are_named_with_their_line(tmp_path):
    path = write(tmp_path / "own.csv", csv_of([*ROWS, ("a text", "maybe")]))
    with pytest.raises(InputError, match=r"own\.csv:22.*'maybe'.*no, yes"):
        load_task(TaskConfig(name=path, labels=("no", "yes")))
    for name, rows in (("train", ROWS), ("test", [("a", "yes"), ("b", "perhaps")])):
        write(tmp_path / f"{name}.csv", csv_of(rows))
    with pytest.raises(InputError, match=r"test\.csv:3.*'perhaps'"):
        load_task(TaskConfig(name="mine", path=str(tmp_path)))


def test_mixed_encodings_name_the_line_and_a_byte_order_mark_is_nothing(tmp_path):
    good = csv_of(ROWS).encode()
    path = tmp_path / "own.csv"
    path.write_bytes(good + "naïve,yes\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"own\.csv:22.*UTF-8"):
        load_task(TaskConfig(name=str(path)))
    path.write_bytes(b"\xef\xbb\xbf" + good)
    assert len(load_task(TaskConfig(name=str(path))).test) == 4


def test_multi_line_texts_are_read_and_errors_after_them_count_real_lines(tmp_path):
    body = 'text,label\n"first\nline, ""quoted""",no\n' + "".join(f"{a},{b}\n" for a, b in ROWS)
    task = load_task(TaskConfig(name=write(tmp_path / "own.csv", body)))
    texts = task.train.text_a + task.validation.text_a + task.test.text_a
    assert 'first\nline, "quoted"' in texts
    with pytest.raises(InputError, match=r"own\.csv:24"):
        load_task(TaskConfig(name=write(tmp_path / "own.csv", body + ",no\n")))


def test_texts_of_100_000_characters_and_more_are_kept_and_reported(tmp_path, caplog):
    long = "word " * 60_000
    path = write(tmp_path / "own.csv", csv_of([*ROWS, (long, "yes")]))
    with caplog.at_level(logging.WARNING):
        task = load_task(TaskConfig(name=path))
    assert "own.csv:22" in caplog.text and "max_length" in caplog.text
    assert max(len(text) for text in task.train.text_a + task.validation.text_a + task.test.text_a) == len(long.strip())


def test_folders_without_a_test_file_or_with_two_are_refused(tmp_path):
    write(tmp_path / "train.csv", csv_of(ROWS))
    with pytest.raises(InputError, match=r"a folder with test"):
        load_task(TaskConfig(name="mine", path=str(tmp_path)))
    write(tmp_path / "test.csv", csv_of(ROWS))
    write(tmp_path / "test.tsv", csv_of(ROWS))
    with pytest.raises(InputError, match="one test file"):
        load_task(TaskConfig(name="mine", path=str(tmp_path)))
    with pytest.raises(InputError, match="ending in"):
        load_task(TaskConfig(name="mine", path=write(tmp_path / "own.xlsx", "x")))


def test_missing_values_of_parquet_are_no_texts_and_no_labels(tmp_path):
    frame = pd.DataFrame(ROWS, columns=["text", "label"])
    frame.loc[7, "label"] = np.nan
    frame.to_parquet(tmp_path / "own.parquet")
    with pytest.raises(InputError, match=r"own\.parquet:8.*label"):
        load_task(TaskConfig(name=str(tmp_path / "own.parquet")))
