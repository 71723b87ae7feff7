"""How every HTML page is written: one set of templates, one style, everything inside the file, whole or not at all.

`kdshift report`, `kdshift demo` and `kdshift fit`; the templates, the style and the script lie in `templates/`.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from empirical.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def embed(figure: Figure) -> str:
    """`figure` as a PNG data URI, sharp on high-density screens; the figure is closed."""
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=180, bbox_inches="tight")
    plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def write_document(path: Path, *, title: str, body: str) -> None:
    """Write an HTML fragment (an executed notebook) as a page of the site."""
    write_atomically(path, rendered("document.html.jinja", title=title, body=body))


def rendered(template: str, **values: object) -> str:
    """A template of this room with `values`; what users wrote is escaped. Raises jinja2.UndefinedError if one lacks."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kdshift.page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)
