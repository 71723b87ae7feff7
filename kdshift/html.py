"""Self-contained HTML pages: a figure or a table, what it says, and the command that makes it.

`kdshift report` and `kdshift demo` write them; the templates and the style lie in `templates/`.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from empirical.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A section of the page.

    image: a data URI (see `embed`); alt: what a reader who cannot see it is told. words: cells hold sentences.
    """

    name: str
    title: str
    text: Sequence[str] = ()
    image: str = ""
    alt: str = ""
    caption: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    links: Sequence[tuple[str, str]] = field(default=())
    command: str = ""
    words: bool = False


def embed(figure: Figure) -> str:
    """`figure` as a PNG data URI, sharp on high-density screens; the figure is closed."""
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=180, bbox_inches="tight")
    plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def write_page(path: Path, *, title: str, lead: Sequence[str], panels: Sequence[Panel], provenance: str) -> None:
    """Write the page of panels to `path`, complete or not at all."""
    write_template(path, "page.html", title=title, lead=lead, panels=panels, provenance=provenance)


def write_document(path: Path, *, title: str, body: str) -> None:
    """Write an HTML fragment (an executed notebook) as a page of the site."""
    write_template(path, "document.html", title=title, body=body)


def write_template(path: Path, template: str, **values: object) -> None:
    """Render a template of this package and replace `path` in one step."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kdshift"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    write_atomically(path, environment.get_template(template).render(**values))
