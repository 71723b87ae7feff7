"""The page of a results directory: what was found, baselines, three linked views, the claims with links to evidence.

kdshift demo        (its report.html)        kdshift report --results DIR        (its index.html)
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from empirical.bank.exchange import ExchangeRate
from empirical.runs.layout import teachers_folder
from empirical.runs.record import read_result
from kdshift.claims import CLAIMS, SOURCES, Scores
from kdshift.curve_sources import MAIN_PRESET, Sources
from kdshift.ladder.folder import TABLE as LADDER_TABLE
from kdshift.ladder.folder import Ladder, load_ladder
from kdshift.ladder.ladder_reading import augmenters_of
from kdshift.ladder.rungs import RUNGS
from kdshift.page import charts, frames
from kdshift.page.answer import PLAIN, findings, sentences, worth
from kdshift.page.document import Answer, Cell, Control, Drawn, Table, View, write_interactive
from theory.inference.verdict import RULE, Evidence, brief_effect

TITLE = "How far to shift augmented text: theorem, simulation and real distillation"
BASELINES = "baselines.json"
STUDENT = "static"
SYMBOLS = {
    "supported": "yes",
    "contradicted": "no",
    "negligible": "no: below half a point",
    "undecided": "open",
    "depends": "depends",
    "not measured": "–",
}
MISSING = {
    "simulation": f"kdshift simulate run {MAIN_PRESET}",
    "text": "kdshift empirical curves curves-demo",
    "ladder": "kdshift ladder",
}


def write_results_page(
    path: Path,
    results: Path,
    sources: Sources,
    scored: Scores,
    *,
    title: str,
    facts: Sequence[tuple[str, str]] = (),
    tables: Sequence[Table] = (),
) -> Answer:
    """Write the page of `results` to `path` and return what it opens with.

    facts: further named figures for its head (a demo's run time). tables: further tables below the claims.
    A part that was not run says how to make it.
    """
    distance = frames.text_curves(sources.light, STUDENT)
    accuracy = frames.text_curves(sources.light_error, STUDENT)
    found = findings(distance, accuracy)
    said = [*sentences(found), *worth(sources.exchange, STUDENT)]
    answer = Answer(sentences=said, facts=[*baselines(results), *facts])
    augmenters = list(dict.fromkeys(item.augmenter for item in distance))
    ladder = _kept_ladder(results / "ladder")
    views = [
        _text_view(distance, accuracy, augmenters, sources.shift, curves_command(results)),
        _simulation_view(sources),
        _theory_view(),
        _ladder_view(ladder),
    ]
    controls = [
        Control(kind="radio", signal="measure", label="text is measured by", choices=["distance", "accuracy"]),
        Control(kind="radio", signal="axis", label="along", choices=["degree", "tau"]),
        *([Control(kind="check", signal="shown", label="augmenters", choices=augmenters)] if augmenters else []),
        Control(kind="range", signal="data_size", label="theory: n", choices=list(frames.SIZES), start=2),
        Control(kind="range", signal="dimension", label="theory: d", choices=list(frames.DIMENSIONS), start=2),
        *([] if ladder is None else [_ladder_control(ladder)]),
    ]
    write_interactive(
        path,
        title=title,
        answer=answer,
        controls=controls,
        views=views,
        tables=[claims_table(scored), *worth_table(sources.exchange, curves_command(results)), *tables],
        provenance=provenance(),
    )
    return answer


def baselines(results: Path) -> list[tuple[str, str]]:
    """The teacher's accuracy and a bag of words on gold labels, where `results` knows them."""
    facts: list[tuple[str, str]] = []
    folders = [path.parent for path in sorted(teachers_folder(results).glob("*/result.json"))]
    kept = [result for folder in folders if (result := read_result(folder)) is not None and result.finished]
    taught = [float(result.test["accuracy"]) for result in kept if "accuracy" in result.test]
    for made in _provenances(results):
        teacher = made.get("teacher")
        if isinstance(teacher, dict) and "accuracy_test" in teacher:
            taught.append(float(teacher["accuracy_test"]))
    if taught:
        facts.append(("the teacher's accuracy", f"{100 * max(taught):.1f} %"))
    for path in sorted(results.rglob(BASELINES)):
        for size, value in json.loads(path.read_text(encoding="utf-8"))["bag_of_words"].items():
            facts.append((f"bag of words, {int(size):,} gold labels", f"{100 * value:.1f} %"))
    return facts


def _provenances(results: Path) -> Iterator[dict[str, Any]]:
    """How each table of `results` that says so was made."""
    for path in sorted(results.rglob("provenance.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


def curves_command(results: Path) -> str:
    """The command that made the curves of light students in `results`, or one that makes some."""
    for made in _provenances(results):
        command = made.get("command")
        if isinstance(command, str) and "empirical curves" in command:
            return command
    return MISSING["text"]


def _text_view(
    distance: Sequence[frames.TextCurve],
    accuracy: Sequence[frames.TextCurve],
    augmenters: Sequence[str],
    shift: pd.DataFrame | None,
    command: str,
) -> View:
    title = "Text: what shifting gains over none, by share of words changed"
    if not distance:
        return View(name="text", title=title, charts=[], text=[f"Not measured here. Make it: {command}"])
    frame = pd.concat(
        [
            frames.gain_frame(distance, "distance", shift, command),
            frames.gain_frame(accuracy, "accuracy", shift, command),
        ]
    )
    drawn = [
        Drawn.of(f"gain-{size}", f"{size:,} texts", charts.gain_chart(frame, augmenters, size))
        for size in sorted(frame["data_size"].unique())
    ]
    said = [
        "Distance: mean difference of class probabilities between student and teacher on texts that nobody trained on.",
        "Bands are 95 %, simultaneous over the degrees, paired by replicate: a point whose band lies above the dashed "
        "line helps.",
    ]
    return View(name="text", title=title, charts=drawn, text=said, command=command)


def _simulation_view(sources: Sources) -> View:
    curves = sources.simulation(MAIN_PRESET)(variant="isotropic")
    title, command = "Simulation: Gaussian data, a teacher that is right near the data only", MISSING["simulation"]
    if not curves:
        return View(name="simulation", title=title, charts=[], text=[f"Not measured here. Make it: {command}"])
    chart = charts.simulation_chart(frames.simulation_frame(curves, command))
    drawn = Drawn.of("simulation", "Error falls with tau, then rises: too small a shift wastes the teacher", chart)
    return View(name="simulation", title=title, charts=[drawn], command=command)


def _theory_view() -> View:
    chart = charts.theory_chart(frames.theory_frame(), frames.SIZES[2], frames.DIMENSIONS[2])
    drawn = Drawn.of("theory", "The bound that holds, split into its two parts", chart)
    said = [
        "A teacher right within 0.05 on 95 % of the data. Move d to 20, about what text measures: the bound stays near "
        "1 and has no useful optimum, so there the theory is silent about text.",
    ]
    command = "kdshift theory bounds --dimension 5 --data-size 300 --epsilon 0.5 --delta 0.1"
    return View(name="theory", title="Theory: the repaired bound", charts=[drawn], text=said, command=command)


def _kept_ladder(folder: Path) -> Ladder | None:
    return load_ladder(folder) if (folder / LADDER_TABLE).is_file() else None


def _ladder_view(ladder: Ladder | None) -> View:
    command, title = MISSING["ladder"], "The ladder: from the theorem's Gaussian to distilled text, one change a rung"
    if ladder is None:
        return View(name="ladder", title=title, charts=[], text=[f"Not measured here. Make it: {command}"])
    command = f"{command} {ladder.facts['preset']}"
    frame, augmenters = frames.ladder_gain_frame(ladder, command), augmenters_of(ladder.table)
    drawn = [
        Drawn.of(f"rung-{rung.name}", f"{number}. {rung.title}", charts.rung_chart(mine, augmenters, rung.title))
        for number, rung in enumerate(RUNGS, start=1)
        if len(mine := frame[frame["rung"] == rung.name])
    ]
    return View(name="ladder", title=title, charts=drawn, text=list(ladder.sentences), command=command)


def _ladder_control(ladder: Ladder) -> Control:
    return Control(
        kind="radio", signal="ladder", label="ladder: tokens changed by", choices=augmenters_of(ladder.table)
    )


def worth_table(rates: Mapping[tuple[str, str, int], ExchangeRate], command: str) -> list[Table]:
    """What each augmenter's best degree is worth in real unlabelled texts, a table; none where it was not tried."""
    mine = {(name, n): rate for (student, name, n), rate in rates.items() if student == STUDENT}
    if not mine:
        return []
    sizes = sorted({n for _, n in mine})
    rows = [
        [
            Cell(text=PLAIN.get(name, name)),
            *(Cell(text=mine[name, n].times(n) if (name, n) in mine else "–") for n in sizes),
        ]
        for name in dict.fromkeys(name for name, _ in mine)
    ]
    return [
        Table(
            name="worth",
            title="What augmented copies are worth in real texts",
            columns=("augmenter", *(f"of {n:,} texts" for n in sizes)),
            rows=rows,
            text=[
                "Real unlabelled texts with the teacher's answers that bring the student as near to its teacher as the "
                "augmenter does at its best degree, with 95 % intervals; 0: not distinguishable from none. "
                "Augmentation competes with such texts, where there are any."
            ],
            command=command,
        )
    ]


def claims_table(scored: Scores, command: str = "kdshift compare") -> Table:
    """The claims with a badge a source; a badge leads to the view with its evidence, its hint has the numbers."""
    rows = []
    for claim in CLAIMS:
        cells = [Cell(text=claim.statement, hint=claim.section)]
        cells += [_badge(source, scored[claim.name][source]) for source in SOURCES]
        rows.append(cells)
    return Table(
        name="claims",
        title="The paper's claims, scored by one rule",
        columns=("claim", *SOURCES),
        rows=rows,
        text=[RULE],
        command=command,
    )


def _badge(source: str, found: Evidence) -> Cell:
    effect = "" if found.effect is None else f" {brief_effect(found)}"
    hint = "; ".join(part for part in (f"{found.verdict}{effect} {found.unit}".strip(), found.note) if part)
    text = SYMBOLS.get(found.verdict, found.verdict) + effect
    measured = found.effect is not None
    style = found.verdict if found.verdict in SYMBOLS and measured else "unmeasured"
    return Cell(text=text, style=style, hint=hint, href=f"#{source}" if measured and source != "paper" else "")


def provenance() -> str:
    """Versions and machine of this page."""
    packages = ("kdshift", "numpy", "scipy", "torch", "transformers")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    return f"{versions}; Python {platform.python_version()}, {platform.machine()}"
