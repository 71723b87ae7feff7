"""What a sweep's runs came to: their result files as one tidy table, one row a run.

Columns are the design's vocabulary; `kdshift empirical table` and the notebooks start here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from empirical.config import ModelConfig, RunConfig
from empirical.runs.layout import run_place
from empirical.runs.record import read_result
from empirical.runs.result import RunResult
from empirical.sweeps.definition import Sweep

if TYPE_CHECKING:
    import pandas as pd


MAKERS = ("versions", "device", "threads", "precision", "compiled", "teacher_hash")


def model_label(model: ModelConfig | None) -> str:
    """A model's short name in tables: its id's last part, the layers kept, its architecture if not an encoder."""
    if model is None:
        return "none"
    label = model.name.rstrip("/").rsplit("/", 1)[-1] if model.architecture != "bilstm" else "bilstm"
    if model.layers is not None:
        label += "[" + ",".join(map(str, model.layers)) + "]"
    return label + ("-fresh" if model.fresh else "")


def amount_label(run: RunConfig) -> str:
    """How much augmented data a run has: "none", "online" or "4x"."""
    if run.augment is None:
        return "none"
    return "online" if run.augment.copies is None else f"{run.augment.copies}x"


def describe(run: RunConfig) -> dict[str, Any]:
    """The columns of a run's row that its configuration decides."""
    share = run.data_size if isinstance(run.data_size, float) and run.data_size <= 1 else math.nan
    return {
        "task": run.task.name,
        "mode": run.mode,
        "augmenter": "none" if run.augment is None else run.augment.augmenter,
        "amount": amount_label(run),
        "degree": 0.0 if run.augment is None else run.augment.degree,
        "data_fraction": share,
        "data_size": math.nan if run.data_size <= 1 else float(run.data_size),
        "teacher": model_label(run.teacher),
        "student": model_label(run.student),
        "learning_rate": run.train.learning_rate,
        "seed": run.seed,
        "data_seed": run.data_seed,
    }


def sweep_results(sweep: Sweep, root: Path) -> list[RunResult | None]:
    """The result of every run of a sweep, in its order; None where there is none yet."""
    return [read_result(run_place(run, root), run) for run in sweep.runs]


def sweep_frame(sweep: Sweep, root: Path, results: Sequence[RunResult | None] | None = None) -> pd.DataFrame:
    """One row a run, in the sweep's order: what it was, its status (finished, failed or left), what it scored.

    results: those of `sweep_results`, where they are at hand.

    `score` is the task's metric on the test split (`metric` names it), `error` is 1 - score, `error_se` its standard
    error over the test examples (of an accuracy; missing for others), `validation` the same metric on the validation
    split, `data_size` the count of original examples, `data_fraction` their share of the training split, `precision`
    and `teacher_hash` what the machine computed in and which weights taught, empty where there are none.
    """
    import pandas as pd

    results = sweep_results(sweep, root) if results is None else results
    rows = []
    for run, group, result in zip(sweep.runs, sweep.groups, results, strict=True):
        name = str(run_place(run, root).relative_to(root))
        rows.append({"run": name, "group": group, **describe(run), **_scored(result)})
    return pd.DataFrame(rows)


def sweep_provenance(sweep: Sweep, results: Sequence[RunResult | None]) -> dict[str, Any]:
    """What made a sweep's table: the counts of its runs, and each distinct machine, set of versions and teacher.

    results: those of `sweep_results`. `made_by` lists what finished runs say of themselves, with the number of `runs`
    that say it.
    """
    finished = [result for result in results if result is not None and result.finished]
    makers: dict[str, dict[str, Any]] = {}
    for result in finished:
        maker = result.model_dump(mode="json", include=set(MAKERS), exclude_unset=True)
        makers.setdefault(json.dumps(maker, sort_keys=True), {**maker, "runs": 0})["runs"] += 1
    return {
        "sweep": sweep.name,
        "title": sweep.title,
        "runs": len(results),
        "finished": len(finished),
        "wall_seconds": sum(result.wall_seconds for result in finished),
        "made_by": list(makers.values()),
    }


COSTS = ("wall_seconds", "steps", "examples_seen", "teacher_calls", "realised_degree", "teacher_gap")


def _scored(result: RunResult | None) -> dict[str, Any]:
    """The columns of a run's row that its result decides; of what is not known, missing values."""
    scores = dict.fromkeys(("score", "error", "error_se", "n_test", "accuracy", "validation"), math.nan)
    row: dict[str, Any] = {"status": "left", "reason": "", "metric": "", **scores, **dict.fromkeys(COSTS, math.nan),
                           "precision": "", "teacher_hash": ""}  # fmt: skip
    if result is None:
        return row
    row |= {name: value for name in COSTS if (value := getattr(result, name)) is not None}
    row |= {"status": result.status, "reason": result.reason}
    row |= {"precision": result.precision or "", "teacher_hash": result.teacher_hash or ""}
    if result.data_size:
        row["data_size"] = float(result.data_size)
    if result.finished and result.test:
        metric, n_test = result.metric, result.test["n"]
        score = result.test[metric]
        spread = math.sqrt(score * (1 - score) / n_test) if metric == "accuracy" else math.nan
        row |= {"metric": metric, "score": score, "error": 1 - score, "error_se": spread, "n_test": n_test}
        row["accuracy"] = result.test.get("accuracy", math.nan)
        row["validation"] = result.validation.get(metric, math.nan)
    return row
