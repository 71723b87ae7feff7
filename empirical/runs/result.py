"""What a run came to, as `result.json` holds it: finished, failed or stopped runs are all of one type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from empirical.config import RunConfig

Scores = dict[str, int | float]  # of one split: `n` texts, and each metric by its name


class RunResult(BaseModel):
    """How a run ended, its scores at the selected step, what it cost and what made it.

    scores: by split (`validation`, `test`, and a task's further test splits); a file holds each split under its own
    name. Fields that were never known (of failed runs, of files made by earlier versions) are None.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    config_digest: str
    status: Literal["finished", "failed", "stopped"]
    reason: str = Field("", description="why it failed; empty otherwise")
    task: str | None = None
    mode: str | None = None
    seed: int | None = None
    data_seed: int | None = None
    nominal_degree: float | None = None
    alpha: float | None = Field(None, description="the weights of section 2 as they acted in the run")
    beta: float | None = None
    gamma: float | None = None
    mixed: bool | None = Field(None, description="whether offline copies were part of the data (else halves)")
    select: str | None = Field(None, description="how the reported weights were selected")
    teacher_calls: int = Field(0, description="texts whose teacher's answers the run took, whoever asked for them")
    answers_asked: int | None = Field(
        None, description="originals and offline copies that the teacher was asked about, for the runs trained together"
    )
    answers_kept: int | None = Field(None, description="of those, answers that an earlier run had left")
    data_size: int | None = Field(None, description="count of original texts")
    subset: str | None = Field(None, description="digest of the original texts")
    teacher_hash: str | None = None
    precision: str | None = None
    compiled: bool | None = None
    versions: dict[str, str] | None = None
    device: str | None = None
    threads: int | None = None
    metric: str = Field("", description="the task's own")
    scores: dict[str, Scores] = {}
    selected_step: int = 0
    steps: int = 0
    examples_seen: int = 0
    wall_seconds: float = Field(0.0, description="what it would have cost alone, shared work included")
    realised_degree: float = 0.0
    teacher_gap: float | None = Field(
        None, description="total variation from the teacher on augmented texts, last quarter of the steps"
    )
    parameters: int | None = None
    weights_hash: str | None = Field(None, description="of the weights in `model/`, where they are kept")

    @classmethod
    def failed(cls, config: RunConfig, reason: str) -> RunResult:
        """The result of a run that could not even be trained, or whose training ended in an exception."""
        nothing: dict[str, Scores] = {"validation": {}, "test": {}}
        return cls(**description(config), status="failed", reason=" ".join(reason.split()), scores=nothing)

    @classmethod
    def stopped(cls, config: RunConfig, steps: int = 0) -> RunResult:
        """The result of a run that was asked to stop after `steps` steps; it goes on from its checkpoint."""
        return cls(config_digest=config.digest(), status="stopped", steps=steps)

    @property
    def finished(self) -> bool:
        return self.status == "finished"

    @property
    def test(self) -> Scores:
        return self.scores.get("test", {})

    @property
    def validation(self) -> Scores:
        return self.scores.get("validation", {})

    @model_validator(mode="before")
    @classmethod
    def _gather_splits(cls, values: Any) -> Any:
        """Tables under other names than the fields' are the scores of splits."""
        if not isinstance(values, Mapping) or "scores" in values:
            return values
        known = cls.model_fields
        splits = {name: table for name, table in values.items() if name not in known and isinstance(table, Mapping)}
        others = {name: value for name, value in values.items() if name not in splits}
        return {**others, "scores": splits} if splits else others

    @model_serializer(mode="wrap")
    def _spread_splits(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = plain(self)
        splits = values.pop("scores", {})
        return {**values, **splits}

    def record(self) -> dict[str, Any]:
        """The result as a JSON object: what is known of the run, each split's scores under the split's name."""
        return self.model_dump(mode="json", exclude_unset=True)


def description(config: RunConfig) -> dict[str, Any]:
    """The fields of a result that the configuration decides."""
    from empirical.training.loss import Weights  # torch, which reading results must not need

    weights = Weights.of(config)
    return {
        "config_digest": config.digest(),
        "task": config.task.name,
        "mode": config.mode,
        "seed": config.seed,
        "data_seed": config.data_seed,
        "nominal_degree": 0.0 if config.augment is None else config.augment.degree,
        "alpha": weights.alpha,
        "beta": weights.beta,
        "gamma": weights.gamma,
        "mixed": weights.mixed,
        "select": config.train.select,
    }
