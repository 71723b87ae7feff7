"""The documentation's reading of docstrings: hanging lines go on, blocks keep their lines, sections are left alone."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

CONF = Path(__file__).parents[2] / "docs" / "conf.py"


@pytest.fixture(scope="module")
def unhung() -> Callable[[list[str]], list[str]]:
    found: Callable[[list[str]], list[str]] = runpy.run_path(str(CONF))["unhung"]
    return found


def test_a_hanging_line_goes_on_with_the_line_above(unhung: Callable[[list[str]], list[str]]) -> None:
    assert unhung(["x: a long", "    explanation,", "    indeed.", "y: another"]) == [
        "x: a long explanation, indeed.",
        "y: another",
    ]


def test_a_block_keeps_its_lines_and_ends_with_a_blank_one(unhung: Callable[[list[str]], list[str]]) -> None:
    block = ["| one", "| two", "", "After."]
    assert unhung(["Two ways:", "    one", "    two", "After."]) == ["Two ways:", "", *block]
    assert unhung(["Two ways.", "", "    one", "    two", "After."]) == ["Two ways.", "", *block]


def test_sections_are_left_alone(unhung: Callable[[list[str]], list[str]]) -> None:
    sections = ["Raises:", "    InputError: bad", "        input."]
    assert unhung(["Text", "  goes on.", "", *sections]) == ["Text goes on.", "", *sections]
    underlined = ["Parameters", "----------", "name", "    What it is."]
    assert unhung(underlined) == underlined
