"""Which degree for these texts: a pilot of light students on a bank of the task's own texts, and one answer.

    kdshift empirical recommend --task my.csv

Beside the answer stand the paper's rule (section 5.1) and the theory's best tau, made a degree through how far one
changed token moves a text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from empirical.augment import make_augmenter
from empirical.augment.catalogue import CATALOGUE
from empirical.bank.exchange import ExchangeRate
from empirical.bank.plan import Shift
from empirical.bank.pool import pool_order
from empirical.bank.study import Size, Study
from empirical.bank.study_table import read_noise
from empirical.bank.summary import curve_of, exchange_of
from empirical.config import AugmentConfig, ModelConfig, TaskConfig, TrainConfig
from empirical.models.classifier import embedding_matrix, load_tokenizer
from empirical.models.encoder import load_encoder, pooled_encoder
from empirical.runs.study_teachers import open_study
from empirical.shift import measure_shift
from empirical.tasks.load import Task, load_task, subset_size
from theory.degree import recommend as recommend_by_theory
from theory.errors import InputError
from theory.inference.contrast import gain_over_none, gains_over_none
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd

TEXTS = 400  # whose shift is measured for the theory
DEGREES = (0.1, 0.3, 0.5, 0.7, 0.9)
REAL = (0.25, 0.5, 1.0, 2.0, 4.0)  # real texts instead of augmented, in units of a subset: what these compete with
SAFE = 0.4  # where no degree can be told from none: the paper's tables print it in bold most often
REPLICATES = 8  # subsets of the pool that the pilot wants at least
POOL, POOL_MOST, POOL_SHARE = 880, 1760, 2 / 3  # texts of the pilot: as a rule, at most, of few training texts
COPIES, FEW = 4, 440  # copies of a text in a pool up to `FEW`, half of them in a larger one
SCORED, CHOOSING, CHOOSING_SHARE = 1000, 500, 1 / 3  # held-out texts: scored on, choosing a student's step
LEAST = 60  # training texts below which there is no pilot


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a degree does against none, with an interval that holds for all degrees tried at once."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The one answer.

    degree: what to use. verdict: `supported` (it brings students nearer to the teacher), `undecided` (no degree can be
    told from none; `degree` is then the safe one), `contradicted` (every degree tried hurts; `degree` is 0).
    gain: of the best degree tried, in distance to the teacher (mean of |h - g| over classes), positive where it helps.
    accuracy: of that degree, a difference of shares. distance_none: without augmentation.
    pilot_size, replicates, texts: of the pilot's subsets and of the held-out texts that score it.
    asked, kept: texts the teacher was asked about, answers that were there. exchange: what the best degree is worth
    in real unlabelled texts, in units of `pilot_size`.
    """

    degree: float
    verdict: Literal["supported", "undecided", "contradicted"]
    best_tried: float
    gain: Effect
    accuracy: Effect
    distance_none: float
    data_size: int
    pilot_size: int
    replicates: int
    texts: int
    asked: int
    kept: int
    exchange: ExchangeRate | None

    def sentence(self, augmenter: str) -> str:
        """The answer in words."""
        subsets = f"{self.replicates} subsets of {self.pilot_size} texts"
        if self.verdict == "undecided":
            return f"no degree of {augmenter} is distinguishable from none on {subsets}; {self.degree:.0%} is safe"
        gain, points = self.gain, self.accuracy
        change = (
            f"{abs(gain.value):.4f} {{}} to the teacher than without ({self.distance_none:.4f}; gain "
            f"[{gain.low:.4f}, {gain.high:.4f}]), accuracy {100 * points.value:+.1f} points "
            f"[{100 * points.low:+.1f}, {100 * points.high:+.1f}]"
        )
        if self.verdict == "contradicted":
            change = change.format("farther")
            return f"no augmentation: even the best degree of {augmenter} left students {change}, on {subsets}"
        return f"{augmenter} at {self.degree:.0%}: students came {change.format('nearer')}, on {subsets}"


