"""A sweep run: teachers first, then cohorts of runs, on an engine, resumed where it was, into one tidy table.

kdshift empirical sweep demo --results results
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from empirical.config import RunConfig
from empirical.files import UNWRITABLE, writable, write_atomically, write_frame
from empirical.runs.layout import RunFiles, SweepFiles, run_place
from empirical.runs.record import read_result
from empirical.runs.result import RunResult
from empirical.runs.run import Stopped, TeacherFailed, ensure_teacher, record_failure, run_cohort, teacher_run
from empirical.sweeps.definition import Sweep, load_sweep
from empirical.sweeps.engines import STOP, Engine, interruptible
from empirical.sweeps.live_progress import watched
from empirical.sweeps.results import sweep_frame, sweep_provenance, sweep_results
from empirical.sweeps.status import active_units, marked, record_sweep
from empirical.training.cohort import cohort_key, read_task, uses_teacher
from theory.errors import InputError
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


class CohortRunner(Protocol):
    """What trains a cohort: `empirical.runs.run.run_cohort`."""

    def __call__(
        self,
        configs: Sequence[RunConfig],
        root: Path,
        *,
        progress: Progress | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> list[RunResult]: ...


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What an engine runs at once: a cohort's runs, or (`teacher`) the training of the teacher they need.

    insist: run it even where a marker says that another process is at it.
    """

    key: str
    runs: tuple[RunConfig, ...]
    teacher: bool = False
    insist: bool = False


class Outcome(Enum):
    """How a unit ended in a worker. BUSY: another process is at it, so it was left alone."""

    DONE = auto()
    STOPPED = auto()
    BUSY = auto()


def run_sweep(
    sweep: Sweep,
    root: Path | str,
    *,
    engine: Engine | None = None,
    retry_failed: bool = False,
    progress: Progress | None = None,
    run: CohortRunner = run_cohort,
) -> pd.DataFrame:
    """Run what is left of a sweep and return its table (see `empirical.sweeps.results.sweep_frame`).

    root: the results directory, shared by sweeps; finished runs in it are not run again, failed ones only if
    `retry_failed`. run: what trains a cohort. After Ctrl-C the table holds what is finished so far.
    Raises InputError for data or models that are not available (after everything else has run), and for a directory
    that cannot be written.
    """
    root, engine = Path(root), engine or Engine()
    files = SweepFiles.of(sweep.name, root)
    with writable(root):
        if record_sweep(sweep, root):
            logger.warning(
                "sweep %s has changed: runs of its former grid stay in %s, not in its table", sweep.name, root
            )
        left = _left(sweep, root, retry_failed)
        _check_tasks(left)
        work = partial(run_unit, root=root, files=files, run=run)
        with interruptible(_announce), watched(sweep, root, progress if left else None):
            mistakes = _run_all(engine, work, _teachers(left), files)
            mistakes += _run_all(engine, work, _cohorts(left), files)
        results = sweep_results(sweep, root)
        frame = sweep_frame(sweep, root, results)
        write_frame(frame, files.table)
        write_atomically(files.provenance, json.dumps(sweep_provenance(sweep, results), indent=1) + "\n")
    _report(frame)
    if mistakes:
        raise mistakes[0]
    return frame


def run_unit(unit: Unit, *, root: Path, files: SweepFiles, run: CohortRunner) -> Outcome:
    """Run one unit in this process, unless another process is at it.

    A cohort that ends in an exception leaves its unfinished runs as failed ones with the reason. A user's mistake
    (InputError) and a disk that refuses to be written are raised: those runs stay unfinished.
    """
    left = [config for config in unit.runs if read_result(run_place(config, root), config) is None]
    if not left:
        return Outcome.DONE
    if STOP.is_set():
        return Outcome.STOPPED
    if not unit.insist and _others_are_at(unit, files):
        return Outcome.BUSY
    names = [] if unit.teacher else [run_place(config, root).name for config in left]
    with marked(files, unit.key, names) as marker:
        try:
            if unit.teacher:
                ensure_teacher(left[0], root, progress=marker.beat, stop=STOP.is_set)
            else:
                run(left, root, progress=marker.beat, stop=STOP.is_set)
        except Stopped:
            return Outcome.STOPPED
        except InputError:
            raise
        except TeacherFailed as error:
            _fail(left, root, str(error))
        except Exception as error:  # a failed run is a result: the sweep goes on and says so at the end
            if isinstance(error, OSError) and error.errno in UNWRITABLE:
                raise
            logger.debug("a unit failed", exc_info=error)
            _fail(left, root, f"{type(error).__name__}: {error}")
    return Outcome.STOPPED if STOP.is_set() else Outcome.DONE


