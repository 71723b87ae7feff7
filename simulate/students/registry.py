"""Students: hypothesis classes behind one function, fitted for all (replicate x tau) at once on any torch device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from simulate.students import knn, logistic, mlp, ridge
from simulate.supervision import Examples
from theory.errors import unknown_name

FitPredict = Callable[[Examples, Tensor, Sequence[np.random.Generator]], Tensor]

STUDENTS = ("ridge", "logistic", "mlp", "knn")


class StudentConfig(BaseModel):
    """What the hypothesis classes need; each reads its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: int = Field(256, ge=1, description="random features of ridge and logistic students")
    bandwidth: float = Field(0.5, gt=0, description="kernel bandwidth of the features, in median distances")
    penalty: float = Field(1e-4, gt=0, description="penalty of ridge and logistic students against a mean loss")
    neighbours: int = Field(15, ge=1, description="k of the nearest-neighbour student")
    hidden: int = Field(64, ge=1, description="units of the MLP's hidden layer")
    learning_rate: float = Field(1e-2, gt=0, description="Adam's learning rate")
    batch_size: int = Field(64, ge=1, description="examples a step of the MLP")
    steps: int = Field(500, ge=1, description="steps of the MLP on offline data")


def build_student(name: str, config: StudentConfig, *, online: bool = False) -> FitPredict:
    """A function (examples, test points (R, Q, d), generators) -> predictions (R, T, Q) in [0, 1]."""
    if name in ("ridge", "logistic"):
        fit_predict = ridge.fit_predict if name == "ridge" else logistic.fit_predict
        return partial(fit_predict, features=config.features, bandwidth=config.bandwidth, penalty=config.penalty)
    if name == "mlp":
        return partial(
            mlp.fit_predict,
            hidden=config.hidden,
            learning_rate=config.learning_rate,
            batch_size=config.batch_size,
            steps=config.steps,
            online=online,
        )
    if name == "knn":
        return partial(knn.fit_predict, neighbours=config.neighbours)
    raise unknown_name("student", name, STUDENTS)
