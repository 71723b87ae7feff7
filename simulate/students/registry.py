"""Students: hypothesis classes behind one function, fitted for all (replicate x tau) at once on any torch device."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from simulate.students import knn, logistic, mlp, ridge
from simulate.supervision import Examples, HeldOut
from theory.errors import InputError, unknown_name

FitPredict = Callable[[Examples, Tensor, Sequence[np.random.Generator], HeldOut], Tensor]

STUDENTS = ("ridge", "logistic", "mlp", "knn")
PENALISED = {"ridge": ridge.fit_predict, "logistic": logistic.fit_predict}
VALIDATION = "validation"


class StudentConfig(BaseModel):
    """What the hypothesis classes need; each reads its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: int = Field(256, ge=1, description="random features of ridge and logistic students")
    bandwidth: float = Field(0.5, gt=0, description="kernel bandwidth of the features, in median distances")
    penalties: tuple[float, ...] = Field(
        (1e-6, 1e-5, 1e-4, 1e-3, 1e-2), min_length=1, description="what ridge and logistic students choose from"
    )
    neighbours: int = Field(15, ge=1, description="k of the nearest-neighbour student")
    hidden: int = Field(64, ge=1, description="units of the MLP's hidden layer")
    learning_rate: float = Field(1e-2, gt=0, description="Adam's learning rate")
    batch_size: int = Field(64, ge=1, description="examples a step of the MLP")
    steps: int = Field(500, ge=1, description="steps of the MLP on offline data")


def penalty_text(value: object) -> str:
    """A penalty as the grid writes it: `validation`, or a number > 0 (InputError else)."""
    if value == VALIDATION:
        return VALIDATION
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not (number > 0 and math.isfinite(number)):
        raise InputError("penalty", value, f"{VALIDATION}, or a number > 0")
    return f"{number:g}"


def build_student(name: str, config: StudentConfig, *, penalty: str = VALIDATION, online: bool = False) -> FitPredict:
    """A function (examples, test points (R, Q, d), generators, held-out examples) -> predictions (R, T, Q) in [0, 1].

    Ridge and logistic students are penalised against their mean loss: each student (replicate and tau) chooses among
    `config.penalties` the one with the least squared error on held-out labels, unless `penalty` is a number.
    """
    if name in PENALISED:
        penalties = config.penalties if penalty == VALIDATION else (float(penalty),)
        fit = partial(PENALISED[name], features=config.features, bandwidth=config.bandwidth, penalties=penalties)
        return partial(_chosen, fit)
    if name == "mlp":
        return _without_choice(
            mlp.fit_predict,
            hidden=config.hidden,
            learning_rate=config.learning_rate,
            batch_size=config.batch_size,
            steps=config.steps,
            online=online,
        )
    if name == "knn":
        return _without_choice(knn.fit_predict, neighbours=config.neighbours)
    raise unknown_name("student", name, STUDENTS)


def _without_choice(fit_predict: Callable[..., Tensor], **settings: object) -> FitPredict:
    """A student that chooses nothing on held-out examples."""
    return lambda examples, test_RQd, rngs, held_out: fit_predict(examples, test_RQd, rngs, **settings)


def _chosen(
    fit_predict: Callable[..., Tensor],
    examples: Examples,
    test_RQd: Tensor,
    rngs: Sequence[np.random.Generator],
    held_out: HeldOut,
) -> Tensor:
    """The predictions (R, T, Q) of each student's best penalty, of those whose predictions (K, R, T, Q) these are."""
    count = test_RQd.shape[1]
    predicted_KRTP = fit_predict(examples, torch.cat([test_RQd, held_out.x_RVd], 1), rngs)
    gap_KRTV = predicted_KRTP[..., count:] - held_out.label_RV[:, None]
    best_RT = gap_KRTV.square().mean(-1).argmin(0)
    test_KRTQ = predicted_KRTP[..., :count]
    return test_KRTQ.gather(0, best_RT[None, ..., None].expand(1, -1, -1, count))[0]
