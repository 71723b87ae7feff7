"""Pages of panels: everything inside one file, what users wrote escaped, a page complete or not at all."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from kdshift.page.panels import Panel, write_page
from tests.kdshift.page.tags import Tags


def page(path: Path) -> Path:
    panel = Panel(
        name="claims",
        title="Claims <&>",
        text=["Said & done."],
        image="data:image/png;base64,AAAA",
        alt='a "quoted" word',
        columns=("claim", "text"),
        rows=[("one", "supported: 0.1"), ("two", "undecided"), ("three", "not measured")],
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
    assert [attributes.get("class") for tag, attributes in tags.seen if tag == "span"] == [
        None, "badge supported", None, "badge undecided", None, None,
    ]  # fmt: skip


def test_a_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    tags = Tags()
    tags.feed(page(tmp_path / "page.html").read_text(encoding="utf-8"))
    assert not any(tag in ("script", "link") for tag, _ in tags.seen)
    assert all(str(attributes["src"]).startswith("data:") for tag, attributes in tags.seen if tag == "img")


def test_a_value_that_is_missing_leaves_the_old_page(tmp_path: Path) -> None:
    path = page(tmp_path / "page.html")
    before = path.read_bytes()
    with pytest.raises(jinja2.UndefinedError):
        write_page(path, title="a panel of another kind", lead=[], panels=[object()], provenance="")  # type: ignore[list-item]
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_every_cell_carries_its_column_for_narrow_screens(tmp_path: Path) -> None:
    tags = Tags()
    tags.feed(page(tmp_path / "page.html").read_text(encoding="utf-8"))
    labels = [attributes.get("data-label") for tag, attributes in tags.seen if tag == "td"]
    assert labels == ["claim", "text"] * 3
