"""A grid of cells -> one tidy table, with every replicate kept beside it: `kdshift simulate run PRESET --out DIR`.

The unit of work is a block of replicates of one family (all tau). Finished units are kept by joblib's Memory under the
results directory and never computed again; a unit that fails marks its cells failed and the rest goes on.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import torch

from simulate.cell import MEASURES, simulate_block
from simulate.distance import measure_distances
from simulate.experiment_config import GROWING, Engine, ExperimentConfig, Family
from simulate.parallel import check_device, one_torch_thread, run_units
from simulate.truth import bayes_error
from theory.errors import InputError
from theory.progress_report import Progress
from theory.replacing import write_atomically, write_frame


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Replicates start .. stop - 1 of a family; `distance` measures the mixture itself instead of a student."""

    family: Family
    start: int
    stop: int
    distance: bool = False


def run_experiment(
    config: ExperimentConfig,
    out: Path,
    workers: int = 1,
    progress: Progress | None = None,
    engine: Engine = "threads",
    cluster: str | None = None,
) -> pd.DataFrame:
    """Run (or finish) an experiment and write `table.parquet`, `replicates.parquet` and `config.toml` under `out`.

    Parameters
    ----------
    workers : units at a time; each uses one torch thread on a CPU, so that results do not depend on this
    progress : counts the units finished, of those known so far, under the experiment's title
    engine : `threads` (torch releases Python's lock, so this is the default), `processes` (loky) or `cluster` (Ray)
    cluster : address of a Ray cluster, for engine `cluster`

    Returns
    -------
    The table: a row a cell with `status` ("done" or "failed", then with its `reason`). Raises InputError before any
    work for a configuration that does not fit the machine or a directory made with another configuration.
    """
    config.check_memory()
    if engine != "cluster":  # whose machines may have other devices
        check_device(config.device)
    check_directory(config, out)
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "table.parquet").is_file():  # finished tables keep theirs until the new ones are there
        write_atomically(out / "config.toml", config.to_toml())
    memory = joblib.Memory(out / "cells", verbose=0)
    results: dict[Unit, dict[str, np.ndarray] | str] = {}
    pending = first_units(config)
    with one_torch_thread():
        while pending:
            done = len(results)
            stream = run_units(_compute, [(memory, config, unit) for unit in pending], workers, engine, cluster)
            for finished, (unit, outcome) in enumerate(stream, start=1):
                results[unit] = outcome
                if progress is not None:
                    progress(config.title, done + finished, done + len(pending))
            pending = more_units(config, results)
    replicates = replicate_frame(config, results)
    table = summarise(config, replicates, results)
    for name, frame in (("replicates", replicates), ("table", table)):
        write_frame(frame, out / f"{name}.parquet")
    write_atomically(out / "config.toml", config.to_toml())
    return table


def check_directory(config: ExperimentConfig, out: Path) -> None:
    """Raise InputError if `out` holds an experiment that differs in more than its grid and its replicates."""
    path = out / "config.toml"
    if not path.is_file():
        return
    old, new = tomllib.loads(path.read_text(encoding="utf-8")), tomllib.loads(config.to_toml())
    for key in sorted(set(old) | set(new)):
        if key not in GROWING and old.get(key) != new.get(key):
            raise InputError(
                f"--out {out}", f"{key} = {old.get(key)!r}", f"{key} = {new.get(key)!r}, or a new directory"
            )


def _key(config: ExperimentConfig) -> dict[str, Any]:
    """What a unit's result depends on besides its family: axes, budgets and titles are left out."""
    return config.model_dump(mode="python", exclude=set(GROWING) - {"tau"})


@lru_cache(maxsize=1)
def code_version() -> str:
    """Sixteen hexadecimal digits that name the code of this package: cells of other code are not taken for finished."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _block(
    key: dict[str, Any], family: dict[str, Any], start: int, stop: int, distance: bool, code: str
) -> dict[str, np.ndarray]:
    """What is kept of a unit, under all of its arguments; `code` only names what computed it."""
    config, member = ExperimentConfig(**key), Family(**family)
    measure = measure_distances if distance else simulate_block
    return measure(config, member, start, stop)


def _compute(memory: joblib.Memory, config: ExperimentConfig, unit: Unit) -> tuple[Unit, dict[str, np.ndarray] | str]:
    """The unit's arrays, from the store if they are there; or, if it fails, the reason in one line."""
    torch.set_num_threads(1)
    block = memory.cache(_block)
    try:
        return unit, block(_key(config), unit.family.model_dump(), unit.start, unit.stop, unit.distance, code_version())
    except Exception as error:  # a failed cell is a result: it is reported and the rest goes on
        return unit, f"{type(error).__name__}: {' '.join(str(error).split())}"


def blocks(family: Family, start: int, stop: int, size: int, *, distance: bool = False) -> list[Unit]:
    """Units of `size` replicates, aligned so that the same replicates always share a block."""
    edges = range(start - start % size, stop, size)
    return [Unit(family=family, start=a, stop=min(a + size, stop), distance=distance) for a in edges]


def distance_family(family: Family) -> Family:
    """The representative of all families with the same mixture: only dimension and data size matter to it."""
    plain = {"supervision": "teacher", "augmented_size": "1", "truth": "linear", "teacher": "exact", "student": "ridge"}
    numbers = {"teacher_epsilon": 0.0, "trust_radius": 1.0, "outside": "half", "kernel": "isotropic"}
    return family.model_copy(update={**plain, **numbers, "penalty": "1"})


