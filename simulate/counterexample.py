"""Theorem 1 as printed against measured distances: settings that meet both printed conditions and fail the conclusion.

`kdshift simulate run theorem1-counterexample`; theory section 2 (Lemma L) and appendix A of the paper.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict, Field

from simulate.distance import distances_of_sets
from simulate.findings import Finding
from theory.inference.curve import half_widths
from theory.lower_bounds import l1_lower_bound
from theory.printed import data_size_condition, data_size_required, log_tau_limit, tau_condition
from theory.progress_report import Progress
from theory.replacing import write_frame
from theory.settings_file import validated


class Case(BaseModel):
    """A setting of Theorem 1: tau is `tau_share` of its printed limit, n the smallest that the print allows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimension: int = Field(ge=2)
    epsilon: float = Field(gt=0, lt=1)
    delta: float = Field(gt=0, lt=1)
    tau_share: float = Field(0.99, gt=0, lt=1)


class CounterexampleConfig(BaseModel):
    """The preset: its settings, how many training sets of each, and the points of one distance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = "counterexample"
    title: str = "Theorem 1 as printed"
    setting: tuple[Case, ...] = Field(min_length=1)
    replicates: int = Field(5, ge=2)
    points: int = Field(2000, ge=4)
    seed: int = Field(0, ge=0)


def make_config(values: Mapping[str, Any]) -> CounterexampleConfig:
    """The validated preset; InputError names the field."""
    return validated(CounterexampleConfig, values)


def run_counterexample(config: CounterexampleConfig, out: Path, progress: Progress | None = None) -> pd.DataFrame:
    """Measure every setting and write `table.parquet` and `config.toml` under `out`.

    A row a setting: dimension, epsilon, delta, tau, log_tau, data_size, tau_condition and data_size_condition (both
    printed conditions, decided in logarithms), l1_distance with its standard error over training sets, the smallest
    measured one, and certain_lower_bound (Lemma L: what holds for every training set).
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.toml").write_text(tomli_w.dumps(config.model_dump()), encoding="utf-8")
    rows = []
    for number, case in enumerate(config.setting):
        log_tau = float(log_tau_limit(case.epsilon, case.dimension)) + math.log(case.tau_share)
        tau = math.exp(log_tau)
        required = float(data_size_required(case.epsilon, case.delta, log_tau, case.dimension))
        data_size = math.floor(required) + 1

        def step(label: str, done: float, total: float, /, *, before: int = number * config.replicates) -> None:
            if progress is not None:
                progress(config.title, before + done, total * len(config.setting))

        found = distances_of_sets(
            dimension=case.dimension,
            data_size=data_size,
            tau=tau,
            replicates=config.replicates,
            seed=config.seed,
            points=config.points,
            progress=step,
        )
        row: dict[str, Any] = {**case.model_dump(), "tau": tau, "log_tau": log_tau, "data_size": data_size}
        row["tau_condition"] = bool(tau_condition(case.epsilon, log_tau, case.dimension))
        row["data_size_condition"] = bool(
            data_size_condition(data_size, case.epsilon, case.delta, log_tau, case.dimension)
        )
        se = float(found.std(ddof=1)) / math.sqrt(len(found))
        row |= {"l1_distance": float(found.mean()), "l1_distance_se": se, "l1_distance_min": float(found.min())}
        row["certain_lower_bound"] = float(l1_lower_bound(data_size, tau, case.dimension))
        rows.append({**row, "replicates": config.replicates})
    table = pd.DataFrame(rows)
    write_frame(table, out / "table.parquet")
    return table


def decide(table: pd.DataFrame) -> Finding:
    """Contradicted where every training set's distance exceeds epsilon although both printed conditions hold."""
    valid = table["tau_condition"] & table["data_size_condition"]
    broken = valid & (table["l1_distance_min"] > table["epsilon"]) & (table["certain_lower_bound"] > table["epsilon"])
    worst = table.loc[broken, "l1_distance"].min() if broken.any() else math.nan
    sentence = (
        f"{int(broken.sum())} of {len(table)} settings meet both printed conditions ({int(valid.sum())} do) and every "
        f"training set breaks the conclusion, measured and by Lemma L; smallest mean distance {worst:.3f} of at most 2"
    )
    return Finding(
        finding="Theorem 1 as printed", outcome="contradicted" if broken.any() else "undecided", sentence=sentence
    )


def counterexample_figure(table: pd.DataFrame) -> Figure:
    """Measured distance (bars: 95 % intervals), the certain lower bound and epsilon, a column a setting."""
    figure = Figure(figsize=(max(1.5 * len(table), 5.0), 4.2), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(table))
    bars = half_widths(table["l1_distance_se"], int(table["replicates"].min()))
    axes.errorbar(place, table["l1_distance"], yerr=bars, fmt="o", color="#00204d", capsize=4, label="measured")
    axes.plot(place, table["certain_lower_bound"], "_", ms=18, color="#7c7b78", label="lower bound of every set")
    axes.plot(place, table["epsilon"], "v", color="#bcae6c", mec="black", label="epsilon: what Theorem 1 promises")
    labels = [f"d = {row.dimension}\ntau = {row.tau:.1e}\nn = {row.data_size:,}" for row in table.itertuples()]
    axes.set_xticks(place, labels, fontsize=8)
    axes.set_ylim(0, 2.1)
    axes.set_ylabel("L1 distance of the mixture to P (at most 2)")
    axes.legend(fontsize=8, frameon=False, loc="center right")
    return figure
