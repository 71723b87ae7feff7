"""`kdshift demo`: bounds, a simulation, a teacher, a sweep of students, and one page with the three side by side."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import tomli_w

from empirical.sweeps.definition import load_sweep
from empirical.sweeps.execute import run_sweep
from kdshift import side_by_side as figures
from kdshift.claims import SOURCES, Scores, matrix, score_all
from kdshift.curve_sources import MAIN_PRESET, Sources, load_sources, side_by_side
from kdshift.html import Panel, embed, write_page
from simulate.experiment import run_experiment
from simulate.experiment_config import make_config, read_values
from theory import printed, repaired
from theory.errors import InputError
from theory.inference.verdict import RULE
from theory.progress_report import Progress

PAGE = "report.html"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a demo runs: one simulation per preset (with fewer cells in a hurry) and one sweep."""

    sweep: str
    simulation: Mapping[str, Any]
    presets: tuple[str, ...] = (MAIN_PRESET, "copied-labels-smaller-tau")


FULL = Plan(sweep="demo", simulation={})
QUICK = Plan(
    sweep="demo-quick",
    simulation={"data_size": [30, 300], "tau": [0.001, 0.03, 0.3, 3.0], "replicates": 4},
    presets=(MAIN_PRESET,),
)


def run_demo(out: Path, *, quick: bool = False, progress: Progress | None = None) -> dict[str, Any]:
    """Run (or finish) the demo under `out` and write `report.html`.

    Returns the page, the seconds this call took, the number of runs by status and the claims' verdicts. Raises
    InputError before any work where `out` holds a demo of another kind, or where a package of the extra is missing.
    """
    plan, started = (QUICK if quick else FULL), time.perf_counter()
    check_directory(out, plan)
    sweep = load_sweep(plan.sweep)
    for preset in plan.presets:
        config = make_config({**read_values(preset), **plan.simulation})
        run_experiment(config, out / "simulate" / preset, 2, progress)
    frame = run_sweep(sweep, out / "text", progress=progress)
    counts = {str(status): int(count) for status, count in frame["status"].value_counts().items()}
    sources = load_sources(out)
    scored = score_all(sources)
    write_demo_page(out / PAGE, sources, scored, plan, out)
    verdicts = {name: {source: found.verdict for source, found in row.items()} for name, row in scored.items()}
    seconds = round(time.perf_counter() - started, 1)
    return {"page": str(out / PAGE), "seconds": seconds, "runs": counts, "verdicts": verdicts}


def check_directory(out: Path, plan: Plan) -> None:
    """Record what kind of demo `out` holds; InputError if it holds another kind, or cannot be written."""
    marker = out / "demo.toml"
    if marker.is_file() and f'"{plan.sweep}"' not in marker.read_text(encoding="utf-8"):
        raise InputError("--out", str(out), f"a new directory, or one made by the same demo ({plan.sweep})")
    try:
        out.mkdir(parents=True, exist_ok=True)
        marker.write_text(tomli_w.dumps({"sweep": plan.sweep, "simulations": list(plan.presets)}), encoding="utf-8")
    except OSError as error:
        raise InputError("--out", str(out), f"a directory that can be written ({error.strerror})") from None
    if shutil.disk_usage(out).free < 2**30:
        raise InputError("--out", str(out), "a disk with at least 1 GiB free")


def write_demo_page(path: Path, sources: Sources, scored: Scores, plan: Plan, out: Path) -> None:
    """The page with the three side by side."""
    panels, found = [], side_by_side(sources)
    panels.append(
        Panel(
            name="error",
            title="Error against shift, at each data size",
            image=embed(figures.error_against_shift(found)),
            alt="Three panels of error against shift, one line a data size: " + "; ".join(found),
            caption="Bands: 95 % of the mean. Triangles: the best shift; horizontal bars: its 95 % interval.",
            command=commands(sources, plan, out),
        )
    )
    sized = {title: curves for title, (curves, _) in found.items() if len({curve.data_size for curve in curves}) > 1}
    if sized:
        panels.append(
            Panel(
                name="best",
                title="Best shift against data size",
                image=embed(figures.best_shift_against_size(sized)),
                alt="Best shift against data size with intervals: " + "; ".join(sized),
                caption="Bars: 95 % intervals of the best shift. Dashed: a power law, where one can be fitted.",
                command=commands(sources, plan, out),
            )
        )
    panels += [theorem_panel(), text_panel(sources, plan, out), claims_panel(scored, out)]
    write_page(
        path,
        title="How far to shift augmented text: theorem, simulation and real distillation",
        lead=[
            "A student distilled from a teacher on augmented data, seen three ways: the bound that holds in place of "
            "the paper's Theorem 1, the Gaussian model behind it, and real tweets with real weights.",
            "Intervals are 95 %. What one run on one machine cannot decide is called undecided.",
        ],
        panels=panels,
        provenance=provenance(),
    )


