"""Where the units of a sweep run: this process, one process per GPU, a Ray cluster, or SLURM jobs.

    kdshift empirical sweep PRESET [--cluster auto | --slurm]

A unit is a cohort of runs that share one teacher pass. The store of run directories makes each unit idempotent; the
engine's library owns scheduling, retries and dead workers.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from theory.errors import InputError, missing_extra

STOP = threading.Event()
RAY_RETRIES = 3  # of a unit whose worker or node died

Unit = TypeVar("Unit")
Outcome = TypeVar("Outcome")
Reports = Iterator[tuple[Unit, Outcome | BaseException]]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Which engine runs the units, and how.

    kind: "local", "ray" or "slurm". workers: processes of the local engine (None: one per GPU, or this process).
    address: of the Ray cluster ("auto", "ray://host:port"). slurm: submitit's parameters (partition, timeout_min ...);
    executor: submitit's executor, "slurm", or "local" for the same jobs as processes of this machine.
    """

    kind: str = "local"
    workers: int | None = None
    address: str = "auto"
    slurm: Mapping[str, Any] = field(default_factory=dict)
    executor: str = "slurm"

    @property
    def alone(self) -> bool:
        """Whether its units run in this process, one after the other."""
        return self.kind == "local" and (self.workers or max(1, gpu_count())) == 1

    def run(self, work: Callable[[Unit], Outcome], units: Sequence[Unit], folder: Path) -> Reports[Unit, Outcome]:
        """Each unit with what `work` returned for it, or the exception it ended with, in the order in which they end.

        folder: where SLURM jobs keep their files (on the shared file system). `work` must be picklable.
        Raises InputError for an engine that does not exist, or whose package is missing.
        """
        if not units:
            return iter(())
        if self.kind == "local":
            if self.alone:
                return _here(work, units)
            return _processes(work, units, self.workers or gpu_count())
        if self.kind == "ray":
            return _ray(work, units, self.address)
        if self.kind == "slurm":
            return _submitit(work, units, folder, self.executor, self.slurm)
        raise InputError("engine", self.kind, "local, ray or slurm")


@contextmanager
def interruptible(announce: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C once sets STOP (runs finish their step and checkpoint), twice raises KeyboardInterrupt at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def first(signum: int, frame: object) -> None:
        STOP.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        announce()

    STOP.clear()
    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def gpu_count() -> int:
    """How many GPUs this machine offers."""
    import torch

    return torch.cuda.device_count()


def _here(work: Callable[[Unit], Outcome], units: Sequence[Unit]) -> Reports[Unit, Outcome]:
    for unit in units:
        if STOP.is_set():
            return
        try:
            yield unit, work(unit)
        except Exception as error:  # told as other engines tell it
            yield unit, error


def _processes(work: Callable[[Unit], Outcome], units: Sequence[Unit], workers: int) -> Reports[Unit, Outcome]:
    """A pool of processes, one per GPU. A process that dies breaks its pool: what was left gets pools of its own."""
    orphans = []
    for unit, outcome in _pool(work, units, min(workers, len(units))):
        if isinstance(outcome, BrokenProcessPool):
            orphans.append(unit)
        else:
            yield unit, outcome
    for unit in orphans:  # one of them killed the pool; the others must not die with it
        if STOP.is_set():
            return
        yield from _pool(work, [unit], 1)


def _pool(work: Callable[[Unit], Outcome], units: Sequence[Unit], workers: int) -> Reports[Unit, Outcome]:
    context = get_context("spawn")
    slots = context.Queue()
    for slot in range(workers):
        slots.put(slot)
    with ProcessPoolExecutor(workers, context, _place, (slots, gpu_count())) as pool:
        futures = {pool.submit(work, unit): unit for unit in units}
        for future in as_completed(futures):
            yield futures[future], future.exception() or future.result()


def _place(slots: Any, gpus: int) -> None:
    """First in a worker process: take a slot, see that slot's GPU only, heed Ctrl-C as the parent does."""
    slot = slots.get()
    if gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(slot % gpus)

    def first(signum: int, frame: object) -> None:
        STOP.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, first)


def _ray(work: Callable[[Unit], Outcome], units: Sequence[Unit], address: str) -> Reports[Unit, Outcome]:
    try:
        import ray
    except ImportError:
        raise missing_extra("ray", "cluster") from None
    if not ray.is_initialized():
        _check_reachable(address)
        try:
            ray.init(address=address, log_to_driver=False)
        except ConnectionError as error:
            raise InputError("cluster", address, f"the address of a running Ray cluster ({error})") from None

    def one(unit: Unit) -> Outcome:
        return work(unit)

    resources: dict[str, float] = ray.cluster_resources()
    gpus = 1 if resources.get("GPU", 0) else 0
    task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=RAY_RETRIES, retry_exceptions=False)(one)
    pending = {task.remote(unit): unit for unit in units}
    while pending:
        ready, _ = ray.wait(list(pending), num_returns=1, timeout=0.5)
        for reference in ready:
            unit = pending.pop(reference)
            try:
                yield unit, ray.get(reference)
            except ray.exceptions.RayError as error:
                yield unit, error
        if STOP.is_set():
            for reference in pending:
                ray.cancel(reference)
            return


def _check_reachable(address: str) -> None:
    """Refuse an address at which nothing listens: Ray itself would try for eight minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto" or (host and not port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise InputError(
            "cluster", address, f"auto, or the address host:port of a running Ray cluster ({error})"
        ) from None


def _submitit(
    work: Callable[[Unit], Outcome], units: Sequence[Unit], folder: Path, executor: str, options: Mapping[str, Any]
) -> Reports[Unit, Outcome]:
    try:
        import submitit
    except ImportError:
        raise missing_extra("submitit", "cluster") from None
    folder.mkdir(parents=True, exist_ok=True)
    try:
        jobs_of = submitit.AutoExecutor(folder=folder, cluster=executor)
        jobs_of.update_parameters(**{"timeout_min": 24 * 60, **options})
    except (RuntimeError, NameError, TypeError) as error:
        raise InputError("slurm", dict(options), f"submitit's parameters where SLURM runs ({error})") from None
    with jobs_of.batch():
        jobs = [jobs_of.submit(Requeued(work), unit) for unit in units]
    pending = dict(zip(jobs, units, strict=True))
    while pending and not STOP.is_set():  # after Ctrl-C the jobs go on; the same command picks up their results
        for job in [job for job in pending if job.done()]:
            yield pending.pop(job), job.exception() or job.result()
        time.sleep(0.2)


@dataclass(frozen=True)
class Requeued:
    """A job that SLURM may pre-empt: it is submitted again with the same unit, whose runs go on from checkpoints."""

    work: Callable[[Any], Any]

    def __call__(self, unit: Any) -> Any:
        return self.work(unit)

    def checkpoint(self, unit: Any) -> Any:
        import submitit

        return submitit.helpers.DelayedSubmission(self, unit)
