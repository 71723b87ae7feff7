"""Data sets of the Hugging Face hub: its Parquet files in a local folder, or the hub itself through `datasets`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from empirical.tasks.spec import Split, TaskSpec
from theory.errors import InputError

if TYPE_CHECKING:
    from datasets import Dataset


def read_hub(spec: TaskSpec, folder: Path | None) -> list[Split]:
    """One split for each of `spec.splits`, labels checked against the task's order.

    folder: holds files named `<split>*.parquet` (the hub's layout); None asks the hub or its cache.
    Raises InputError when the data are not there, a column is missing or a label is outside the task's.
    """
    assert spec.hub is not None, f"task {spec.name} has no hub data set"
    return [_read_split(spec, name, folder) for name in spec.splits]


def _read_split(spec: TaskSpec, name: str, folder: Path | None) -> Split:
    data, where = open_split(spec, name, folder)
    first, second, label = spec.columns
    _check_order(spec, where, getattr(data.features[label], "names", None))
    labels = np.asarray(data[label], dtype=np.int64)
    wrong = np.flatnonzero((labels < 0) | (labels >= len(spec.labels)))
    if len(wrong):
        found = f"label {labels[wrong[0]]} in row {wrong[0] + 1} of {name}"
        raise InputError(f"task {spec.name}: {where}", found, f"0 to {len(spec.labels) - 1}")
    texts = list(data[first])
    return Split(text_a=texts, text_b=None if second is None else list(data[second]), labels=labels)


def open_split(
    spec: TaskSpec, name: str, folder: Path | None, columns: Sequence[str | None] | None = None
) -> tuple[Dataset, str]:
    """A split's `datasets.Dataset`, its columns checked, and the words that name its place in a message.

    columns: those it must have; None: the task's own. Raises InputError when it cannot be had here or lacks a column.
    No script of a data set is ever run: one that has only a script is read from the branch of Parquet files which the
    hub makes of it (`spec.hub_revision`), where a configuration is a folder and its name is not known.
    """
    from datasets import disable_progress_bars, load_dataset

    disable_progress_bars()
    assert spec.hub is not None
    where = f"{spec.hub[0]}/{spec.hub[1]}" if folder is None else str(folder)
    files = None if folder is None else _parquet_files(spec, name, folder)
    try:
        if files is None:
            home = {"name": spec.hub[1]} if spec.hub_revision is None else {"data_dir": spec.hub[1]}
            data = load_dataset(spec.hub[0], split=name, revision=spec.hub_revision, **home)
        else:
            data = load_dataset("parquet", data_files={name: files}, split=name)
    except Exception as error:  # the hub's clients raise a dozen unrelated kinds when it cannot be reached
        reason = f"{where} cannot be read ({type(error).__name__})"
        raise InputError(f"task {spec.name}", reason, "the hub, its cache, or a local folder in task.path") from None
    for column in spec.columns if columns is None else columns:
        if column is not None and column not in data.column_names:
            raise InputError(f"task {spec.name}: {where}", f"no column {column!r}", ", ".join(data.column_names))
    return data, where


def _parquet_files(spec: TaskSpec, name: str, folder: Path) -> list[str]:
    homes = (folder, folder / spec.hub[1]) if spec.hub else (folder,)
    found = {
        path for home in homes for pattern in (f"{name}*.parquet", f"{name}/*.parquet") for path in home.glob(pattern)
    }
    if not found:
        allowed = "the hub's Parquet files, or the task's own TSV files"
        raise InputError(f"task {spec.name}", f"no {name}*.parquet in {folder}", allowed)
    return sorted(map(str, found))


def _check_order(spec: TaskSpec, where: str, names: list[str] | None) -> None:
    if names is not None and tuple(names) != spec.labels:
        raise InputError(f"task {spec.name}: {where}", f"label order {names}", f"the order {list(spec.labels)}")
