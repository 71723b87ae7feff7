"""What every study is: a validated configuration, a measurement, a reading of its table against what was predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from simulate.predictions import Reading
from theory.errors import unknown_name
from theory.progress_report import Progress
from theory.replacing import write_frame
from theory.settings_file import validated

KINDS = {
    "smoothed-l1": "smoothed_l1",
    "smoothed-w2": "smoothed_w2",
    "capacity-gap": "capacity_gap",
    "cross-fitting": "cross_fitting",
    "patience": "patience",
    "ridge-excess": "ridge_excess",
}


class StudyConfig(BaseModel):
    """What all studies share; `kind` names the module that runs it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    title: str = "study"
    replicates: int = Field(16, ge=2, description="independent replicates of every row")
    seed: int = Field(0, ge=0)


def study(kind: str) -> ModuleType:
    """The module of that kind; InputError with the nearest names otherwise.

    It has `Config` (a StudyConfig), `measure(config, progress)` -> the tidy table with a row a cell and replicate and
    the measurement in `value`, and `read(table, config)` -> the table against what was predicted.
    """
    if kind not in KINDS:
        raise unknown_name("kind", kind, KINDS)
    return import_module(f"simulate.studies.{KINDS[kind]}")


def grouped(
    table: pd.DataFrame, by: Sequence[str], sort: bool = True
) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Each combination of values of these columns, a tuple, with its rows; sorted, or in the order of the table."""
    for values, rows in table.groupby(list(by), sort=sort):
        yield tuple(values), rows


def make_study_config(values: Mapping[str, Any]) -> StudyConfig:
    """The validated configuration of a study; InputError names the field."""
    config: StudyConfig = validated(study(str(values.get("kind"))).Config, values)
    return config


def run_study(config: StudyConfig, out: Path, progress: Progress) -> tuple[pd.DataFrame, Reading]:
    """Measure, read, and write `table.parquet`, `config.toml` and what `Reading.write` keeps under `out`.

    A table that the same configuration left there is read anew, not measured anew.
    """
    module = study(config.kind)
    out.mkdir(parents=True, exist_ok=True)
    asked, kept = tomli_w.dumps(config.model_dump(exclude_none=True)), out / "config.toml"
    measured = out / "table.parquet"
    if not kept.exists() or kept.read_text(encoding="utf-8") != asked:
        measured.unlink(missing_ok=True)
        kept.write_text(asked, encoding="utf-8")
    if not measured.exists():
        write_frame(module.measure(config, progress), measured)
    table = pd.read_parquet(measured)
    reading: Reading = module.read(table, config)
    reading.write(out)
    return table, reading
