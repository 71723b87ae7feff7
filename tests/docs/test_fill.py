"""Generated blocks of README and docs are what their functions write today, and links lead somewhere."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests import committed

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`docs/fill.py`, on the committed tables as this process has read them already."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    module = importlib.import_module("fill")
    assert module.RESULTS == committed.RESULTS
    monkeypatch.setattr(module, "sources", committed.sources)
    monkeypatch.setattr(module, "scored", committed.scores)
    return module


def test_no_block_is_out_of_date(fill: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert fill.main(check=True) == 0, capsys.readouterr().out
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("<!-- fill ") == 8


def test_a_changed_number_is_noticed(fill: ModuleType) -> None:
    typed = "<!-- fill theory -->\ntyped 12.3\n<!-- end -->"
    assert fill.filled(typed) != typed
    assert "e^-13.6" in fill.theory()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200
