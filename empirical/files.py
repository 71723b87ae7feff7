"""How files are written that another process may be reading, and where what can be computed again is kept."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from theory.errors import InputError
from theory.replacing import replacing, write_atomically, write_frame

# What the disk answers where a results folder cannot be written, whatever is tried in it
UNWRITABLE = frozenset(
    {errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT, errno.ENOTDIR, errno.EEXIST}
)


@contextmanager
def writable(root: Path) -> Iterator[None]:
    """Within, a disk that refuses to be written is told as a user's mistake.

    Raises:
        InputError: naming the results folder `root`; other errors pass as they are.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise InputError("results", str(root), f"a directory that can be written ({error.strerror})") from None


def cache_directory() -> Path:
    """Where what can be computed again is kept: `$XDG_CACHE_HOME/kdshift`, by default `~/.cache/kdshift`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kdshift"


__all__ = ["UNWRITABLE", "cache_directory", "replacing", "writable", "write_atomically", "write_frame"]
