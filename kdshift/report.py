"""`kdshift report`: execute the notebooks on a results directory and write them as a self-contained HTML site."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from kdshift.claims import score_all
from kdshift.curve_sources import load_sources
from kdshift.notebook import NOTEBOOKS, RESULTS_VARIABLE, notebook_folder
from kdshift.page.document import Cell, Table
from kdshift.page.results_page import TITLE, write_results_page
from kdshift.page.writing import write_document
from theory.errors import InputError, missing_extra
from theory.progress_report import Progress


def execute(notebook: Path, results: Path, timeout: int = 600) -> tuple[str, str]:
    """Run a notebook on `results` and return its title and its body as an HTML fragment with embedded figures."""
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
        from nbconvert import HTMLExporter
    except ImportError as error:
        raise missing_extra(error.name or "nbclient", "notebooks") from None
    content = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        content,
        timeout=timeout,
        resources={"metadata": {"path": str(notebook.parent)}},
        extra_arguments=["--log-level=ERROR"],  # a kernel on this machine need not warn of plain text on its sockets
    )
    try:
        client.execute(env=os.environ | {RESULTS_VARIABLE: str(results.resolve())})
    except CellExecutionError as error:
        reason = f"{error.ename}: {error.evalue}"
        raise InputError("--results", str(results), f"tables that {notebook.name} can read ({reason})") from None
    exporter = HTMLExporter(template_name="basic", exclude_input=True, exclude_output_prompt=True, embed_images=True)
    body, _ = exporter.from_notebook_node(content)
    first = next((cell.source for cell in content.cells if cell.cell_type == "markdown"), notebook.stem)
    return first.splitlines()[0].lstrip("# ").strip(), body


def write_report(results: Path, out: Path, *, notebooks: Path | None = None, progress: Progress | None = None) -> Path:
    """Execute the notebooks on `results` and write the site to `out`: the page of what was found, and the notebooks.

    A notebook whose tables are not there is left out and its place says so. As many notebooks run at once as there are
    processors, each in a kernel of its own. Returns the index page. Raises InputError where the results do not exist.
    """
    if not results.is_dir():
        raise InputError("--results", str(results), "an existing directory with simulate/, sweep and shift tables")
    folder = notebook_folder(notebooks)
    with _executing(folder, results, progress) as runs:
        sources = load_sources(results)  # while the kernels work
        scored = score_all(sources)
    rows: list[list[Cell]] = []
    for name, run in runs.items():
        try:
            title, body = run.result()
        except InputError as error:  # results that hold only some parts: their page says what is missing
            rows.append([Cell(text=name), Cell(text=f"not here: {error.allowed}")])
            continue
        write_document(out / f"{name}.html", title=title, body=body)
        rows.append([Cell(text=title, href=f"{name}.html"), Cell(text="executed on these results")])
    index = out / "index.html"
    table = Table(name="notebooks", title="The notebooks", columns=("notebook", "here"), rows=rows)
    write_results_page(index, results, sources, scored, title=TITLE, tables=[table])
    return index


@contextmanager
def _executing(folder: Path, results: Path, progress: Progress | None) -> Iterator[dict[str, Future[tuple[str, str]]]]:
    """Every notebook of the folder by its name, under way; at the end of the block all are executed or have failed."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        runs = {name: pool.submit(execute, folder / f"{name}.ipynb", results) for name in NOTEBOOKS}
        if progress is not None:
            progress("notebooks", 0, len(NOTEBOOKS))
        yield runs
        for done, _ in enumerate(as_completed(runs.values()), start=1):
            if progress is not None:
                progress("notebooks", done, len(NOTEBOOKS))
