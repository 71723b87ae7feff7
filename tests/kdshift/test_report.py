"""The report: notebooks run on the results that are given, one that cannot is named, the index leads to the rest."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier

import nbformat
import pytest

from kdshift import report
from kdshift.cli import main
from kdshift.notebook import NOTEBOOKS
from kdshift.report import execute
from theory.errors import InputError

READS = "import os, pathlib\nprint('found', pathlib.Path(os.environ['KDSHIFT_RESULTS'], 'number.txt').read_text())"


def notebook(folder: Path, name: str, source: str, title: str = "# A title\nmore") -> Path:
    content = nbformat.v4.new_notebook()
    content.cells = [nbformat.v4.new_markdown_cell(title), nbformat.v4.new_code_cell(source)]
    path = folder / f"{name}.ipynb"
    nbformat.write(content, path)
    return path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "number.txt").write_text("4711")
    return folder


def test_a_notebook_reads_the_results_and_shows_its_output_without_its_code(
    tmp_path: Path, results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    title, body = execute(notebook(tmp_path, "one", READS), results)
    assert "WARNING" not in capfd.readouterr().err, "the kernel's own words are not for the reader"
    assert title == "A title" and "found 4711" in body and "KDSHIFT_RESULTS" not in body


def test_a_notebook_that_cannot_read_its_tables_is_one_line(tmp_path: Path, results: Path) -> None:
    (results / "number.txt").unlink()
    with pytest.raises(InputError, match=r"--results.*tables that one\.ipynb can read \(FileNotFoundError") as told:
        execute(notebook(tmp_path, "one", READS), results)
    assert "Traceback" not in str(told.value)


def test_the_verb_writes_the_site_and_says_where(
    tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def executed(notebook: Path, results: Path) -> tuple[str, str]:
        if notebook.stem == "4_side_by_side":
            raise InputError("--results", str(results), "tables that it can read")
        return f"About {notebook.stem}", "<p>found 4711</p>"

    monkeypatch.setattr(report, "execute", executed)
    monkeypatch.setattr("kdshift.curve_sources.check_results", lambda results: None)  # the notebook's own file
    site = tmp_path / "site"
    try:
        main(["report", "--results", str(results), "--out", str(site), "--json"])
    except SystemExit as ended:
        assert not ended.code
    written = capsys.readouterr()
    assert str(site / "index.html") in written.out and written.out.count("\n") == 1
    assert {path.stem for path in site.iterdir()} == {"index", *NOTEBOOKS[:3]}
    index = (site / "index.html").read_text("utf-8")
    assert 'href="1_theory.html"' in index and "About 1_theory" in index
    assert 'href="4_side_by_side.html"' not in index and "not here: tables that it can read" in index
    assert "found 4711" in (site / "1_theory.html").read_text("utf-8")


def test_as_many_notebooks_run_at_once_as_there_are_processors(
    tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Barrier(len(NOTEBOOKS))
    monkeypatch.setattr(report.os, "cpu_count", lambda: len(NOTEBOOKS))
    monkeypatch.setattr(report, "execute", lambda notebook, results: (notebook.stem, str(together.wait(timeout=60))))
    seen: list[float] = []
    report.write_report(results, tmp_path / "site", progress=lambda label, done, total: seen.append(done))
    assert seen == [0, 1, 2, 3, 4]
    assert {path.stem for path in (tmp_path / "site").iterdir()} == {"index", *NOTEBOOKS}
