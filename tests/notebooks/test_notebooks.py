"""The committed notebooks run on the committed tables, agree with `kdshift compare`, and hold no typed-in result."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from kdshift.claims import as_markdown, score_all
from kdshift.curve_sources import load_sources
from kdshift.report import NOTEBOOKS, write_report
from theory.errors import InputError

FOLDER = Path(__file__).parents[2] / "notebooks"
RESULTS = FOLDER / "results"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All four notebooks executed on the committed results."""
    return write_report(RESULTS, tmp_path_factory.mktemp("site")).parent


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_site_has_every_notebook_whole_and_self_contained(site: Path, name: str) -> None:
    html = (site / f"{name}.html").read_text(encoding="utf-8")
    assert "Traceback" not in html and "Error:" not in html
    assert html.count("data:image/png;base64,") >= 1
    assert not re.search(r"<(script|link)[^>]+(src|href)=[\"']https?:", html)
    for tag in re.findall(r"<img[^>]*>", html):
        assert re.search(r'alt="[^"]{10,}"', tag), "a figure without alternative text"
    assert f'href="{name}.html"' in (site / "index.html").read_text(encoding="utf-8")


def outputs(name: str) -> str:
    """Everything a committed notebook printed, as text."""
    texts = []
    for cell in nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells:
        for output in cell.get("outputs", []):
            texts += [str(value) for kind, value in output.get("data", {}).items() if kind.startswith("text/")]
    return "\n".join(texts)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_committed_notebook_is_executed_and_without_errors(name: str) -> None:
    for cell in nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.execution_count is not None, cell.source[:80]
            assert all(output.output_type != "error" for output in cell.outputs)


def test_the_claims_in_the_notebook_are_those_of_compare() -> None:
    assert as_markdown(score_all(load_sources(RESULTS))) in outputs("4_side_by_side")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_prose_holds_no_typed_in_result(name: str) -> None:
    for cell in nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"\d+\.\d+ ?(%|points|±)|±", cell.source), cell.source


def test_a_report_needs_results(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--results"):
        write_report(tmp_path / "nothing", tmp_path / "site")
