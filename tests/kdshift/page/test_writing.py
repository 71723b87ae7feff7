"""How pages are written: a fragment keeps its markup, what is missing is an error, one style for all."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
from matplotlib.figure import Figure

from kdshift.page.writing import embed, rendered, write_document
from tests.kdshift.page.tags import Tags


def test_a_document_keeps_its_fragment(tmp_path: Path) -> None:
    write_document(tmp_path / "d.html", title="T & U", body="<h1>x</h1><p>a &amp; b</p>")
    text = (tmp_path / "d.html").read_text(encoding="utf-8")
    assert "<h1>x</h1><p>a &amp; b</p>" in text and "<title>T &amp; U</title>" in text and "index.html" in text
    tags = Tags()
    tags.feed(text)
    assert not tags.open and ("html", {"lang": "en", "class": "light"}) in tags.seen


def test_a_template_wants_all_its_values() -> None:
    with pytest.raises(jinja2.UndefinedError):
        rendered("panels.html.jinja", title="no lead")


def test_style_stands_in_the_page_as_it_is_written() -> None:
    text = rendered("document.html.jinja", title="t", body="")
    assert "prefers-color-scheme: dark" in text and "&gt;" not in text[text.index("<style>") : text.index("</style>")]


def test_a_figure_is_embedded_as_png() -> None:
    figure = Figure(figsize=(1, 1))
    assert embed(figure).startswith("data:image/png;base64,iVBORw0KGgo")
