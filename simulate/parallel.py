"""Where units of work are computed: threads, processes or a Ray cluster, all through joblib (design, Engines)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import joblib
import torch

from simulate.experiment_config import Engine
from theory.errors import InputError, missing_extra

BACKEND = {"threads": "threading", "processes": "loky"}


def check_device(name: str) -> None:
    """Raise InputError if torch cannot compute on the device of this name here."""
    try:
        torch.zeros(1, device=name).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = " ".join(str(error).split(".")[0].split())
        raise InputError("--device", name, f"a torch device of this machine, such as cpu or cuda ({reason})") from None


def run_units(
    compute: Callable[..., Any],
    arguments: Sequence[tuple[Any, ...]],
    workers: int,
    engine: Engine,
    cluster: str | None = None,
) -> Iterator[Any]:
    """Results of `compute(*arguments[i])` as they finish, in any order.

    engine `cluster` hands the units to the Ray cluster at `cluster` (`auto`, `ray://host:port`); results then come at
    the end. Raises InputError if Ray is not installed or no cluster answers there.
    """
    tasks = (joblib.delayed(compute)(*each) for each in arguments)
    if engine == "cluster":
        yield from _on_cluster(tasks, cluster)
        return
    parallel = joblib.Parallel(n_jobs=workers, backend=BACKEND[engine], return_as="generator_unordered", batch_size=1)
    yield from parallel(tasks)


def _on_cluster(tasks: Iterator[Any], address: str | None) -> Iterator[Any]:
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError:
        raise missing_extra("ray", "cluster") from None
    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False)
        except ConnectionError:
            raise InputError("--cluster", address, "the address of a running Ray cluster") from None
    register_ray()
    with joblib.parallel_backend("ray"):
        yield from joblib.Parallel(n_jobs=-1, batch_size=1)(tasks)


@contextlib.contextmanager
def one_torch_thread() -> Iterator[None]:
    """Single-threaded torch inside, what it was afterwards: sums must not depend on how work is spread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
