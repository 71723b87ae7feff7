"""Files and folders that appear whole or not at all, for everything that another process may be reading or writing.

It stands on the lowest floor because simulation and text both keep results (design: Results on disk).
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from theory.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

ABANDONED_SECONDS = 3600.0  # nothing here takes that long to write, so an older draft is a killed process's


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path`, to be made a file or a folder within the block; it takes the place of `path` at the end.

    Readers see the old one or the whole new one. The draft's name holds the process id and a random part, so that
    several processes (on several machines, of one shared disk) can write one path at once: the last one stays. It
    keeps the ending of `path`. If the block raises, `path` is as it was and the draft is gone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.stem}.{os.getpid()}.{secrets.token_hex(4)}.tmp{path.suffix}")
    try:
        yield draft
        if draft.is_dir():
            _replace_folder(draft, path)
        else:
            draft.replace(path)
    finally:
        _remove(draft)


def write_atomically(path: Path, text: str) -> None:
    """Put `text` at `path` so that a reader sees the old file or the whole new one."""
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, whole or not at all; equal tables give equal bytes."""
    with replacing(path) as draft:
        frame.to_parquet(draft, index=False)


def read_frame(path: Path, allowed: str = "a readable Parquet table") -> pd.DataFrame:
    """A table that `write_frame` wrote. Raises InputError, naming the file, where it cannot be read."""
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow.ArrowInvalid is a ValueError
        raise InputError(str(path), str(error).splitlines()[0], allowed) from None


def remove_abandoned(folder: Path) -> None:
    """Delete the drafts in `folder` that processes which were killed have left, told by their age."""
    for draft in folder.glob(".*.tmp*"):
        try:
            age = time.time() - draft.stat().st_mtime
        except FileNotFoundError:  # another process was first
            continue
        if age > ABANDONED_SECONDS:
            _remove(draft)


def _replace_folder(draft: Path, path: Path) -> None:
    """A folder that is not empty cannot be renamed over: the old one steps aside first."""
    aside = draft.with_name(f"{draft.name}.old")
    try:
        path.rename(aside)
    except FileNotFoundError:
        pass
    try:
        draft.rename(path)
    except OSError:
        if not path.is_dir():
            raise
        # another process has put its own there between the two renames: one whole folder is as good as the other
    _remove(aside)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
