"""Pages of panels: a figure or a table, what it says, and the command that makes it (`card.html` of `kdshift fit`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from empirical.files import write_atomically
from kdshift.page.writing import rendered


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A section of the page.

    image: a data URI (see `writing.embed`); alt: what a reader who cannot see it is told. A cell that begins with a
    verdict carries its colour.
    """

    name: str
    title: str
    text: Sequence[str] = ()
    image: str = ""
    alt: str = ""
    caption: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    command: str = ""


def write_page(path: Path, *, title: str, lead: Sequence[str], panels: Sequence[Panel], provenance: str) -> None:
    """Write the page of panels to `path`, complete or not at all."""
    values = {"title": title, "lead": lead, "panels": panels, "provenance": provenance}
    write_atomically(path, rendered("panels.html.jinja", **values))
