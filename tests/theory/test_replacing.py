"""Files and folders that appear whole or not at all, whoever else writes them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow
import pytest

from theory.errors import InputError
from theory.replacing import ABANDONED_SECONDS, read_frame, remove_abandoned, replacing, write_frame

WRITER = """
import sys
from pathlib import Path
from theory.replacing import replacing
path, text = Path(sys.argv[1]), sys.argv[2] * 20_000
for _ in range(40):
    with replacing(path / "file.txt") as draft:
        draft.write_text(text)
    with replacing(path / "folder") as draft:
        draft.mkdir()
        (draft / "a").write_text(text)
        (draft / "b").write_text(text)
"""


def test_a_file_takes_its_place_at_the_end_and_keeps_its_ending(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.npy"
    with replacing(path) as draft:
        assert draft.parent == path.parent and draft.suffix == ".npy" and str(os.getpid()) in draft.name
        draft.write_text("one")
        assert not path.exists()
    with replacing(path) as draft:
        draft.write_text("two")
        assert path.read_text() == "one"
    assert path.read_text() == "two" and list(path.parent.iterdir()) == [path]


def test_a_folder_takes_the_place_of_one_that_is_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "model"
    for text in ("one", "two"):
        with replacing(path) as draft:
            draft.mkdir()
            (draft / text).touch()
    assert [file.name for file in path.iterdir()] == ["two"] and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("folder", [False, True])
def test_a_failure_leaves_everything_as_it_was(tmp_path: Path, folder: bool) -> None:
    path = tmp_path / "kept"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as draft:
        draft.mkdir() if folder else draft.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_two_processes_on_one_path_leave_one_whole_version(tmp_path: Path) -> None:
    started = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), letter]) for letter in "xy"]
    assert [process.wait(timeout=60) for process in started] == [0, 0]
    assert set((tmp_path / "file.txt").read_text()) in ({"x"}, {"y"})
    assert (tmp_path / "folder" / "a").read_text() == (tmp_path / "folder" / "b").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.txt", "folder"]


def test_drafts_of_killed_processes_go_when_they_are_old(tmp_path: Path) -> None:
    old, young, other = tmp_path / ".step.7.ab.tmp", tmp_path / ".step.8.cd.tmp", tmp_path / "step"
    for folder in (old, young, other):
        folder.mkdir()
        (folder / "part").touch()
    past = time.time() - ABANDONED_SECONDS - 1
    os.utime(old, (past, past))
    os.utime(other, (past, past))
    remove_abandoned(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {young.name, other.name}


def test_equal_tables_are_equal_bytes_and_a_failed_one_leaves_the_old(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "t.parquet", tmp_path / "b" / "t.parquet"
    for path in (first, second):
        write_frame(pd.DataFrame({"degree": [0.0, 0.3], "augmenter": ["none", "knn"]}), path)
    before = first.read_bytes()
    assert before == second.read_bytes() and pd.read_parquet(first)["degree"].tolist() == [0.0, 0.3]
    with pytest.raises(pyarrow.ArrowException):
        write_frame(pd.DataFrame({"degree": [0.0, "x"]}), first)
    assert first.read_bytes() == before and [each.name for each in first.parent.iterdir()] == ["t.parquet"]


def test_a_table_comes_back_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    path, table = tmp_path / "table.parquet", pd.DataFrame({"a": [1, 2]})
    write_frame(table, path)
    pd.testing.assert_frame_equal(read_frame(path), table)
    for damaged in (b"", b"PAR1 and no more", path.read_bytes()[:-9]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"table\.parquet: found .*Parquet"):
            read_frame(path)
