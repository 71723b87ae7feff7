"""The committed notebooks run on the committed tables, agree with `kdshift compare`, and hold no typed-in result."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import IPython.display
import matplotlib.pyplot as plt
import nbformat
import pytest
from matplotlib.figure import Figure
from nbformat import NotebookNode

from kdshift.claims import as_markdown
from kdshift.notebook import NOTEBOOKS, RESULTS_VARIABLE
from kdshift.page.writing import write_document
from kdshift.report import execute, write_report
from tests import committed
from theory.errors import InputError

FOLDER = Path(__file__).parents[2] / "notebooks"


def cells_of(name: str, kind: str) -> list[NotebookNode]:
    """The cells of a committed notebook that are of this kind."""
    return [cell for cell in nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells if cell.cell_type == kind]


def check_page(page: Path) -> None:
    """A notebook's page is whole and carries all it shows."""
    html = page.read_text(encoding="utf-8")
    assert "Traceback" not in html and "Error:" not in html
    assert html.count("data:image/png;base64,") >= 1
    assert not re.search(r"<(script|link)[^>]+(src|href)=[\"']https?:", html)
    for tag in re.findall(r"<img[^>]*>", html):
        assert re.search(r'alt="[^"]{10,}"', tag), "a figure without alternative text"


SHORT = """
from kdshift.notebook import say, show
from theory.bound_figures import required_data_size
show(required_data_size(2, epsilon=0.5, delta=0.1), alt="The data size required against tau in dimension 2")
say("One figure.")
"""


def test_what_a_kernel_shows_becomes_a_self_contained_page(tmp_path: Path) -> None:
    content = nbformat.v4.new_notebook()
    content.cells = [nbformat.v4.new_markdown_cell("# A short one"), nbformat.v4.new_code_cell(SHORT)]
    nbformat.write(content, tmp_path / "short.ipynb")
    title, body = execute(tmp_path / "short.ipynb", committed.RESULTS)
    write_document(tmp_path / "page.html", title=title, body=body)
    check_page(tmp_path / "page.html")
    assert title == "A short one" and "One figure." in body


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_cell_runs_on_the_committed_results(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, where everything is imported; its figures are made, and drawn by the whole site's test."""
    shown: list[tuple[Any, dict[str, Any]]] = []

    def collect(*things: Any, **options: Any) -> None:
        shown.extend((thing, options) for thing in things)

    def undrawn(figure: Figure) -> str:
        assert figure.axes
        plt.close(figure)
        return "data:image/png;base64,"

    monkeypatch.setattr("kdshift.notebook.embed", undrawn)
    monkeypatch.setattr(IPython.display, "display", collect)
    monkeypatch.setenv(RESULTS_VARIABLE, str(committed.RESULTS))
    monkeypatch.chdir(FOLDER)
    names = {"__name__": "__main__"}
    for number, cell in enumerate(cells_of(name, "code")):
        exec(compile(cell.source, f"{name}, code cell {number}", "exec"), names)
    figures = [options for thing, options in shown if isinstance(thing, dict) and "image/png" in thing]
    assert figures and all(len(figure["metadata"]["image/png"]["alt"]) >= 10 for figure in figures)


@pytest.mark.slow
def test_the_site_has_every_notebook_whole_and_self_contained(tmp_path: Path) -> None:
    site = write_report(committed.RESULTS, tmp_path).parent
    index = (site / "index.html").read_text(encoding="utf-8")
    for name in NOTEBOOKS:
        check_page(site / f"{name}.html")
        assert f'href="{name}.html"' in index


def outputs(name: str) -> str:
    """Everything a committed notebook printed, as text."""
    texts = []
    for cell in cells_of(name, "code"):
        for output in cell.get("outputs", []):
            texts += [str(value) for kind, value in output.get("data", {}).items() if kind.startswith("text/")]
    return "\n".join(texts)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_committed_notebook_is_executed_and_without_errors(name: str) -> None:
    for cell in cells_of(name, "code"):
        assert cell.execution_count is not None, cell.source[:80]
        assert all(output.output_type != "error" for output in cell.outputs)


def test_the_claims_in_the_notebook_are_those_of_compare() -> None:
    assert as_markdown(committed.scores()) in outputs("4_side_by_side")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_prose_holds_no_typed_in_result(name: str) -> None:
    for cell in cells_of(name, "markdown"):
        assert not re.search(r"\d+\.\d+ ?(%|points|±)|±", cell.source), cell.source


def test_a_report_needs_results(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--results"):
        write_report(tmp_path / "nothing", tmp_path / "site")
