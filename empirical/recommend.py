"""Which degree for my data: the paper's rule, the theory through the measured shift, and a pilot sweep, side by side.

    kdshift empirical recommend --task my.csv

The rule is section 5.1's; the theory's best tau becomes a degree through how far one changed token moves a text; the
pilot trains a few short students and lets the validation split choose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from empirical.augment import make_augmenter
from empirical.config import RunConfig
from empirical.models.classifier import embedding_matrix, load_tokenizer
from empirical.models.encoder import load_encoder, pooled_encoder
from empirical.runs.run import run_cohort
from empirical.shift import measure_shift
from empirical.sweeps.definition import Sweep, canonical
from empirical.sweeps.engines import Engine
from empirical.sweeps.execute import CohortRunner, run_sweep
from empirical.tables.table import curves
from empirical.tasks.load import Task, load_task, subset_size
from theory.degree import RULE_SOURCE, rule_of_thumb
from theory.degree import recommend as recommend_by_theory
from theory.errors import InputError
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd

TEXTS = 400  # whose shift is measured
PILOT_DEGREES = (0.0, 0.1, 0.3, 0.5, 0.7)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One source's degree: a share of the tokens in [0, 1], or None where it has nothing to say; why, in a sentence.

    low, high: its 95 % interval, None where the source has none.
    """

    source: str
    degree: float | None
    low: float | None
    high: float | None
    reason: str


def rule_answer(data_size: int) -> Answer:
    """The paper's rule of thumb (section 5.1)."""
    return Answer(source="rule", degree=float(rule_of_thumb(data_size)), low=None, high=None, reason=RULE_SOURCE)


def theory_answer(run: RunConfig, task: Task, data_size: int, *, seed: int = 0) -> Answer:
    """The risk bound's best tau as a degree, through the shift measured on up to 400 of the task's training texts.

    The teacher's untrained encoder embeds the texts. The bound knows neither the teacher's trust radius nor its error
    here, and no student: it balances bias against deviation only.
    """
    measured = _measured(run, task, seed)
    changed = measured[measured["degree"] > 0]
    tau, moved = changed["tau"].to_numpy(), changed["changed"].to_numpy()
    displacement = float(tau @ moved / (moved @ moved))
    length = float((changed["changed"] / changed["realised_degree"]).mean())
    dimension = max(2, int(measured["dimension"].iloc[0]))
    found = recommend_by_theory(data_size, dimension=dimension, task_length=length, displacement=displacement)
    if found.degree is None or found.tau_star is None:
        reason = f"in {dimension} intrinsic dimensions the risk bound of {data_size} texts is vacuous at every tau"
        return Answer(source="theory", degree=None, low=None, high=None, reason=reason)
    end = "; changing every token adds less than that" if found.degree_at_limit else ""
    reason = (
        f"best tau {found.tau_star:.3g} in {dimension} intrinsic dimensions; one changed token of {length:.0f} adds "
        f"{displacement:.3g}{end} (bound {found.bound:.2f}, of a teacher right everywhere)"
    )
    return Answer(source="theory", degree=found.degree, low=None, high=None, reason=reason)


def _measured(run: RunConfig, task: Task, seed: int) -> pd.DataFrame:
    assert run.augment is not None and run.teacher is not None
    tokenizer = load_tokenizer(run.teacher)
    embeddings = embedding_matrix(run.teacher) if run.augment.augmenter == "knn" else None
    augmenter = make_augmenter(run.augment, tokenizer=tokenizer, embeddings=embeddings, max_length=run.task.max_length)
    split = task.train.take(task.subset(min(TEXTS, len(task.train)), seed))
    return measure_shift(
        split.text_a,
        split.text_b,
        augmenters={run.augment.augmenter: augmenter},
        degrees=(0.1, 0.3, 0.5),
        tokenizer=tokenizer,
        encode=pooled_encoder(load_encoder(run.teacher)),
        seed=seed,
        max_length=run.task.max_length,
    )


def pilot_sweep(run: RunConfig, *, degrees: Sequence[float] = PILOT_DEGREES, replicates: int = 2) -> Sweep:
    """Short distillations of `run` at these degrees; each replicate has its own subset, order and student."""
    assert run.augment is not None
    runs = []
    for replicate in range(replicates):
        for degree in degrees:
            augment = run.augment.model_copy(update={"degree": degree}) if degree > 0 else None
            updates = {"augment": augment, "seed": replicate, "data_seed": replicate}
            runs.append(canonical(run.model_copy(update=updates)))
    return Sweep(
        name="pilot",
        title=f"Pilot on {run.task.name}",
        protocol="validation",
        table=None,
        runs=tuple(runs),
        groups=("pilot",) * len(runs),
    )


def pilot_answer(sweep: Sweep, task: Task, root: Path, *, engine: Engine | None = None,
                 progress: Progress | None = None, run: CohortRunner = run_cohort) -> Answer:  # fmt: skip
    """The degree with the lowest validation error of a pilot sweep, with its 95 % interval.

    Raises InputError when a pilot's runs fail.
    """
    frame = run_sweep(sweep, root, engine=engine, progress=progress, run=run)
    finished = frame[frame["status"] == "finished"].copy()
    if len(finished) < len(frame):
        first = frame[frame["status"] != "finished"].iloc[0]
        raise InputError(
            "pilot", f"{first['run']} {first['status']}: {first['reason']}", "a pilot whose runs all finish"
        )
    score = finished["validation"].to_numpy()
    finished["error"] = 1 - score
    finished["error_se"] = np.sqrt(score * (1 - score) / len(task.validation))
    (curve,) = curves(finished)
    best = curve.optimum()
    spread = float(np.max(curve.error) - np.min(curve.error))
    reason = (
        f"lowest validation error of {len(curve.shift)} degrees, {len(frame) // len(curve.shift)} replicates of "
        f"{sweep.runs[0].train.steps} steps on {curve.data_size:.0f} texts (errors {np.min(curve.error):.3f} to "
        f"{np.min(curve.error) + spread:.3f})" + ("; at the edge of the grid" if best.at_edge else "")
    )
    return Answer(source="pilot", degree=best.shift, low=best.low, high=best.high, reason=reason)


def recommend(
    run: RunConfig, root: Path, *, pilot: bool = True, replicates: int = 2, progress: Progress | None = None
) -> list[Answer]:
    """The answers of rule, theory and (if `pilot`) a pilot sweep under `root` for the data of `run`, in that order.

    run: the distillation in question; its augmenter, models, steps and data size are used, its degree is not.
    Raises InputError for data or models that are not available.
    """
    task = load_task(run.task)
    data_size = subset_size(run.data_size, len(task.train))
    answers = [rule_answer(data_size), theory_answer(run, task, data_size)]
    if pilot:
        answers.append(pilot_answer(pilot_sweep(run, replicates=replicates), task, root, progress=progress))
    assert all(answer.degree is None or not math.isnan(answer.degree) for answer in answers)
    return answers
