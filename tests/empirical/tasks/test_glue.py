"""GLUE's own files: the hub's label order, quotes and torn rows as GLUE means them, sizes as the paper prints them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from empirical.config import TaskConfig
from empirical.metric import METRICS
from empirical.tasks.glue import GLUE, read_glue
from empirical.tasks.load import load_task
from theory.errors import InputError

FILES = Path(__file__).parents[1] / "data" / "glue"


PAIRS = ("mnli", "qnli", "qqp", "mrpc", "rte")


@pytest.mark.parametrize("name", [*PAIRS, "cola", "sst2"])
def test_glue_files_load_in_the_hubs_label_order(name, caplog):
    with caplog.at_level(logging.WARNING):
        task = load_task(TaskConfig(name=name, path=str(FILES / name), validation_size=3))
    assert len(task.validation) == 3 and len(task.test) == 6
    assert (task.train.text_b is not None) == (name in PAIRS)
    printed = GLUE[name].train_size
    assert printed is not None
    assert f"task {name}: {len(task.train) + 3} examples in train, {printed.source} has {printed}" in caplog.text
    assert (printed.source == "paper, section 5") == (name != "sst2")
    first = (FILES / name / ("dev_matched.tsv" if name == "mnli" else "dev.tsv")).read_text().splitlines()
    row = first[0 if name == "cola" else 1].split("\t")
    label = {"mrpc": row[0], "cola": row[1]}.get(name, row[-1])
    assert label in (task.labels[task.test.labels[0]], str(task.test.labels[0]))


def test_mnli_has_the_mismatched_split_and_quotes_mean_nothing():
    task = load_task(TaskConfig(name="mnli", path=str(FILES / "mnli")))
    assert set(task.extra_tests) == {"mismatched"} and len(task.extra_tests["mismatched"]) == 6
    assert task.test.text_a[1] == 'He said "no" and left'
    assert task.test.text_b is not None and task.test.text_b[2] == 'A 6" ruler was lost'


def test_the_torn_rows_of_qqps_own_file_are_skipped_and_counted(tmp_path, caplog):
    for name in ("train", "dev"):
        text = (FILES / "qqp" / f"{name}.tsv").read_text()
        (tmp_path / f"{name}.tsv").write_text(text + ("99\t1\t2\ttorn in the mid\n" if name == "train" else ""))
    whole = load_task(TaskConfig(name="qqp", path=str(FILES / "qqp"), validation_size=0))
    with caplog.at_level(logging.WARNING):
        torn = load_task(TaskConfig(name="qqp", path=str(tmp_path), validation_size=0))
    assert torn.train.digest() == whole.train.digest()
    assert "1 rows with another number of fields are skipped (lines " in caplog.text
    for name in ("train", "dev"):
        text = (FILES / "rte" / f"{name}.tsv").read_text()
        (tmp_path / f"{name}.tsv").write_text(text + "torn\n")
    with pytest.raises(InputError, match="1 fields"):
        load_task(TaskConfig(name="rte", path=str(tmp_path)))


def test_every_task_names_its_splits_columns_and_metric():
    for name, spec in GLUE.items():
        assert spec.name == name and spec.family == "glue" and spec.hub == ("nyu-mll/glue", name)
        assert len(spec.splits) == 2 + len(spec.extra_tests) and len(set(spec.labels)) == len(spec.labels)
        assert spec.metric in METRICS and (spec.columns[1] is not None) == (name in PAIRS)
    assert [name for name, spec in GLUE.items() if spec.metric == "matthews"] == ["cola"]


def sst2(folder, train, dev="sentence\tlabel\nbad\t0\n"):
    (folder / "train.tsv").write_text(train)
    (folder / "dev.tsv").write_text(dev)
    return read_glue(GLUE["sst2"], folder)


def test_numeric_labels_are_positions_in_the_tasks_order(tmp_path):
    task = sst2(tmp_path, "sentence\tlabel\ngood\t1\nbad\t0\n")
    assert [task.labels[label] for label in task.train.labels] == ["positive", "negative"]


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("sentence\tlabel\ngood\t1\nodd\t2\n", r"train\.tsv:3.*'2'.*0 to 1"),
        ("sentence\tlabel\ngood\t1\nodd\tpositive\n", r"train\.tsv:3.*0 to 1"),
        ("sentence\tlabel\ngood\tpositive\nodd\t1\n", r"train\.tsv:3.*negative, positive"),
        ("sentence\tsentiment\ngood\t1\n", "label"),
        ("sentence\tlabel\n", "at least one example"),
    ],
)
def test_labels_and_columns_that_are_not_glues_are_refused_with_their_line(tmp_path, train, message):
    with pytest.raises(InputError, match=message):
        sst2(tmp_path, train)


def test_a_folder_without_the_evaluation_file_says_which(tmp_path):
    (tmp_path / "train.tsv").write_text("sentence\tlabel\ngood\t1\n")
    with pytest.raises(InputError, match=r"dev\.tsv"):
        read_glue(GLUE["sst2"], tmp_path)


def test_cola_has_no_header_and_its_first_line_is_an_example():
    task = read_glue(GLUE["cola"], FILES / "cola")
    lines = (FILES / "cola" / "train.tsv").read_text().splitlines()
    assert task.train.text_a == [line.split("\t")[3] for line in lines]
    assert task.train.labels.tolist() == [int(line.split("\t")[1]) for line in lines]