def first_units(config: ExperimentConfig) -> list[Unit]:
    """The units of the first round, costliest first, so that the last ones to finish are short."""
    families = config.families()
    units = [unit for family in families for unit in blocks(family, 0, config.replicates, config.block)]
    if config.distance_points:
        mixtures = {distance_family(family): None for family in families if family.kernel == "isotropic"}
        units += [u for f in mixtures for u in blocks(f, 0, config.replicates, config.block, distance=True)]
    return sorted(units, key=lambda unit: -unit.family.examples(config.online_size))


def more_units(config: ExperimentConfig, results: dict[Unit, Any]) -> list[Unit]:
    """Units still needed to bring every standard error of the error below `target_se`, within the budget."""
    if config.target_se is None:
        return []
    units: list[Unit] = []
    for family in config.families():
        mine = [(unit, out) for unit, out in results.items() if unit.family == family and not unit.distance]
        if any(isinstance(out, str) for _, out in mine):
            continue
        errors = np.concatenate([out["error"] for _, out in sorted(mine, key=lambda pair: pair[0].start)])
        count = max(unit.stop for unit, _ in mine)
        worst = float(errors.std(axis=0, ddof=1).max()) / math.sqrt(len(errors))
        if worst > config.target_se and count < config.max_replicates:
            wanted = min(config.max_replicates, 2 * count, math.ceil(count * (worst / config.target_se) ** 2))
            new = blocks(family, count, max(wanted, count + 1), config.block)
            units += [unit for unit in new if unit not in results]
    return units


def replicate_frame(config: ExperimentConfig, results: dict[Unit, Any]) -> pd.DataFrame:
    """Every replicate of every cell, long: a row a (family, tau, replicate)."""
    frames = []
    for family in config.families():
        collected: dict[int, pd.DataFrame] = {}
        for unit, out in results.items():
            if unit.family != family or unit.distance or isinstance(out, str):
                continue
            for row, replicate in enumerate(range(unit.start, unit.stop)):
                values = {name: out[name][row] for name in MEASURES}
                collected[replicate] = pd.DataFrame(
                    {**columns(config, family), "tau": config.tau, "replicate": replicate, **values}
                )
        frames += [collected[replicate] for replicate in sorted(collected)]
    if frames:
        return pd.concat(frames, ignore_index=True).astype({"augmented_size": "Int64"})
    empty = [*columns(config, config.families()[0]), "tau", "replicate", *MEASURES]
    return pd.DataFrame({name: pd.Series(dtype=float) for name in empty})


def summarise(config: ExperimentConfig, replicates: pd.DataFrame, results: dict[Unit, Any]) -> pd.DataFrame:
    """The tidy table: means and standard errors over replicates, a row a cell."""
    distances = _distance_rows(config, results)
    rows = []
    for family in config.families():
        mine = replicates[_is_family(replicates, config, family)]
        reasons = [out for unit, out in results.items() if unit.family == family and isinstance(out, str)]
        bayes, bayes_se = bayes_error(family.truth, family.dimension, correlation=config.correlation)
        for position, tau in enumerate(config.tau):
            cell = mine[mine["tau"] == tau]
            row: dict[str, Any] = {**columns(config, family), "tau": tau, **_summary(cell)}
            row |= {"alpha": config.alpha, "beta": config.beta, "gamma": config.gamma}
            row |= {"bayes_error": bayes, "bayes_error_se": bayes_se, "replicates": len(cell)}
            row |= distances.get((family.dimension, family.data_size, position), _NO_DISTANCE)
            if family.kernel != "isotropic":
                row |= _NO_DISTANCE
            row |= {"status": "failed" if reasons else "done", "reason": reasons[0] if reasons else None}
            rows.append(row)
    return pd.DataFrame(rows).astype({"augmented_size": "Int64", "reason": "string"})


_NO_DISTANCE = {"l1_distance": math.nan, "l1_distance_se": math.nan, "ise": math.nan, "ise_se": math.nan}


def columns(config: ExperimentConfig, family: Family) -> dict[str, Any]:
    """A family as columns: `amount` as it was asked for ("8x"), `augmented_size` the count m, missing if online."""
    size = None if family.online else family.examples(config.online_size)
    return {**family.model_dump(), "amount": family.augmented_size, "augmented_size": size}


def _is_family(frame: pd.DataFrame, config: ExperimentConfig, family: Family) -> pd.Series:
    values = {key: value for key, value in columns(config, family).items() if key != "augmented_size"}
    mask = pd.Series(True, index=frame.index)
    for key, value in values.items():
        mask &= frame[key] == value
    return mask


def _summary(cell: pd.DataFrame) -> dict[str, float]:
    values: dict[str, float] = {}
    for name in MEASURES:
        column = cell[name].to_numpy(dtype=float)
        values[name] = float(column.mean()) if len(column) else math.nan
        values[f"{name}_se"] = float(column.std(ddof=1)) / math.sqrt(len(column)) if len(column) > 1 else math.nan
    return values


def _distance_rows(config: ExperimentConfig, results: dict[Unit, Any]) -> dict[tuple[int, int, int], dict[str, float]]:
    rows: dict[tuple[int, int, int], dict[str, float]] = {}
    mixtures = {unit.family for unit in results if unit.distance}
    for family in mixtures:
        parts = [
            out for unit, out in results.items() if unit.distance and unit.family == family and not isinstance(out, str)
        ]
        if not parts:
            continue
        for position in range(len(config.tau)):
            row: dict[str, float] = {}
            for name in ("l1_distance", "ise"):
                column = np.concatenate([part[name][:, position] for part in parts])
                row[name] = float(column.mean())
                row[f"{name}_se"] = float(column.std(ddof=1)) / math.sqrt(len(column))
            rows[family.dimension, family.data_size, position] = row
    return rows
