"""docs/reproduce.md: what the presets say now, with every table and figure of the paper in it."""

from __future__ import annotations

from pathlib import Path

from empirical.sweeps.reproduce import paper_presets, reproduce_page

PAGE = Path(__file__).parents[3] / "docs" / "reproduce.md"


def test_the_page_is_that_of_the_presets():
    assert PAGE.read_text("utf-8") == reproduce_page(), "kdshift empirical reproduce --write docs/reproduce.md"


def test_every_table_and_figure_is_listed_with_its_deviations():
    text = PAGE.read_text("utf-8")
    for name in [f"Figure {number}" for number in range(1, 6)] + [f"Table {number}" for number in range(1, 9)]:
        assert name in text, name
    for sweep in paper_presets():
        assert f"`{sweep.name}`" in text
        assert all(deviation in text for deviation in sweep.deviations)
