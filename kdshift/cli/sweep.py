"""`kdshift empirical sweep | status | table | tasks`: grids of runs, their state, their tables."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from kdshift.cli.distill import Compile, WeakTeacher
from kdshift.cli.engine_options import ONE_PROCESS, EngineOptions
from kdshift.cli.output import Json, duration, emit_json, emit_table, log_to_stderr
from kdshift.cli.progress import shown
from theory.errors import InputError

if TYPE_CHECKING:
    from empirical.tables.table import ResultTable

RESULTS = Path("results")
COMMITTED = Path("notebooks") / "results" / "text"
Results = Annotated[Path, Parameter(help="results directory, shared by sweeps")]


def sweep(
    preset: Annotated[str, Parameter(help="a preset (demo, table2-mnli, ...) or a TOML file")],
    /,
    *,
    results: Results = RESULTS,
    dry_run: Annotated[
        bool, Parameter(negative="", help="print the grid and an estimate of its cost, run nothing")
    ] = False,
    device: Annotated[
        str | None, Parameter(help="with --dry-run: estimate for a card that is not here, v100, a100 or h100")
    ] = None,
    retry_failed: Annotated[bool, Parameter(negative="", help="run failed runs again")] = False,
    engine: EngineOptions = ONE_PROCESS,
    compiled: Compile = False,
    accept_weak_teacher: WeakTeacher = False,
    json: Json = False,
) -> None:
    """Run a grid of runs, or go on with it: finished runs are skipped, so the same command is always safe.

    One GPU: `kdshift empirical sweep table2-mnli`. Four GPUs of a machine: the same. Ray: add `--cluster auto`.
    SLURM: add `--slurm slurm_partition=gpu gpus_per_node=1 timeout_min=600`. Ctrl-C once finishes the step and
    checkpoints, twice stops at once.
    """
    from empirical.sweeps.definition import load_sweep

    grid = load_sweep(preset)
    if dry_run:
        _dry_run(grid, json, device)
        return
    if device is not None:
        raise InputError("device", device, "only with --dry-run: a sweep runs on what is here")
    from empirical.runs.run import run_cohort
    from empirical.sweeps.engines import STOP
    from empirical.sweeps.execute import run_sweep

    log_to_stderr()
    chosen = engine.engine()
    run = partial(run_cohort, compiled=compiled, accept_weak_teacher=accept_weak_teacher)
    with shown() as progress:
        frame = run_sweep(grid, results, engine=chosen, retry_failed=retry_failed, progress=progress, run=run)
    counts = frame["status"].value_counts().to_dict()
    left = int(counts.get("left", 0))
    if json:
        emit_json({"preset": grid.name, "results": str(results), "counts": counts, "runs": frame.to_dict("records")})
    elif counts.get("finished", 0):
        _print_table(_table(grid, results))
    if STOP.is_set() and left:
        raise KeyboardInterrupt


def _dry_run(grid: Any, json: bool, device: str | None) -> None:
    from empirical.sweeps.devices import device_of
    from empirical.sweeps.estimate import estimate_sweep

    estimate = estimate_sweep(grid, None if device is None else device_of(device))
    if json:
        emit_json(estimate.summary())
        return
    columns = ("cell", "runs", "time a run", "memory")
    cells = [(f"first, the teacher: {cell.label}", cell) for cell in estimate.teachers]
    cells += [(cell.label, cell) for cell in estimate.cells]
    rows = [(label, cell.runs, duration(cell.seconds / cell.runs), f"{cell.gigabytes:.1f} GB") for label, cell in cells]
    first = f"{len(estimate.teachers)} teacher{'s' * (len(estimate.teachers) != 1)} first"
    total = f"{estimate.runs} runs in {len(estimate.cells)} cells, {first}"
    note = f"{total}: about {duration(estimate.seconds)} on one {estimate.device}, estimated"
    note += " from a short calibration" if device is None else " from its peak figure"
    emit_table(f"{grid.name}: {grid.title}", columns, rows, "\n".join((note, *estimate.notes)))


def status(
    name: Annotated[str | None, Parameter(help="one sweep; all in the directory by default")] = None,
    /,
    *,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """What of the sweeps in a results directory is done, running, failed and left, with the time left."""
    from empirical.runs.layout import SweepFiles
    from empirical.sweeps.status import recorded_sweep, sweep_status

    names = [name] if name is not None else SweepFiles.names(results)
    if not names:
        raise InputError("results", str(results), "a directory in which a sweep was started")
    states = [sweep_status(recorded_sweep(each, results), results) for each in names]
    if json:
        emit_json({"results": str(results), "sweeps": [vars(state) for state in states]})
        return
    rows = [
        (state.name, state.done, state.running, state.failed, state.left, duration(state.seconds_left))
        for state in states
    ]
    failures = [f"failed: {failure['run']} ({failure['reason']})" for state in states for failure in state.failures]
    units = [
        f"running on {unit['host']} ({unit['pid']}): {unit['stage']} {unit['done']}/{unit['total']}"
        for state in states
        for unit in state.active
    ]
    emit_table(
        str(results), ("sweep", "done", "running", "failed", "left", "time left"), rows, "\n".join(units + failures)
    )


def table(
    name: Annotated[str, Parameter(help="a sweep that was started in the results directory, or a preset")],
    /,
    *,
    results: Results = RESULTS,
    export: Annotated[Path | None, Parameter(help="also write the table to a .md, .csv or .tex file")] = None,
    json: Json = False,
) -> None:
    """A sweep's table beside the paper's, with 95 % intervals and how probably each row's best cell is the best."""
    from empirical.runs.layout import SweepFiles
    from empirical.sweeps.definition import load_sweep
    from empirical.sweeps.status import recorded_sweep
    from empirical.tables.export import export as write

    if name not in SweepFiles.names(results) and name in SweepFiles.names(COMMITTED):
        sys.stderr.write(f"no {name} in {results}: this is the table in {COMMITTED}\n")
        results = COMMITTED
    grid = recorded_sweep(name, results) if name in SweepFiles.names(results) else load_sweep(name)
    made = _table(grid, results)
    if export is not None:
        write(made, export)
    if json:
        cells = made.tidy().to_dict("records")
        emit_json({"title": made.title, "cells": cells, "notes": made.notes, "left": made.left, "failed": made.failed})
    else:
        _print_table(made)