def recommend(
    task: TaskConfig,
    results: Path,
    *,
    data_size: float | int = 1.0,
    augmenter: str = "knn",
    teacher: ModelConfig,
    teacher_train: TrainConfig | None,
    pool: int | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> Recommendation | None:
    """The degree for a task's texts by a pilot on a bank under `results`; None if `stop` ended it before.

    data_size: how many texts the real run will have, a share or a count. teacher_train: None: it is fine-tuned already.
    pool: training texts that the pilot augments; None: 880, or eight times the data size up to twice that, and at most
    two thirds of the training texts. The test split takes no part: students are scored on validation and on training
    texts outside the pool.

    Raises:
        InputError: data, models or an augmenter that are not to be had, or too few texts.
    """
    fit = [name for name, entry in CATALOGUE.items() if entry.online and set(entry.needs) <= {"embeddings"}]
    if augmenter not in fit:
        raise InputError("augmenter", augmenter, "one whose degree can be tried: " + ", ".join(fit))
    loaded = load_task(task)
    size = subset_size(data_size, len(loaded.train))
    study = pilot_study(task, len(loaded.train), size, augmenter, teacher, teacher_train, pool)
    own = held_out(loaded, study.pool, study.seed)
    run = open_study(study, "recommend", results, progress, stop, task=own)
    table = run.run()
    if table is None:
        return None
    (noise,) = read_noise(run.folder).values()
    curve = curve_of(table, augmenter, "distance", noise)
    gain, accuracy = gain_over_none(curve), gains_over_none(curve_of(table, augmenter, "accuracy", noise))
    at = int(np.flatnonzero(curve.shift == gain.shift)[0]) - 1
    verdict: Literal["supported", "undecided", "contradicted"] = "undecided"
    if gain.low > 0:
        verdict = "supported"
    elif gain.high < 0:
        verdict = "contradicted"
    return Recommendation(
        degree={"supported": gain.shift, "undecided": SAFE, "contradicted": 0.0}[verdict],
        verdict=verdict,
        best_tried=gain.shift,
        gain=Effect(value=gain.gain, low=gain.low, high=gain.high),
        # The contrasts are none minus degree, and accuracy is better where it is larger.
        accuracy=Effect(
            value=-float(accuracy.effect[at]), low=-float(accuracy.high[at]), high=-float(accuracy.low[at])
        ),
        distance_none=float(curve.error[0]),
        data_size=size,
        pilot_size=study.sizes[0].data_size,
        replicates=gain.units,
        texts=len(own.test),
        asked=run.bank.count.asked,
        kept=run.bank.count.kept,
        exchange=exchange_of(table, augmenter, noise),
    )


def pilot_study(
    task: TaskConfig,
    total: int,
    data_size: int,
    augmenter: str,
    teacher: ModelConfig,
    teacher_train: TrainConfig | None,
    pool: int | None = None,
) -> Study:
    """The pilot: static students on disjoint subsets of the real data size, or of what gives eight of them.

    total: training texts of the task. Raises InputError for fewer than 60, and for a pool beyond two thirds of them.
    """
    if total < LEAST:
        raise InputError("task", f"{total} training texts", f"at least {LEAST} for a pilot")
    most = int(POOL_SHARE * total)
    if pool is None:
        pool = min(most, max(POOL, min(REPLICATES * data_size, POOL_MOST)))
    elif not 2 * REPLICATES <= pool <= most:
        raise InputError("pool", pool, f"from {2 * REPLICATES} to {most}, two thirds of the {total} training texts")
    return Study(
        title=f"Pilot on {task.name}",
        task=task,
        teacher=teacher,
        teacher_train=teacher_train,
        pool=pool,
        copies=COPIES if pool <= FEW else COPIES // 2,
        shifts=(Shift(augmenter=augmenter, degrees=DEGREES),),
        sizes=(Size(data_size=min(data_size, pool // REPLICATES)),),
        students=("static",),
        finetune=(),
        unlabelled=REAL,
    )


def held_out(task: Task, pool: int, seed: int) -> Task:
    """The task with other held-out texts: validation and training texts outside the pool, the test split left alone.

    `test`, which scores, begins with the validation texts; `validation` chooses the students' steps.
    """
    rest = task.train.take(pool_order(seed, len(task.train))[pool:][: SCORED + CHOOSING])
    both = task.validation.followed_by(rest)
    choosing = min(CHOOSING, int(CHOOSING_SHARE * len(both)))
    scored = min(SCORED, len(both) - choosing)
    return replace(
        task,
        test=both.take(range(scored)),
        validation=both.take(range(len(both) - choosing, len(both))),
        extra_tests={},
    )


def theory_degree(task: TaskConfig, data_size: float | int, augmenter: str, model: ModelConfig) -> float | None:
    """The risk bound's best tau as a degree, through the shift measured on up to 400 of the task's training texts.

    The untrained encoder of `model` embeds the texts. The bound knows neither the teacher's trust radius nor its error
    here, and no student: it balances bias against deviation only. None where it is vacuous at every tau.
    """
    loaded = load_task(task)
    return theory_from(_measured(loaded, augmenter, model, task.max_length), subset_size(data_size, len(loaded.train)))


def theory_from(measured: pd.DataFrame, data_size: int) -> float | None:
    """The theory's degree from a table of `empirical.shift.measure_shift`; None where the bound is vacuous."""
    changed = measured[measured["degree"] > 0]
    tau, moved = changed["tau"].to_numpy(), changed["changed"].to_numpy()
    return recommend_by_theory(
        data_size,
        dimension=max(2, int(measured["dimension"].iloc[0])),
        task_length=float((changed["changed"] / changed["realised_degree"]).mean()),
        displacement=float(tau @ moved / (moved @ moved)),
    ).degree


def _measured(task: Task, augmenter: str, model: ModelConfig, max_length: int) -> pd.DataFrame:
    tokenizer = load_tokenizer(model)
    config = AugmentConfig.model_validate({"augmenter": augmenter})
    embeddings = embedding_matrix(model) if CATALOGUE[augmenter].needs else None
    tool = make_augmenter(config, tokenizer=tokenizer, embeddings=embeddings, max_length=max_length)
    split = task.train.take(task.subset(min(TEXTS, len(task.train)), 0))
    return measure_shift(
        split.text_a,
        split.text_b,
        augmenters={augmenter: tool},
        degrees=(0.1, 0.3, 0.5),
        tokenizer=tokenizer,
        encode=pooled_encoder(load_encoder(model)),
        max_length=max_length,
    )
