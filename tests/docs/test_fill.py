"""Generated blocks of README and docs are what their functions write today, and links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_no_block_is_out_of_date() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "docs" / "fill.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("<!-- fill ") == 8


def test_a_changed_number_is_noticed(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import fill
    finally:
        sys.path.remove(str(ROOT / "docs"))
    assert (
        fill.filled("<!-- fill theory -->\ntyped 12.3\n<!-- end -->")
        != "<!-- fill theory -->\ntyped 12.3\n<!-- end -->"
    )
    assert "e^-13.6" in fill.theory()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200
