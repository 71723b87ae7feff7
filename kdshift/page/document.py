"""The page's one HTML file: what was found, three linked views, tables of claims, everything inside and offline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from empirical.files import write_atomically
from kdshift.page.charts import Chart, specification, static_svg
from kdshift.page.writing import rendered

LARGEST = 2_000_000  # bytes of a finished page


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the page opens with: sentences computed from the results, and a few named figures."""

    sentences: Sequence[str]
    facts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, kw_only=True)
class Control:
    """A slider (`range`), one of several (`radio`) or any of several (`check`) that sets a signal of the charts."""

    kind: Literal["range", "radio", "check"]
    signal: str
    label: str
    choices: Sequence[str | int | float]
    start: int = 0


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A chart as the page holds it: its JSON, a static picture, and what a reader who sees neither is told."""

    name: str
    title: str
    alt: str
    json: str
    svg: str

    @classmethod
    def of(cls, name: str, title: str, chart: Chart) -> Drawn:
        """The chart under a caption; its alternative text is its own description."""
        spec = specification(chart)
        text = json.dumps(spec, separators=(",", ":")).replace("</", "<\\/")
        return cls(name=name, title=title, alt=str(spec["description"]), json=text, svg=static_svg(spec))


@dataclass(frozen=True, kw_only=True)
class View:
    """A section of charts with what it says and the command that makes it."""

    name: str
    title: str
    charts: Sequence[Drawn]
    text: Sequence[str] = ()
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A table's cell: a badge where it has a style, a link to its evidence where it has one."""

    text: str
    style: str = ""
    hint: str = ""
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of the page, a card a row on narrow screens."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    text: Sequence[str] = ()
    command: str = ""


def write_interactive(
    path: Path,
    *,
    title: str,
    answer: Answer,
    controls: Sequence[Control],
    views: Sequence[View],
    tables: Sequence[Table],
    provenance: str,
) -> None:
    """Write the page to `path`, complete or not at all; it loads nothing from anywhere.

    Raises:
        ValueError: the page would weigh more than 2 MB.
    """
    import vl_convert

    html = rendered(
        "interactive.html.jinja",
        title=title,
        answer=answer,
        controls=controls,
        views=views,
        tables=tables,
        provenance=provenance,
        bundle=vl_convert.javascript_bundle(None),  # type: ignore[arg-type]  # its stub leaves the default out
    )
    if len(html.encode()) > LARGEST:
        raise ValueError(f"the page would weigh {len(html.encode()):,} bytes, more than {LARGEST:,}")
    write_atomically(path, html)
