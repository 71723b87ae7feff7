"""`kdshift empirical bank | curves`: a pool of augmented texts answered once, light students fitted on it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from kdshift.cli.engine_options import ONE_PROCESS, EngineOptions
from kdshift.cli.output import Json, check_figure, emit_json, emit_table, log_to_stderr

if TYPE_CHECKING:
    from empirical.bank.study_run import StudyRun
    from empirical.sweeps.engines import Engine

Results = Annotated[Path, Parameter(help="results directory: teachers, banks and curves get folders in it")]
Source = Annotated[
    str,
    Parameter(
        help="a preset (curves-quick, curves-demo, curves-tweets, curves-tweets-fresh, curves-full, augmenters-tweets) "
        "or a TOML file"
    ),
]
FORWARD_SAMPLE = 256  # texts on which the teacher's speed is measured for the estimate


def bank(
    preset: Source = "curves-demo",
    /,
    *,
    results: Results = Path("results"),
    dry_run: Annotated[bool, Parameter(negative="", help="only say how much there is to do")] = False,
    engine: EngineOptions = ONE_PROCESS,
    json: Json = False,
) -> None:
    """Make or extend a study's bank: augmented copies of its texts, each answered once by the teacher.

    The same command goes on where it was stopped; a larger study of the same texts only adds to the bank.
    """
    from empirical.bank.making import size_of

    began, chosen = time.perf_counter(), engine.engine()
    if dry_run:
        return _plan(preset, json)
    with opened(preset, results) as run:
        seconds = forward_seconds(run)
        texts = run.study.bank().answers
        sys.stderr.write(
            f"about {texts} answers at {1e3 * seconds:.1f} ms: {texts * seconds / 60:.1f} min if all are new\n"
        )
        if not (run.make_banks() if chosen.alone else _by_processes(run, preset, results, chosen, fit=False)):
            raise KeyboardInterrupt
    count = run.bank.count
    found = {
        "preset": preset,
        "task": run.bank.task.name,
        "folder": str(run.bank.folder),
        "answers": count.asked + count.kept,
        "teacher_calls": count.asked,
        "kept_answers": count.kept,
        "runtime": run.runtime,
        "bytes": size_of(run.bank.folder),
        "seconds": round(time.perf_counter() - began, 1),
    }
    if json:
        emit_json(found)
    else:
        rows = [[name.replace("_", " "), value] for name, value in found.items() if name != "runtime"]
        emit_table("The bank", ["", ""], rows, _told(run.runtime))


def curves(
    preset: Source = "curves-demo",
    /,
    *,
    results: Results = Path("results"),
    figure: Annotated[Path | None, Parameter(help="draw the curves into this file too")] = None,
    out: Annotated[
        Path | None, Parameter(help="keep the finished tables in this folder too, and how they were made")
    ] = None,
    engine: EngineOptions = ONE_PROCESS,
    json: Json = False,
) -> None:
    """Error against degree by light students on a bank: distance to the teacher, gains, exchange rates.

    Example: `kdshift empirical curves curves-demo`. The same command goes on where it was stopped.
    """
    from empirical.bank import summary
    from empirical.bank.agreement import agreements
    from empirical.bank.study_table import read_checks, read_noise

    if figure is not None:
        check_figure(figure)
    began, chosen = time.perf_counter(), engine.engine()
    with opened(preset, results) as run:
        if run.table is None and not chosen.alone and not _by_processes(run, preset, results, chosen, fit=True):
            raise KeyboardInterrupt
        asked, kept = run.bank.count.asked, run.bank.count.kept
        table = run.run()
        if chosen.alone:
            asked, kept = run.bank.count.asked, run.bank.count.kept
    if table is None:
        raise KeyboardInterrupt
    found = {
        "preset": preset,
        "task": run.bank.task.name,
        "teacher": run.teacher.name,
        "seconds": round(time.perf_counter() - began, 1),
        "teacher_calls": asked,
        "kept_answers": kept,
        "runtime": run.runtime,
        "curves": summary.curves(table, noise := read_noise(run.folder)),
        "equal_compute": summary.equal_compute(table, noise),
        "checks": [] if (checks := read_checks(run.folder)) is None else agreements(table, checks, noise),
        "folder": str(run.folder),
    }
    if out is not None:
        from empirical.runs.study_record import keep_study

        keep_study(run, Path(preset).stem, out)
    if figure is not None:
        from empirical.bank.degree_figure import draw

        draw(table, noise).savefig(figure, dpi=150)
    if json:
        emit_json(found)
    else:
        _print(found)


def _by_processes(run: StudyRun, preset: str, results: Path, engine: Engine, *, fit: bool) -> bool:
    """Make a study's bank, and fit its students, on an engine of several processes; whether it came to its end."""
    from empirical.sweeps.study_jobs import Opening, fit_parts, make_study_bank

    opens = Opening(study=run.study, name=Path(preset).stem, results=results)
    made = make_study_bank(run, opens, engine, run.progress)
    return made and (not fit or fit_parts(run, opens, engine, run.progress))


