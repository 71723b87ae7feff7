"""GLUE's MNLI, QNLI, QQP, MRPC, RTE, CoLA and SST-2: from the hub, its Parquet files, or GLUE's own TSV files.

The tasks of section 5. GLUE's test labels are not public: as in the paper, its development set is our test split, and
our validation split is cut from the training data.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from empirical.tasks.hub import read_hub
from empirical.tasks.own_files import Row, build_split, read_rows
from empirical.tasks.spec import RawTask, Size, Split, TaskSpec
from theory.errors import InputError

logger = logging.getLogger(__name__)

_HUB = "nyu-mll/glue"
_LICENCES = {
    "mnli": "OANC and others (see the corpus)",
    "qnli": "CC BY-SA 4.0 (SQuAD)",
    "qqp": "Quora's terms, non-commercial",
    "mrpc": "Microsoft Research licence",
    "rte": "research use (PASCAL challenges)",
    "cola": "research use (published sentences)",
    "sst2": "research use (film reviews)",
}
_ENTAILMENT = ("entailment", "not_entailment")


def _spec(
    name: str,
    title: str,
    labels: tuple[str, ...],
    columns: tuple[str, str | None, str],
    train: Size,
    test: int,
    **more: object,
) -> TaskSpec:
    sizes = Size(value=test, source="GLUE's development set")
    return TaskSpec(
        name=name,
        title=title,
        family="glue",
        labels=labels,
        columns=columns,
        licence=_LICENCES[name],
        train_size=train,
        test_size=sizes,
        hub=(_HUB, name),
        **{"metric": "accuracy", **more},  # type: ignore[arg-type]
    )


def _printed(thousands: float, tolerance: float = 50.0) -> Size:
    return Size(value=round(thousands * 1000), tolerance=tolerance)


GLUE = {
    spec.name: spec
    for spec in (
        _spec(
            "mnli",
            "Natural language inference, matched (and mismatched as an extra test)",
            ("entailment", "neutral", "contradiction"),
            ("premise", "hypothesis", "label"),
            _printed(392.7),
            9_815,
            splits=("train", "validation_matched", "validation_mismatched"),
            extra_tests=("mismatched",),
        ),
        _spec(
            "qnli",
            "Does the sentence answer the question",
            _ENTAILMENT,
            ("question", "sentence", "label"),
            _printed(104.7),
            5_463,
        ),
        _spec(
            "qqp",
            "Are two questions the same",
            ("not_duplicate", "duplicate"),
            ("question1", "question2", "label"),
            _printed(363.8),
            40_430,
        ),
        _spec(
            "mrpc",
            "Are two sentences paraphrases",
            ("not_equivalent", "equivalent"),
            ("sentence1", "sentence2", "label"),
            _printed(3.7),
            408,
        ),
        _spec(
            "rte",
            "Recognising textual entailment",
            _ENTAILMENT,
            ("sentence1", "sentence2", "label"),
            _printed(2.5),
            277,
        ),
        _spec(
            "cola",
            "Is the sentence acceptable English",
            ("unacceptable", "acceptable"),
            ("sentence", None, "label"),
            _printed(8.5, 60.0),
            1_043,
            metric="matthews",
        ),
        _spec(
            "sst2",
            "Sentiment of film reviews",
            ("negative", "positive"),
            ("sentence", None, "label"),
            Size(value=67_349, source="GLUE (not in the paper)"),
            872,
        ),
    )
}

# GLUE's own files: name of the evaluation file(s), columns of the texts and of the label
_TSV_TESTS = {"mnli": ("dev_matched", "dev_mismatched")}
_TSV_COLUMNS: dict[str, tuple[str, str | None, str]] = {
    "mnli": ("sentence1", "sentence2", "gold_label"),
    "qqp": ("question1", "question2", "is_duplicate"),
    "mrpc": ("#1 String", "#2 String", "Quality"),
}
_BROKEN = ("qqp",)  # whose own train.tsv has three torn rows, which the hub leaves out
_COLA_HEADER = ("source", "label", "star", "sentence")


def read_glue(spec: TaskSpec, folder: Path | None) -> RawTask:
    """A GLUE task from a local folder (the hub's Parquet files or GLUE's TSV files), or from the hub without one."""
    if folder is None or not (folder / "train.tsv").is_file():
        parts = read_hub(spec, folder)
    else:
        names = ("train", *_TSV_TESTS.get(spec.name, ("dev",)))
        parts = [_read_tsv(spec, folder / f"{name}.tsv") for name in names]
    extra = dict(zip(spec.extra_tests, parts[2:], strict=True))
    return RawTask(train=parts[0], test=parts[1], labels=spec.labels, extra_tests=extra)


def _read_tsv(spec: TaskSpec, path: Path) -> Split:
    if not path.is_file():
        raise InputError(f"task {spec.name}", f"no file {path}", "GLUE's files train.tsv and dev*.tsv in one folder")
    header = _COLA_HEADER if spec.name == "cola" else None
    broken: list[int] | None = [] if spec.name in _BROKEN else None
    rows: list[Row] = list(read_rows(path, quoted=False, header=header, broken=broken))
    if broken:
        lines = ", ".join(map(str, broken[:5]))
        logger.warning("%s: %d rows with another number of fields are skipped (lines %s)", path, len(broken), lines)
    if rows and all(str(row.get(column, "")).isdigit() for _, row in rows[:1] for column in (_label_column(spec),)):
        rows = [(line, _named(path, line, row, _label_column(spec), spec.labels)) for line, row in rows]
    columns = _TSV_COLUMNS.get(spec.name, spec.columns)
    return build_split(path, rows, columns, spec.labels)[0]


def _label_column(spec: TaskSpec) -> str:
    return _TSV_COLUMNS.get(spec.name, spec.columns)[2]


def _named(path: Path, line: int, row: dict[str, object], column: str, labels: Sequence[str]) -> dict[str, object]:
    """The row with its numeric label replaced by the label's name."""
    value = str(row[column])
    if not value.isdigit() or int(value) >= len(labels):
        raise InputError(f"{path}:{line}", value, f"a label of 0 to {len(labels) - 1}")
    return {**row, column: labels[int(value)]}
