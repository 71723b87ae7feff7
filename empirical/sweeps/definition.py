"""A sweep as a grid: TOML files (packaged presets or one's own) that unfold into run configurations.

    kdshift empirical sweep table2-mnli --dry-run

A file holds `base` (a run's configuration) and blocks; each block may `set` parts of it and unfolds the product of its
`axes`, the first axis slowest. `extends` inherits another preset or file: `base` is merged, blocks are replaced,
`deviations` are added to.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from empirical.config import RunConfig, canonical, run_of
from theory.errors import InputError, unknown_name
from theory.settings_file import merged, parse_toml, read_toml, validated, with_none

SelectionProtocol = Literal["validation", "paper"]

AXES: dict[str, tuple[str, ...]] = {
    "task": ("task.name",),
    "mode": ("mode",),
    "data_size": ("data_size",),
    "augmenter": ("augment.augmenter",),
    "degree": ("augment.degree",),
    "copies": ("augment.copies",),
    "neighbours": ("augment.neighbours",),
    "learning_rate": ("train.learning_rate",),
    "steps": ("train.steps",),
    "seed": ("seed",),
    "data_seed": ("data_seed",),
    "replicate": ("seed", "data_seed"),
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Block(_Strict):
    """A product of axes over the base, some parts of which it may set."""

    name: str = Field("", description="what its rows are called in tables")
    set: dict[str, Any] = Field({}, description="parts of the run's configuration that this block changes")
    axes: dict[str, list[Any]] = Field(description="vocabulary names (or dotted fields) with their values")


class SweepFile(_Strict):
    """A sweep as its TOML file says it, before blocks become cells and cells become runs."""

    title: str = Field("", description="what the sweep shows")
    extends: str | None = Field(None, description="a preset or a file to inherit from")
    protocol: SelectionProtocol = Field(
        "validation", description="learning rate chosen on validation, or as in the paper on the evaluation set"
    )
    table: str | None = Field(None, description="the paper's table this sweep repeats")
    repeats: str = Field("", description="what of the paper it repeats, for people: Figure 1, Table 2 (MNLI)")
    deviations: tuple[str, ...] = Field((), description="where it may differ from the paper, each with the reason")
    base: dict[str, Any] = Field({}, description="the run's configuration that the blocks share")
    block: tuple[Block, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A named list of distinct runs in the order in which they are wanted.

    groups: the name of the block that first asked for each run. table: the paper's table it repeats, or None.
    repeats, deviations: what of the paper it repeats, and where it may differ (those it inherits first).
    """

    name: str
    title: str
    protocol: SelectionProtocol
    table: str | None
    runs: tuple[RunConfig, ...]
    groups: tuple[str, ...]
    repeats: str = ""
    deviations: tuple[str, ...] = ()

    def cells(self) -> dict[str, list[RunConfig]]:
        """The runs of each cell: a cell is one number of a table, its runs differ in seeds and learning rate only."""
        cells: dict[str, list[RunConfig]] = {}
        for run in self.runs:
            cells.setdefault(cell_key(run), []).append(run)
        return cells


def cell_key(run: RunConfig) -> str:
    """What names a cell: the run's configuration without its seeds and its learning rate."""
    train = run.train.model_copy(update={"learning_rate": 1.0})
    return run.model_copy(update={"seed": 0, "data_seed": 0, "train": train}).digest()


def preset_names() -> list[str]:
    """The packaged presets."""
    folder = resources.files("empirical.sweeps") / "presets"
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load_sweep(name: str | Path) -> Sweep:
    """The sweep of a packaged preset or of a TOML file (anything that ends in `.toml`).

    Raises InputError for an unknown preset, a file that is not valid, an axis or a value outside what is allowed.
    """
    file, where = _load_file(str(name), ())
    stem = Path(name).name.removesuffix(".toml")
    if not NAME.fullmatch(stem):
        raise InputError("sweep", stem, "a name of letters, digits, dot, dash and underscore")
    runs: dict[str, tuple[RunConfig, str]] = {}
    for block in file.block:
        for run in _unfold(where, file.base, block):
            runs.setdefault(run.digest(), (run, block.name))
    if not runs:
        raise InputError(where, "no runs", "at least one [[block]] with axes")
    if file.protocol == "validation" and len({run.train.learning_rate for run, _ in runs.values()}) > 1:
        if any(run.task.validation_size == 0 for run, _ in runs.values()):
            allowed = 'examples to choose the learning rate on, or protocol = "paper"'
            raise InputError(f"{where}: base.task.validation_size", 0, allowed)
    return Sweep(
        name=stem,
        title=file.title,
        protocol=file.protocol,
        table=file.table,
        runs=tuple(run for run, _ in runs.values()),
        groups=tuple(group for _, group in runs.values()),
        repeats=file.repeats,
        deviations=file.deviations,
    )


def _load_file(name: str, seen: tuple[str, ...], beside: Path | None = None) -> tuple[SweepFile, str]:
    if name in seen:
        raise InputError("extends", " -> ".join((*seen, name)), "a chain of files without a circle")
    values, where = _values(name, beside)
    file = validated(SweepFile, values, where)
    if file.extends is None:
        return file, where
    folder = Path(where).parent if name.endswith(".toml") else None
    parent, _ = _load_file(file.extends, (*seen, name), folder)
    fields = [field for field in ("title", "protocol", "table") if field in file.model_fields_set]
    own: dict[str, Any] = {field: getattr(file, field) for field in fields}
    deviations = (*parent.deviations, *file.deviations)
    inherited: dict[str, Any] = {**own, "base": merged(parent.base, file.base), "block": file.block or parent.block}
    return parent.model_copy(update={**inherited, "repeats": file.repeats, "deviations": deviations}), where


def _values(name: str, beside: Path | None) -> tuple[dict[str, Any], str]:
    """What a preset or a file says, and what to call it in messages."""
    if name.endswith(".toml"):
        path = Path(name) if beside is None or Path(name).is_absolute() else beside / name
        return read_toml(path, "sweep"), str(path)
    if name not in preset_names():
        raise unknown_name("sweep", name, preset_names())
    text = (resources.files("empirical.sweeps") / "presets" / f"{name}.toml").read_text("utf-8")
    return parse_toml(text, f"preset {name}"), f"preset {name}"


def _unfold(where: str, base: Mapping[str, Any], block: Block) -> Iterator[RunConfig]:
    settings = with_none(merged(base, block.set))
    for axis, values in block.axes.items():
        if axis not in AXES and "." not in axis:
            raise unknown_name(f"{where}: axis", axis, AXES)
        if not values:
            raise InputError(f"{where}: axis {axis}", values, "at least one value")
    for point in itertools.product(*block.axes.values()):
        raw = settings
        for axis, value in zip(block.axes, point, strict=True):
            for path in AXES.get(axis, (axis,)):
                raw = _placed(raw, path.split("."), with_none(value))
        yield canonical(run_of(raw, where))


def _placed(settings: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    head, *rest = path
    inner = settings.get(head)
    return {**settings, head: _placed(inner if isinstance(inner, Mapping) else {}, rest, value) if rest else value}


__all__ = ["AXES", "Block", "SelectionProtocol", "Sweep", "SweepFile", "canonical", "cell_key", "load_sweep",
           "preset_names"]  # fmt: skip
