"""What every verb shares: one JSON object on standard output, tables for people, one-line errors, exit status 2."""

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TextIO

from cyclopts import Parameter

from theory.errors import InputError

Json = Annotated[bool, Parameter(negative="", help="print one JSON object on standard output and nothing else there")]


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: NumPy scalars and arrays unpacked, non-finite numbers as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def emit_json(payload: Mapping[str, Any]) -> None:
    """Print one JSON object, and nothing else, on standard output."""
    sys.stdout.write(json.dumps(plain(payload), allow_nan=False, ensure_ascii=False) + "\n")


def number(value: float | int | str | bool | None, missing: str = "-") -> str:
    """A number as a person reads it: four significant digits, thousands kept apart, a word where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return missing
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}".replace(",", " ")
    return f"{value:.4g}"


def duration(seconds: float | None, missing: str = "-") -> str:
    """A length of time as a person reads it, in the unit that suits it."""
    if seconds is None:
        return missing
    minutes, hours = seconds / 60, seconds / 3600
    if hours >= 48:
        return f"{hours / 24:.1f} days"
    return f"{hours:.1f} h" if hours >= 1.5 else f"{minutes:.1f} min" if minutes >= 1.5 else f"{seconds:.0f} s"


def emit_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], note: str | None = None) -> None:
    """Print a table on standard output with rich, which is only imported here to keep the start-up short."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", caption=note, caption_justify="left")
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*(number(cell) for cell in row))
    Console().print(table)


def check_figure(path: Path) -> None:
    """Raise InputError if no figure can be drawn into this file: its folder is missing, or its ending unknown."""
    from matplotlib.backend_bases import FigureCanvasBase

    known = sorted(FigureCanvasBase.get_supported_filetypes())
    if path.suffix.lstrip(".") not in known or not path.parent.is_dir():
        raise InputError("--figure", str(path), f"a file in an existing folder, ending in one of {', '.join(known)}")


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at that moment: a process that calls several verbs may have replaced it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def log_to_stderr() -> None:
    """Warnings, and what the tool itself has to say, on standard error, one plain line each."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", handlers=[_StandardError()])
    for package in ("empirical", "simulate", "theory", "kdshift"):
        logging.getLogger(package).setLevel(logging.INFO)
