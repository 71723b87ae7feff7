"""What of a sweep is done, running, failed and left, with the time left, readable from any terminal.

    kdshift empirical status RESULTS

Workers leave a marker beside the sweep while a unit runs. Markers are information, never locks: a unit that two
workers run at once ends in the same result.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from pydantic import ValidationError

from empirical.config import RunConfig
from empirical.files import write_atomically
from empirical.runs.layout import SweepFiles, named_place, run_name
from empirical.runs.record import read_result
from empirical.runs.result import RunResult
from empirical.sweeps.definition import Sweep, load_sweep
from theory.errors import InputError

STALE_SECONDS = 600.0  # of a marker from another machine
BEAT_SECONDS = 2.0


class ActiveUnit(TypedDict):
    """What a worker's marker says: who works on which runs since when, and how far the present stage is."""

    host: str
    pid: int
    started: float
    runs: list[str]
    stage: str
    done: float
    total: float


@dataclass(frozen=True, kw_only=True)
class Status:
    """Counts of runs, and the seconds left at the mean speed of the finished ones (None before the first).

    active: the markers of units that are being worked on. failures: the `run` and `reason` of each failed run.
    """

    name: str
    done: int
    running: int
    failed: int
    left: int
    seconds_left: float | None
    active: tuple[ActiveUnit, ...]
    failures: tuple[dict[str, str], ...]


class Marker:
    """Says that this process works on these runs and how far it is, at most every two seconds."""

    def __init__(self, path: Path, runs: Sequence[str]) -> None:
        self.path, self.beaten = path, 0.0
        self.state = ActiveUnit(host=socket.gethostname(), pid=os.getpid(), started=time.time(), runs=list(runs),
                                stage="starting", done=0, total=0)  # fmt: skip

    def beat(self, stage: str, done: float, total: float, /) -> None:
        """Record progress; a disk that refuses the marker does not stop the run."""
        if time.monotonic() - self.beaten < BEAT_SECONDS and done < total:
            return
        self.beaten = time.monotonic()
        self.state["stage"], self.state["done"], self.state["total"] = stage, done, total
        with suppress(OSError):
            write_atomically(self.path, json.dumps(self.state))


@contextmanager
def marked(files: SweepFiles, unit: str, runs: Sequence[str]) -> Iterator[Marker]:
    """A marker of one unit while it runs."""
    marker = Marker(files.marker(unit), runs)
    marker.beat("starting", 0, 0)
    try:
        yield marker
    finally:
        with suppress(OSError):
            marker.path.unlink()


def active_units(files: SweepFiles) -> dict[str, ActiveUnit]:
    """The live markers of a sweep by unit: of this machine's living processes, or of others' recent ones."""
    active: dict[str, ActiveUnit] = {}
    for path in sorted(files.markers.glob("*.json")):
        with suppress(OSError, json.JSONDecodeError):
            state = json.loads(path.read_text("utf-8"))
            if _alive(state, path):
                active[path.stem] = state
    return active


def _alive(state: ActiveUnit, path: Path) -> bool:
    if state["host"] != socket.gethostname():
        return time.time() - path.stat().st_mtime < STALE_SECONDS
    try:
        os.kill(state["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def record_sweep(sweep: Sweep, root: Path) -> bool:
    """Write down the sweep's runs; true if the results directory held another version of it before."""
    path = SweepFiles.of(sweep.name, root).definition
    text = json.dumps(
        {
            "title": sweep.title,
            "protocol": sweep.protocol,
            "table": sweep.table,
            "runs": [run.model_dump(mode="json") for run in sweep.runs],
            "groups": list(sweep.groups),
        }
    )
    changed = path.exists() and path.read_text("utf-8") != text
    write_atomically(path, text)
    return changed


def recorded_sweep(name: str, root: Path) -> Sweep:
    """The sweep as it was last started in this results directory (the preset, where only its table is kept).

    Raises InputError if it never was, or if the file that says so is damaged.
    """
    known = SweepFiles.names(root)
    if name not in known:
        raise InputError("sweep", name, f"one that was started in {root}: {', '.join(known) or 'none'}")
    path = SweepFiles.of(name, root).definition
    if not path.is_file():
        return load_sweep(name)
    try:
        saved = json.loads(path.read_text("utf-8"))
        return Sweep(
            name=name,
            title=saved["title"],
            protocol=saved["protocol"],
            table=saved["table"],
            runs=tuple(RunConfig.model_validate(run) for run in saved["runs"]),
            groups=tuple(saved["groups"]),
        )
    except (json.JSONDecodeError, KeyError, TypeError, ValidationError) as error:
        reason = " ".join(str(error).split())
        raise InputError(str(path), reason, "the file as it was written (start the sweep again)") from None


class Lookout:
    """The state of a sweep, looked at again and again: configurations are named once, results read once.

    Raises InputError, when looking, for a folder that holds another configuration than its name says.
    """

    def __init__(self, sweep: Sweep, root: Path) -> None:
        self.sweep, self.root = sweep, root
        self.files = SweepFiles.of(sweep.name, root)
        self.runs = {run_name(run): run for run in sweep.runs}
        self.results: dict[str, RunResult] = {}

    def look(self) -> Status:
        """Counts, failures and a time estimate, from what is on the disk now."""
        for name in self.runs.keys() - self.results.keys():
            if (result := read_result(named_place(name, self.root), self.runs[name])) is not None:
                self.results[name] = result
        units = active_units(self.files)
        waiting = self.runs.keys() - self.results.keys()
        running = {name for state in units.values() for name in state["runs"]} & waiting
        done = [result for result in self.results.values() if result.finished]
        left = len(waiting) - len(running)
        spent = [result.wall_seconds for result in done if result.wall_seconds]
        mean = sum(spent) / len(spent) if spent else None
        ended = [(name, self.results[name]) for name in self.runs if name in self.results]
        return Status(
            name=self.sweep.name,
            done=len(done),
            running=len(running),
            failed=len(self.results) - len(done),
            left=left,
            seconds_left=None if mean is None else mean * (left + len(running) / 2) / max(1, len(units)),
            active=tuple(units.values()),
            failures=tuple({"run": name, "reason": result.reason} for name, result in ended if not result.finished),
        )


def sweep_status(sweep: Sweep, root: Path) -> Status:
    """Counts, failures and a time estimate of a sweep in a results directory, from what is on the disk now."""
    return Lookout(sweep, root).look()
