"""`--workers`, `--cluster`, `--slurm`: where the units of a sweep or a study run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from kdshift.cli.lists import named_value
from theory.errors import InputError

if TYPE_CHECKING:
    from empirical.sweeps.engines import Engine


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """One of three, or none: one process a GPU, or this one."""

    workers: Annotated[int | None, Parameter(help="processes; by default one per GPU, or this one")] = None
    cluster: Annotated[str | None, Parameter(help="run on Ray: auto, or ray://host:port")] = None
    slurm: Annotated[
        list[str] | None,
        Parameter(consume_multiple=True, negative="", help="run as SLURM jobs; submitit's parameters as name=value"),
    ] = None

    def engine(self) -> Engine:
        """The engine that was asked for. Raises InputError for two of them, or options that mean nothing."""
        from empirical.sweeps.engines import Engine

        given = {"workers": self.workers, "cluster": self.cluster, "slurm": self.slurm}
        chosen = [name for name, value in given.items() if value is not None]
        if len(chosen) > 1:
            found = " and ".join(f"--{name}" for name in chosen)
            raise InputError("engine", found, "one of --workers, --cluster, --slurm")
        if self.workers is not None and self.workers < 1:
            raise InputError("workers", self.workers, "a whole number >= 1")
        if self.cluster is not None:
            return Engine(kind="ray", address=self.cluster)
        if self.slurm is not None:
            return Engine(kind="slurm", slurm=dict(_parameter(item) for item in self.slurm))
        return Engine(workers=self.workers)


def _parameter(item: str) -> tuple[str, Any]:
    name, value = named_value(item, "slurm", "name=value, as submitit's update_parameters takes them")
    return name, int(value) if value.isdigit() else value


ONE_PROCESS = EngineOptions()
