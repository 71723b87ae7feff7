"""Columns of equal length as a file that its name's ending describes: `kdshift theory bounds --output FILE`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from theory.errors import InputError

FORMATS = (".csv", ".parquet", ".jsonl")


def check_output(path: Path) -> Path:
    """`path`, if its ending names a format and its folder exists.

    Raises:
        InputError: another ending, or no such folder.
    """
    if path.suffix not in FORMATS:
        raise InputError("output", str(path), f"a file name ending in {', '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise InputError("output", str(path), f"a file in an existing folder; there is no {path.parent}")
    return path


def write_columns(path: Path, columns: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Write columns (rows,) of equal length as CSV, Parquet or JSON lines, as the name says; missing values stay empty.

    Raises:
        InputError: as `check_output`.
    """
    check_output(path)
    if path.suffix == ".jsonl":
        names = list(columns)
        with path.open("w", encoding="utf-8") as file:
            for row in zip(*(column.tolist() for column in columns.values()), strict=True):
                known = (None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in row)
                file.write(json.dumps(dict(zip(names, known, strict=True))) + "\n")
        return
    import pandas  # only here: slow to import

    table = pandas.DataFrame(dict(columns))
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)
