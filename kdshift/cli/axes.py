"""Grids of settings on the command line and tables on disk: `--dimension 2,5 --data-size 1e2:1e6:9 --output FILE`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from theory.errors import InputError
from theory.setting import Floats

AXIS = "a number, a list 2,5,10, or a geometric range first:last:count"
FORMATS = (".csv", ".parquet", ".jsonl")


def axis(name: str, text: str | float | None, *, whole: bool = False) -> Floats | None:
    """The values that `text` names, increasing for a range; `whole` rounds a range to whole numbers, each once.

    Raises InputError for anything else than numbers.
    """
    if text is None:
        return None
    words = str(text).split(":")
    try:
        if len(words) == 1:
            return np.array([float(word) for word in words[0].split(",")])
        first, last, count = float(words[0]), float(words[1]), int(words[2])
    except (ValueError, IndexError):
        raise InputError(name, text, AXIS) from None
    if not (len(words) == 3 and count >= 2 and 0 < first < last and math.isfinite(last)):
        raise InputError(name, text, f"{AXIS}, with 0 < first < last and count >= 2")
    values = np.geomspace(first, last, count)
    return np.unique(np.round(values)) if whole else values


def check_output(path: Path) -> Path:
    """`path`, if its ending names a format and its folder exists; InputError otherwise."""
    if path.suffix not in FORMATS:
        raise InputError("output", str(path), f"a file name ending in {', '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise InputError("output", str(path), f"a file in an existing folder; there is no {path.parent}")
    return path


def write(path: Path, columns: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Write columns of equal length as CSV, Parquet or JSON lines, as the file name says; missing values stay empty."""
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
