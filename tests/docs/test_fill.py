"""Generated blocks of README and docs are what their functions write today, and links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.committed import fill

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_no_block_is_out_of_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert fill.RESULTS == ROOT / "notebooks" / "results"
    assert fill.main(check=True) == 0, capsys.readouterr().out
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("<!-- fill ") == 8


def test_a_changed_number_is_noticed() -> None:
    typed = "<!-- fill theory -->\ntyped 12.3\n<!-- end -->"
    assert fill.filled(typed) != typed
    assert "e^-13.6" in fill.theory()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200
