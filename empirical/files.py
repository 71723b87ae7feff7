"""Text files written whole or not at all, for everything that another process may be reading."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Put `text` at `path` so that a reader sees the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def cache_directory() -> Path:
    """Where what can be computed again is kept: `$XDG_CACHE_HOME/kdshift`, by default `~/.cache/kdshift`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kdshift"