def _others_are_at(unit: Unit, files: SweepFiles) -> bool:
    marker = active_units(files).get(unit.key)
    return marker is not None and marker["pid"] != os.getpid()


def _fail(runs: Iterable[RunConfig], root: Path, reason: str) -> None:
    for config in runs:
        if read_result(run_place(config, root), config) is None:
            record_failure(config, root, reason)


def _left(sweep: Sweep, root: Path, retry_failed: bool) -> list[RunConfig]:
    left = []
    for config in sweep.runs:
        files = RunFiles(run_place(config, root))
        result = read_result(files.folder, config)
        if retry_failed and result is not None and result.status == "failed":
            files.result.replace(files.former_failure)
            result = None
        if result is None:
            left.append(config)
    return left


def _check_tasks(runs: Iterable[RunConfig]) -> None:
    """Load each task once before anything is run: data that are missing or broken end here, in one line."""
    for task in dict.fromkeys(config.task for config in runs):
        read_task(task)


def _teachers(runs: Iterable[RunConfig]) -> list[Unit]:
    """One unit for each distinct teacher that is to be trained, with the runs that need it."""
    pupils: dict[str, list[RunConfig]] = {}
    for config in runs:
        if uses_teacher(config) and config.teacher_train is not None:
            pupils.setdefault(teacher_run(config).digest(), []).append(config)
    return [Unit(key=f"teacher-{key}", runs=tuple(members), teacher=True) for key, members in pupils.items()]


def _cohorts(runs: Iterable[RunConfig]) -> list[Unit]:
    """The runs by cohort, in the order in which the sweep first asks for each."""
    cohorts: dict[str, list[RunConfig]] = {}
    for config in runs:
        cohorts.setdefault(cohort_key(config), []).append(config)
    return [Unit(key=key, runs=tuple(members)) for key, members in cohorts.items()]


def _run_all(
    engine: Engine, work: Callable[[Unit], Outcome], units: Sequence[Unit], files: SweepFiles
) -> list[InputError]:
    """Run the units and return the users' mistakes that were met.

    Units that another process is at come last, and are then run whatever their markers say: that costs time, not truth.
    """
    busy, mistakes = _run_once(engine, work, units, files)
    _, more = _run_once(engine, work, [replace(unit, insist=True) for unit in busy], files)
    return mistakes + more


def _run_once(
    engine: Engine, work: Callable[[Unit], Outcome], units: Sequence[Unit], files: SweepFiles
) -> tuple[list[Unit], list[InputError]]:
    """The units that other processes are at, and the users' mistakes; a disk that refuses to be written is raised."""
    busy: list[Unit] = []
    mistakes: list[InputError] = []
    for unit, outcome in engine.run(work, units, files.jobs):
        if outcome is Outcome.BUSY:
            busy.append(unit)
        elif isinstance(outcome, InputError):
            mistakes.append(outcome)
        elif isinstance(outcome, (OSError, KeyboardInterrupt)):
            raise outcome
        elif isinstance(outcome, BaseException):
            logger.warning("a worker died (%s): its runs are left, start the sweep again", type(outcome).__name__)
    return busy, mistakes


def _announce() -> None:
    logger.warning("interrupted: finishing the step and writing a checkpoint; Ctrl-C again stops at once")


def _report(frame: pd.DataFrame) -> None:
    failed = frame[frame["status"] == "failed"]
    for _, row in failed.iterrows():
        logger.warning("failed: %s (%s)", row["run"], row["reason"])
    if len(failed):
        logger.warning("%d of %d runs failed; --retry-failed runs them again", len(failed), len(frame))


__all__ = ["Engine", "Outcome", "Sweep", "Unit", "load_sweep", "run_sweep", "run_unit"]