@contextmanager
def opened(preset: str, results: Path) -> Iterator[StudyRun]:
    """The study ready to run, its progress on standard error; Ctrl-C stops it where it can go on."""
    from empirical.bank.study import load_study
    from empirical.files import writable
    from empirical.sweeps.engines import STOP, interruptible
    from kdshift.cli.progress import shown

    log_to_stderr()
    study = load_study(preset)
    with interruptible(announce_stop), shown() as progress, writable(results):
        from empirical.runs.study_teachers import open_study

        yield open_study(study, Path(preset).stem, results, progress, STOP.is_set)


def announce_stop() -> None:
    """Say that Ctrl-C was heard."""
    sys.stderr.write("finishing what is under way ...\n")


def _plan(preset: str, json: bool) -> None:
    """What a bank would hold, without making anything."""
    from empirical.bank.study import load_study

    study = load_study(preset)
    plan = study.bank()
    found = {
        "preset": preset,
        "texts": plan.pool,
        "augmenters": [shift.augmenter for shift in plan.shifts],
        "answers": plan.answers,
        "sizes": [size.data_size for size in study.sizes],
    }
    if json:
        emit_json(found)
    else:
        rows = [
            [name, ", ".join(map(str, value)) if isinstance(value, list) else value] for name, value in found.items()
        ]
        emit_table("The bank that would be made", ["", ""], rows)


def forward_seconds(run: StudyRun) -> float:
    """Seconds a text of the teacher's forward pass on this machine, measured on some of the pool's texts."""
    import numpy as np

    corpus = run.bank.pool.pool.corpus
    batches = corpus.by_length(np.arange(min(FORWARD_SAMPLE, len(corpus))), 64)
    run.teacher.answer(corpus.batch(batches[0]))
    began = time.perf_counter()
    for index_B in batches:
        run.teacher.answer(corpus.batch(index_B))
    return (time.perf_counter() - began) / sum(len(index_B) for index_B in batches)


def worth(exchange: dict[str, Any]) -> str:
    """An exchange rate in words: as many real texts as n times the rate."""
    from empirical.bank.exchange import ExchangeRate

    return ExchangeRate(**exchange).times(form=".2g", unit=" n")


def _print(found: dict[str, Any]) -> None:
    """One row a curve: the best degree, what it saves, what it is worth in real texts."""
    rows = []
    for curve in found["curves"]:
        gain, exchange = curve["gain"], curve["exchange"]
        several = curve["replicates"] > 1
        rows.append(
            [
                f"{curve['augmenter']}, {curve['student']}" + ", labels" * (curve["mode"] == "finetune"),
                curve["data_size"],
                curve["replicates"],
                f"{curve['distance'][0]:.4f}",
                f"{gain['degree']:.0%}",
                f"{gain['distance']:.4f}",
                f"{gain['low']:.4f}, {gain['high']:.4f}" if several else "-",
                f"{gain['detectable']:.4f}" if several else "-",
                "-" if exchange is None else worth(exchange),
            ]
        )
    columns = ["student", "n", "times", "at 0", "best", "gain", "95 %", "80 %", "worth"]
    note = (
        f"teacher asked {found['teacher_calls']} texts, {found['kept_answers']} answers were kept; {found['folder']}\n"
        "gain: simultaneous over the degrees; 80 %: a gain that would be found four times in five\n"
        "worth: real unlabelled texts that do as much" + _told(found["runtime"])
    )
    emit_table(f"Distance to the teacher on held-out texts: {found['task']}", columns, rows, note)
    if found["checks"]:
        _print_checks(found["checks"])


def _told(runtime: dict[str, Any] | None) -> str:
    """How a teacher that PyTorch does not run differs from its network, in a line; empty of the network itself."""
    if runtime is None:
        return ""
    return (
        f"\nteacher {runtime['name']}: accuracy {runtime['accuracy']:.1%} where its network has "
        f"{runtime['network_accuracy']:.1%}, {runtime['agreement']:.1%} equal labels, logits at most "
        f"{runtime['largest_difference']:.2g} apart ({runtime['texts']} validation texts)"
    )


def _print_checks(checks: list[dict[str, Any]]) -> None:
    """One row a network and augmenter: its gain, its best degree beside the light student's, what the latter costs."""
    rows = [
        [
            f"{check['augmenter']}, {check['student']}",
            check["data_size"],
            check["replicates"],
            f"{check['best']:.0%}",
            f"{check['light_best']:.0%}",
            f"{check['gain']['distance']:.4f} ({check['gain']['low']:.4f}, {check['gain']['high']:.4f})",
            f"{check['regret']['distance']:.4f} (at most {check['regret']['high']:.4f})",
        ]
        for check in checks
    ]
    columns = ["network", "n", "times", "best", "light", "gain, 95 %", "regret"]
    note = "light: the static student's best degree; regret: what the network loses by taking it for its own"
    emit_table("Does the light students' degree carry over?", columns, rows, note)
