"""Columns as files: three formats that read back alike, missing values empty, mistakes named before work is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kdshift.cli.column_files import check_output, write_columns
from theory.errors import InputError

COLUMNS = {"n": np.array([1, 2]), "tau": np.array([0.1, np.nan]), "name": np.array(["a,b", 'c"d'])}
READ = {"csv": pd.read_csv, "parquet": pd.read_parquet, "jsonl": lambda path: pd.read_json(path, lines=True)}


@pytest.mark.parametrize("ending", sorted(READ))
def test_what_is_written_reads_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"table.{ending}"
    write_columns(path, COLUMNS)
    pd.testing.assert_frame_equal(READ[ending](path), pd.DataFrame(COLUMNS))


def test_missing_values_are_null_in_json_lines(tmp_path: Path) -> None:
    write_columns(tmp_path / "table.jsonl", COLUMNS)
    assert (tmp_path / "table.jsonl").read_text().splitlines()[1] == '{"n": 2, "tau": null, "name": "c\\"d"}'


@pytest.mark.parametrize("name", ["table.xlsx", "table", "nowhere/table.csv"])
def test_mistakes_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="output: found"):
        check_output(tmp_path / name)
    with pytest.raises(InputError, match="output: found"):
        write_columns(tmp_path / name, COLUMNS)