def commands(sources: Sources, plan: Plan, out: Path) -> str:
    """The commands that make the side-by-side panels."""
    return "\n".join(
        [
            "kdshift theory bounds --dimension 5 --epsilon 0.5 --delta 0.1",
            f"kdshift simulate run {MAIN_PRESET} --out {out / 'simulate' / MAIN_PRESET}",
            f"kdshift empirical sweep {plan.sweep} --results {out / 'text'}",
        ]
    )


def theorem_panel(epsilon: float = 0.5, delta: float = 0.1) -> Panel:
    """Theorem 1's two conditions beside what is necessary and what is enough."""
    rows = []
    for dimension in (2, 5, 10, 768):
        log_limit = float(printed.log_tau_limit(epsilon, dimension))
        asked = float(printed.data_size_smallest(epsilon, delta, dimension))
        floor = float(repaired.floor_over_tau(1e6, dimension))
        rows.append((f"{dimension}", f"e^{log_limit:.1f}", f"{asked:.4g}", f"{floor:.3f}"))
    return Panel(
        name="theorem",
        title="What Theorem 1 asks for, and what is true",
        text=[
            "The printed conditions allow a tau so small that the augmented data are isolated spikes; the distance "
            "between them and the truth is then close to its maximum of 2, for every training set.",
            "The last column holds for every tau: at the width of a text encoder no such bound says anything.",
        ],
        columns=(
            "dimension d",
            "printed limit of tau",
            "printed n at that limit",
            "least mean L1 distance at n = 10^6, any tau",
        ),
        rows=rows,
        command=f"kdshift theory bounds --dimension 2 --epsilon {epsilon} --delta {delta}\nkdshift theory audit",
    )


def text_panel(sources: Sources, plan: Plan, out: Path) -> Panel:
    """The sweep's accuracies with the error of the test set."""
    rows = []
    for supervision, label in (("teacher", "distillation"), ("copied_label", "fine-tuning")):
        for curve in sources.text(supervision):
            cells = [
                f"{100 * (1 - error):.1f} ± {100 * 1.96 * se:.1f}"
                for error, se in zip(curve.error, curve.error_se, strict=True)
            ]
            rows.append((f"{label}, n = {curve.data_size:,.0f}", *cells))
    texts = sources.text()
    shifts = texts[0].shift.tolist() if texts else []
    return Panel(
        name="text",
        title="Distilled tweets: accuracy by degree",
        text=[
            "Percent of the 4,000 test tweets, with 95 % of the test set's own error. Rows of one seed each: "
            "differences smaller than the interval are noise.",
        ],
        columns=("students", *(f"{100 * shift:g} %" for shift in shifts)),
        rows=[row for row in rows if len(row) == 1 + len(shifts)],
        command=f"kdshift empirical table {plan.sweep} --results {out / 'text'}",
    )


def claims_panel(scored: Scores, out: Path) -> Panel:
    """The paper's claims, scored on all four sources."""
    return Panel(
        name="claims",
        title="The paper's claims, scored",
        text=[RULE],
        columns=("claim", *SOURCES),
        rows=matrix(scored),
        words=True,
        command=f"kdshift compare --results {out}",
    )


def provenance() -> str:
    """Versions and machine of this page."""
    packages = ("kdshift", "numpy", "scipy", "torch", "transformers")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    return f"{versions}; Python {platform.python_version()}, {platform.machine()}"
