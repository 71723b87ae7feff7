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
from typing import Any

from empirical.config import RunConfig
from empirical.runs.record import read_result
from empirical.sweeps.definition import Sweep, load_sweep
from empirical.sweeps.results import run_place
from theory.errors import InputError

STALE_SECONDS = 600.0  # of a marker from another machine
BEAT_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Status:
    """Counts of runs, and the seconds left at the mean speed of the finished ones (None before the first)."""

    name: str
    done: int
    running: int
    failed: int
    left: int
    seconds_left: float | None
    active: tuple[dict[str, Any], ...]
    failures: tuple[dict[str, str], ...]


def sweep_folder(name: str, root: Path) -> Path:
    """Where a sweep keeps its list of runs, its markers and its table."""
    return root / "sweeps" / name


class Marker:
    """Says that this process works on these runs and how far it is, at most every two seconds."""

    def __init__(self, path: Path, runs: Sequence[str]) -> None:
        self.path, self.beaten = path, 0.0
        self.state = {"host": socket.gethostname(), "pid": os.getpid(), "started": time.time(), "runs": list(runs)}

    def beat(self, stage: str, done: int, total: int) -> None:
        """Record progress; a disk that refuses the marker does not stop the run."""
        if time.monotonic() - self.beaten < BEAT_SECONDS and done < total:
            return
        self.beaten = time.monotonic()
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
            draft.write_text(json.dumps({**self.state, "stage": stage, "done": done, "total": total}), "utf-8")
            draft.replace(self.path)


@contextmanager
def marked(folder: Path, key: str, runs: Sequence[str]) -> Iterator[Marker]:
    """A marker of one unit while it runs."""
    marker = Marker(folder / "running" / f"{key}.json", runs)
    marker.beat("starting", 0, 0)
    try:
        yield marker
    finally:
        with suppress(OSError):
            marker.path.unlink()


def active_units(folder: Path) -> dict[str, dict[str, Any]]:
    """The live markers of a sweep by unit: of this machine's living processes, or of others' recent ones."""
    active = {}
    for path in sorted((folder / "running").glob("*.json")):
        with suppress(OSError, json.JSONDecodeError):
            state = json.loads(path.read_text("utf-8"))
            if _alive(state, path):
                active[path.stem] = state
    return active


def _alive(state: dict[str, Any], path: Path) -> bool:
    if state["host"] != socket.gethostname():
        return time.time() - path.stat().st_mtime < STALE_SECONDS
    try:
        os.kill(state["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def recorded_sweeps(root: Path) -> list[str]:
    """The sweeps that were started in a results directory, or whose table is kept there."""
    kept = {
        path.parent.name for name in ("sweep.json", "results.parquet") for path in (root / "sweeps").glob(f"*/{name}")
    }
    return sorted(kept)


def record_sweep(sweep: Sweep, root: Path) -> bool:
    """Write down the sweep's runs; true if the results directory held another version of it before."""
    path = sweep_folder(sweep.name, root) / "sweep.json"
    payload = {
        "title": sweep.title,
        "protocol": sweep.protocol,
        "table": sweep.table,
        "runs": [run.model_dump(mode="json") for run in sweep.runs],
        "groups": list(sweep.groups),
    }
    text = json.dumps(payload)
    changed = path.exists() and path.read_text("utf-8") != text
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"sweep.{os.getpid()}.json.new")
    draft.write_text(text, "utf-8")
    draft.replace(path)
    return changed


def recorded_sweep(name: str, root: Path) -> Sweep:
    """The sweep as it was last started in this results directory (the preset, where only its table is kept).

    Raises InputError if it never was.
    """
    path = sweep_folder(name, root) / "sweep.json"
    if name not in recorded_sweeps(root):
        raise InputError("sweep", name, f"one that was started in {root}: {', '.join(recorded_sweeps(root)) or 'none'}")
    if not path.is_file():
        return load_sweep(name)
    try:
        saved = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(str(path), str(error), "the file as it was written (start the sweep again)") from None
    runs = tuple(RunConfig.model_validate(run) for run in saved["runs"])
    return Sweep(
        name=name,
        title=saved["title"],
        protocol=saved["protocol"],
        table=saved["table"],
        runs=runs,
        groups=tuple(saved["groups"]),
    )


def sweep_status(sweep: Sweep, root: Path) -> Status:
    """Counts, failures and a time estimate of a sweep in a results directory, from what is on the disk now."""
    places = {run_place(run, root): run for run in sweep.runs}
    results = {place.name: read_result(place, run) for place, run in places.items()}
    units = active_units(sweep_folder(sweep.name, root))
    running = {name for state in units.values() for name in state["runs"] if results.get(name) is None}
    done = [result for result in results.values() if result is not None and result["status"] == "finished"]
    failed = {name: result for name, result in results.items() if result is not None and result["status"] != "finished"}
    left = len(results) - len(done) - len(failed) - len(running)
    spent = [result["wall_seconds"] for result in done if result.get("wall_seconds")]
    mean = sum(spent) / len(spent) if spent else None
    return Status(
        name=sweep.name,
        done=len(done),
        running=len(running),
        failed=len(failed),
        left=left,
        seconds_left=None if mean is None else mean * (left + len(running) / 2) / max(1, len(units)),
        active=tuple(units.values()),
        failures=tuple({"run": name, "reason": str(result.get("reason"))} for name, result in failed.items()),
    )