def _table(grid: Any, results: Path) -> ResultTable:
    from empirical.tables.table import result_table

    return result_table(grid, results)


def _print_table(made: ResultTable) -> None:
    from empirical.tables.export import aligned_rows, cell_text

    rows = [(label, *(cell_text(cell) for cell in cells)) for label, cells in aligned_rows(made)]
    state = [f"not finished: {made.left} runs; failed: {made.failed}"] if made.left or made.failed else []
    emit_table(made.title, ("", *made.columns), rows, "\n".join([*state, *made.notes]))


def tasks(*, json: Json = False) -> None:
    """The known tasks: sizes, metric, licence, and which are available here. Files of one's own need no entry."""
    from empirical.tasks.load import TASKS, availability

    rows = [
        {
            "task": spec.name,
            "title": spec.title,
            "labels": spec.labels,
            "metric": spec.metric,
            "train": None if spec.train_size is None else spec.train_size.value,
            "test": None if spec.test_size is None else spec.test_size.value,
            "available": availability(spec),
            "licence": spec.licence,
            "note": spec.note,
        }
        for spec in TASKS.values()
    ]
    if json:
        emit_json({"tasks": rows})
        return
    columns = ("task", "title", "metric", "train", "test", "available", "licence")
    note = "Your own: the path of a CSV, TSV, JSONL or Parquet file with text,label or text_a,text_b,label."
    emit_table("Tasks", columns, [[row[column] for column in columns] for row in rows], note)
