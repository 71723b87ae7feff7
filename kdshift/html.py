"""One self-contained HTML page from panels: a figure or a table, what it says, and the command that makes it."""

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

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; color: #1d2430; background: #fff;
       max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .4rem; } h2 { font-size: 1.25rem; margin: 2.4rem 0 .4rem; }
p { margin: .4rem 0 .8rem; max-width: 46rem; } figure { margin: .8rem 0 0; }
img { width: 100%; height: auto; display: block; }
figcaption, .note { color: #4a5566; font-size: .92rem; }
pre { background: #f3f5f8; padding: .55rem .8rem; border-radius: .35rem; font-size: .85rem; white-space: pre-wrap; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; margin: .5rem 0; min-width: 60%; }
th, td { padding: .3rem .65rem; border-bottom: 1px solid #dde2ea; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 11rem; }
.words th, .words td { text-align: left; white-space: normal; min-width: 9rem; vertical-align: top; }
thead th { border-bottom: 2px solid #97a3b6; }
.supported { color: #00603f; font-weight: 600; } .contradicted { color: #a32100; font-weight: 600; }
.undecided { color: #5b6472; } ul { padding-left: 1.2rem; }
.output_subarea, .output_html, .rendered_html { overflow-x: auto; max-width: 100%; } .anchor-link { display: none; }
"""
HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ style|safe }}</style></head><body>
"""
DOCUMENT = (
    HEAD
    + """<p class="note"><a href="index.html">all notebooks</a></p>
{{ body|safe }}
</body></html>
"""
)
TEMPLATE = (
    HEAD
    + """<h1>{{ title }}</h1>
{% for paragraph in lead %}<p>{{ paragraph }}</p>
{% endfor %}
{% for panel in panels %}<section id="{{ panel.name }}"><h2>{{ panel.title }}</h2>
{% for paragraph in panel.text %}<p>{{ paragraph }}</p>
{% endfor %}
{% if panel.image %}<figure><img src="{{ panel.image }}" alt="{{ panel.alt }}">
<figcaption>{{ panel.caption }}</figcaption></figure>{% endif %}
{% if panel.columns %}<div class="scroll"><table{% if panel.words %} class="words"{% endif %}>
<thead><tr>{% for column in panel.columns %}<th>{{ column }}</th>
{% endfor %}</tr></thead><tbody>{% for row in panel.rows %}<tr>{% for cell in row %}<td
{%- if cell.split(":")[0] in ("supported", "contradicted", "undecided") %} class="{{ cell.split(":")[0] }}"{% endif -%}
>{{ cell }}</td>
{% endfor %}</tr>{% endfor %}</tbody></table></div>{% endif %}
{% if panel.links %}<ul>{% for href, label in panel.links %}<li><a href="{{ href }}">{{ label }}</a></li>
{% endfor %}</ul>{% endif %}
{% if panel.command %}<pre>{{ panel.command }}</pre>{% endif %}</section>
{% endfor %}
<p class="note">{{ provenance }}</p>
</body></html>
"""
)


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
    write_template(path, TEMPLATE, title=title, lead=lead, panels=panels, provenance=provenance)


def write_document(path: Path, *, title: str, body: str) -> None:
    """Write an HTML fragment (an executed notebook) as a page of the site."""
    write_template(path, DOCUMENT, title=title, body=body)


def write_template(path: Path, template: str, **values: object) -> None:
    """Render and replace `path` in one step."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    html = environment.from_string(template).render(style=STYLE, **values)
    write_atomically(path, html)
