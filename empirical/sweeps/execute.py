"""A sweep run: teachers first, then cohorts of runs, on an engine, resumed where it was, into one tidy table.

kdshift empirical sweep demo --results results
"""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from empirical.config import RunConfig
from empirical.files import write_atomically
from empirical.runs.record import read_result
from empirical.runs.run import Stopped, TeacherFailed, ensure_teacher, run_cohort, teacher_run
from empirical.sweeps.definition import Sweep, load_sweep
from empirical.sweeps.engines import STOP, Engine, interruptible
from empirical.sweeps.live_progress import watched
from empirical.sweeps.results import record_failure, run_place, sweep_frame, sweep_provenance, sweep_results
from empirical.sweeps.status import active_units, marked, record_sweep, sweep_folder
from empirical.training.cohort import cohort_key, read_task, uses_teacher
from theory.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

DISK = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT, errno.ENOTDIR, errno.EEXIST)


class CohortRunner(Protocol):
    """What trains a cohort: `empirical.runs.run.run_cohort`."""

    def __call__(
        self, configs: Sequence[RunConfig], root: Path, *, progress: Any = None, stop: Any = None
    ) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What an engine runs at once: a cohort's runs, or (`teacher`) the training of the teacher they need."""

    key: str
    runs: tuple[RunConfig, ...]
    teacher: bool = False


def run_sweep(
    sweep: Sweep,
    root: Path | str,
    *,
    engine: Engine | None = None,
    retry_failed: bool = False,
    progress: bool = True,
    run: CohortRunner = run_cohort,
) -> pd.DataFrame:
    """Run what is left of a sweep and return its table (see `empirical.sweeps.results.sweep_frame`).

    root: the results directory, shared by sweeps; finished runs in it are not run again, failed ones only if
    `retry_failed`. run: what trains a cohort. After Ctrl-C the table holds what is finished so far.
    Raises InputError for data or models that are not available (after everything else has run), and for a directory
    that cannot be written.
    """
    root, engine = Path(root), engine or Engine()
    folder = sweep_folder(sweep.name, root)
    try:
        if record_sweep(sweep, root):
            logger.warning(
                "sweep %s has changed: runs of its former grid stay in %s, not in its table", sweep.name, root
            )
        left = _left(sweep, root, retry_failed)
        _check_tasks(left)
        work = partial(run_unit, root=root, folder=folder, run=run)
        with interruptible(_announce), watched(sweep, root, enabled=progress and bool(left)):
            mistakes = _run_all(engine, work, _teachers(left), folder)
            mistakes += _run_all(engine, work, _cohorts(left), folder)
        results = sweep_results(sweep, root)
        frame = sweep_frame(sweep, root, results)
        _write_table(frame, folder / "results.parquet")
        write_atomically(folder / "provenance.json", json.dumps(sweep_provenance(sweep, results), indent=1) + "\n")
    except OSError as error:
        if error.errno not in DISK:
            raise
        raise InputError("results", str(root), f"a directory that can be written ({error.strerror})") from None
    _report(frame)
    if mistakes:
        raise mistakes[0]
    return frame


def run_unit(unit: Unit, force: bool = False, *, root: Path, folder: Path, run: CohortRunner) -> str:
    """Run one unit in this process: "done", "stopped", or "elsewhere" if another process is at it (unless `force`).

    A cohort that ends in an exception leaves its unfinished runs as failed ones with the reason. A user's mistake
    (InputError) and a disk that refuses to be written are raised: those runs stay unfinished.
    """
    left = [config for config in unit.runs if read_result(run_place(config, root), config) is None]
    if STOP.is_set() or not left:
        return "stopped" if left else "done"
    other = active_units(folder).get(unit.key)
    if other is not None and other["pid"] != os.getpid() and not force:
        return "elsewhere"
    names = [] if unit.teacher else [run_place(config, root).name for config in left]
    with marked(folder, unit.key, names) as marker:
        try:
            if unit.teacher:
                ensure_teacher(left[0], root, progress=marker.beat, stop=STOP.is_set)
            else:
                run(left, root, progress=marker.beat, stop=STOP.is_set)
        except Stopped:
            return "stopped"
        except TeacherFailed as error:
            _fail(left, root, str(error))
        except OSError as error:
            if error.errno in DISK:
                raise
            _fail(left, root, f"{type(error).__name__}: {error}")
        except InputError:
            raise
        except Exception as error:  # a failed run is a result: the sweep goes on and says so at the end
            logger.debug("a unit failed", exc_info=error)
            _fail(left, root, f"{type(error).__name__}: {error}")
    return "stopped" if STOP.is_set() else "done"


def _fail(runs: Iterable[RunConfig], root: Path, reason: str) -> None:
    for config in runs:
        if read_result(run_place(config, root), config) is None:
            record_failure(config, root, " ".join(reason.split()))


def _left(sweep: Sweep, root: Path, retry_failed: bool) -> list[RunConfig]:
    left = []
    for config in sweep.runs:
        directory = run_place(config, root)
        result = read_result(directory, config)
        if retry_failed and result is not None and result["status"] == "failed":
            (directory / "result.json").replace(directory / "result.failed.json")
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


def _run_all(engine: Engine, work: Callable[..., str], units: Sequence[Unit], folder: Path) -> list[InputError]:
    """Run the units and return the users' mistakes that were met.

    Units that another process is at come last, and are then run whatever their markers say: that costs time, not truth.
    """
    postponed: list[Unit] = []
    mistakes: list[InputError] = []
    for again in (False, True):
        for unit, outcome in engine.run(partial(work, force=again), postponed if again else units, folder / "jobs"):
            if outcome == "elsewhere":
                postponed.append(unit)
            elif isinstance(outcome, InputError):
                mistakes.append(outcome)
            elif isinstance(outcome, (OSError, KeyboardInterrupt)):
                raise outcome
            elif isinstance(outcome, BaseException):
                logger.warning("a worker died (%s): its runs are left, start the sweep again", type(outcome).__name__)
    return mistakes


def _announce() -> None:
    logger.warning("interrupted: finishing the step and writing a checkpoint; Ctrl-C again stops at once")


def _report(frame: pd.DataFrame) -> None:
    failed = frame[frame["status"] == "failed"]
    for _, row in failed.iterrows():
        logger.warning("failed: %s (%s)", row["run"], row["reason"])
    if len(failed):
        logger.warning("%d of %d runs failed; --retry-failed runs them again", len(failed), len(frame))


def _write_table(frame: pd.DataFrame, path: Path) -> None:
    draft = path.with_name(f"results.{os.getpid()}.parquet.new")
    frame.to_parquet(draft, index=False)
    draft.replace(path)


__all__ = ["Engine", "Sweep", "Unit", "load_sweep", "run_sweep", "run_unit"]
