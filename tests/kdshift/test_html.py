"""Pages: everything inside one file, what users wrote escaped, a page complete or not at all."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest
from matplotlib.figure import Figure

from kdshift.html import Panel, embed, write_document, write_page, write_template

VOID = {"meta", "img", "br", "input"}


class Tags(HTMLParser):
    """Opened elements, closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(path: Path) -> Path:
    panel = Panel(
        name="claims",
        title="Claims <&>",
        text=["Said & done."],
        image="data:image/png;base64,AAAA",
        alt='a "quoted" word',
        columns=("claim", "text"),
        rows=[("one", "supported: 0.1"), ("two", "undecided"), ("three", "not measured")],
        links=[("a.html", "A")],
        command="kdshift compare --results <dir>",
    )
    write_page(path, title="A < B", lead=["first", "second"], panels=[panel], provenance="kdshift 1 & torch 2")
    return path


def test_a_page_is_whole_and_what_is_shown_is_escaped(tmp_path: Path) -> None:
    text = page(tmp_path / "page.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert not tags.open and text.startswith("<!doctype html>")
    assert "A &lt; B" in text and "Claims &lt;&amp;&gt;" in text and "--results &lt;dir&gt;" in text
    assert ("img", {"src": "data:image/png;base64,AAAA", "alt": 'a "quoted" word'}) in tags.seen
    assert [attributes.get("class") for tag, attributes in tags.seen if tag == "td"] == [
        None, "supported", None, "undecided", None, None,
    ]  # fmt: skip


def test_a_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    tags = Tags()
    tags.feed(page(tmp_path / "page.html").read_text(encoding="utf-8"))
    assert not any(tag in ("script", "link") for tag, _ in tags.seen)
    assert all(str(attributes["src"]).startswith("data:") for tag, attributes in tags.seen if tag == "img")


def test_a_document_keeps_its_fragment(tmp_path: Path) -> None:
    write_document(tmp_path / "d.html", title="T & U", body="<h1>x</h1><p>a &amp; b</p>")
    text = (tmp_path / "d.html").read_text(encoding="utf-8")
    assert "<h1>x</h1><p>a &amp; b</p>" in text and "<title>T &amp; U</title>" in text and "index.html" in text


def test_a_value_that_is_missing_leaves_the_old_page(tmp_path: Path) -> None:
    path = page(tmp_path / "page.html")
    before = path.read_bytes()
    with pytest.raises(jinja2.UndefinedError):
        write_template(path, "page.html", title="no lead")
    assert path.read_bytes() == before


def test_a_figure_is_embedded_as_png() -> None:
    figure = Figure(figsize=(1, 1))
    assert embed(figure).startswith("data:image/png;base64,iVBORw0KGgo")
