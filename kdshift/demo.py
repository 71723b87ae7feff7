"""`kdshift demo`: bounds, a simulation, a teacher, light students on a bank, two networks, one page of findings."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from empirical.bank.study import load_study
from empirical.bank.study_run import StudyRun
from empirical.files import write_atomically
from empirical.runs.study_teachers import open_study
from empirical.sweeps.definition import load_sweep
from empirical.sweeps.execute import run_sweep
from kdshift.claims import score_all
from kdshift.curve_sources import MAIN_PRESET, load_sources
from kdshift.fit.baselines import BagOfWords
from kdshift.page.results_page import BASELINES, TITLE, write_results_page
from simulate.experiment import run_experiment
from simulate.experiment_config import make_config, read_values
from theory.errors import InputError
from theory.progress_report import Progress

PAGE = "report.html"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a demo runs: simulations (with fewer cells in a hurry), a study of light students, a sweep of networks.

    workers: processes for the simulations; few cells are done before a second process has started.
    """

    study: str
    sweep: str
    simulation: Mapping[str, Any]
    presets: tuple[str, ...] = (MAIN_PRESET,)
    workers: int = 2


FULL = Plan(study="curves-demo", sweep="demo", simulation={})
QUICK = Plan(
    study="curves-quick",
    sweep="demo-quick",
    simulation={"data_size": [30, 300], "tau": [0.001, 0.03, 0.3, 3.0], "replicates": 4},
    workers=1,
)


def run_demo(out: Path, *, quick: bool = False, progress: Progress | None = None) -> dict[str, Any]:
    """Run (or finish) the demo under `out` and write `report.html`.

    Returns the page, what it found in sentences, the seconds of all calls so far, the number of networks by status and
    the claims' verdicts. Raises InputError before any work where `out` holds a demo of another kind, or where a package
    of the extra is missing.
    """
    plan, started = (QUICK if quick else FULL), time.perf_counter()
    check_directory(out, plan)
    study = open_study(load_study(plan.study), plan.study, out, progress)
    for preset in plan.presets:
        config = make_config({**read_values(preset), **plan.simulation})
        run_experiment(config, out / "simulate" / preset, plan.workers, progress)
    study.run()
    write_baselines(study)
    frame = run_sweep(load_sweep(plan.sweep), out, progress=progress)
    counts = {str(status): int(count) for status, count in frame["status"].value_counts().items()}
    sources = load_sources(out)
    scored = score_all(sources)
    finished = frame[frame["status"] == "finished"]
    networks = [
        (f"two-layer student, {data_size:,.0f} texts, {degree:.0%} shifted", f"{100 * accuracy:.1f} %")
        for data_size, degree, accuracy in zip(
            finished["data_size"], finished["degree"], finished["accuracy"], strict=True
        )
    ]
    seconds = _seconds(out, time.perf_counter() - started)
    facts = [*networks, ("run time", f"{seconds / 60:.1f} min")]
    answer = write_results_page(out / PAGE, out, sources, scored, title=TITLE, facts=facts)
    verdicts = {name: {source: found.verdict for source, found in row.items()} for name, row in scored.items()}
    found = {"page": str(out / PAGE), "found": list(answer.sentences), "seconds": round(seconds, 1)}
    return {**found, "runs": counts, "verdicts": verdicts}


def write_baselines(study: StudyRun) -> None:
    """A bag of words on the gold labels of each size's first replicate: the accuracy that students have to beat."""
    path = study.folder / BASELINES
    if path.exists():
        return
    task, pool = study.bank.task, study.bank.pool
    scores = {}
    for size in study.study.sizes:
        split = pool.pool.split.take(range(size.data_size))
        guess_N = BagOfWords.fit(split, task.labels).predict_proba(pool.test.split.text_a).argmax(axis=1)
        scores[str(size.data_size)] = float((guess_N == pool.test.split.labels).mean())
    write_atomically(path, json.dumps({"bag_of_words": scores}) + "\n")


def check_directory(out: Path, plan: Plan) -> None:
    """Record what kind of demo `out` holds; InputError if it holds another kind, or cannot be written."""
    marker = out / "demo.toml"
    if marker.is_file() and f'"{plan.sweep}"' not in marker.read_text(encoding="utf-8"):
        raise InputError("--out", str(out), f"a new directory, or one made by the same demo ({plan.sweep})")
    try:
        out.mkdir(parents=True, exist_ok=True)
        marker.write_text(
            tomli_w.dumps({"sweep": plan.sweep, "study": plan.study, "simulations": list(plan.presets)}),
            encoding="utf-8",
        )
    except OSError as error:
        raise InputError("--out", str(out), f"a directory that can be written ({error.strerror})") from None
    if shutil.disk_usage(out).free < 2**30:
        raise InputError("--out", str(out), "a disk with at least 1 GiB free")


def _seconds(out: Path, spent: float) -> float:
    """Seconds of work of this demo over all calls: the first finished one says, later ones only read."""
    path = out / "seconds.json"
    if not path.exists():
        write_atomically(path, json.dumps(spent))
    return float(json.loads(path.read_text(encoding="utf-8")))
