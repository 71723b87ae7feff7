"""What defines a run: frozen configurations, validated where files and command lines come in.

The string of every field's description is its help text. Names are the design's vocabulary.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from theory.errors import unknown_name
from theory.settings_file import merged, read_toml, validated, with_none

# The augmenters, each with the options of `AugmentConfig` that it alone reads (COMMON_OPTIONS are everybody's)
OWN_OPTIONS: dict[str, tuple[str, ...]] = {
    "knn": ("neighbours", "metric"),
    "random": (),
    "synonym": (),
    "eda": (),
    "back-translation": ("engine", "pivots", "decoding"),
    "ground-truth": (),
    "augpro-mix": ("neighbours", "metric"),
    "augpro-fgsm": ("neighbours", "metric", "student"),
    "flip": ("neighbours", "metric"),
    "flip-before": ("neighbours", "metric"),
    "contextual": ("neighbours", "language_model"),
    "contextual-insert": ("neighbours", "language_model"),
    "knn-in-context": ("neighbours", "metric", "language_model"),
    "treemix": (),
    "flipda": ("language_model", "pattern", "candidates"),
    "paraphrase": ("engine", "calls", "tokens"),
    "in-context": ("engine", "calls", "tokens"),
    "mixkd": (),
    "mate-kd": ("neighbours", "language_model"),
}
COMMON_OPTIONS = ("augmenter", "degree", "copies", "embeddings", "entropy_quantile", "selection")
AUGMENTERS = tuple(OWN_OPTIONS)


class _Config(BaseModel):
    """later: fields that came after results were kept; at their defaults dumps, and so digests, leave them out."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    later: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        unchanged = {name for name in self.later if getattr(self, name) == fields[name].default}
        return {name: value for name, value in dump(self).items() if name not in unchanged}

    def digest(self) -> str:
        """Sixteen hexadecimal digits that name this configuration (canonical JSON, SHA-256)."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class TaskConfig(_Config):
    """Which data set, and what of it: columns, labels, length, subset, validation split (`--task`, `[task]`)."""

    name: str = Field("tweets", description="a known task, or a path to a CSV, TSV, JSONL or Parquet file")
    path: str | None = Field(None, description="local directory (or file) with the data, instead of the hub")
    text_a: str | None = Field(None, description="column of the first text (files of one's own)")
    text_b: str | None = Field(None, description="column of the second text, for pairs")
    label: str | None = Field(None, description="column of the label")
    labels: tuple[str, ...] | None = Field(None, description="label names in the order of the class indices")
    max_length: int = Field(128, ge=4, description="tokens a text (or pair) is cut to")
    validation_size: int | float | None = Field(
        None,
        description="examples (or share) cut from train for choices; 0: none, and a split that is given joins train",
    )
    split_seed: int = Field(0, ge=0, description="seed of the validation split and of the subsets")
    stratified: bool = Field(False, description="subsets keep the share of every class")
    metric: Literal["accuracy", "matthews", "f1", "micro-f1"] | None = Field(
        None,
        description="what the task is scored by; None: its field's own (f1 is macro, micro-f1 over positive classes)",
    )
    protect_masks: bool | None = Field(
        None, description="masks of entities such as @GENE$ are never changed; None: so with biomedical tasks"
    )
    later: ClassVar[frozenset[str]] = frozenset({"metric", "protect_masks"})


class ModelConfig(_Config):
    """A teacher or student as a network (`[teacher]`, `[student]`)."""

    name: str = Field("minilm", description="`minilm` (embedded), a Hugging Face id, or a local directory")
    architecture: Literal["encoder", "bilstm", "enct5"] = Field("encoder", description="kind of classifier")
    layers: tuple[int, ...] | None = Field(
        None, description="keep these layers of the encoder (0-based), as DistilBERT"
    )
    fresh: bool = Field(False, description="random initialisation instead of the pretrained weights")
    hidden_size: int | None = Field(None, ge=1, description="width of a bilstm (or of a fresh encoder)")
    dropout: float | None = Field(None, ge=0, lt=1, description="dropout in training; None: the model's own")
    freeze_embeddings: bool = Field(False, description="do not train the input embeddings")


class TrainConfig(_Config):
    """Everything of one training run (teacher's fine-tuning, student's fine-tuning or distillation)."""

    steps: int = Field(200, ge=1, description="optimiser steps")
    batch_size: int = Field(32, ge=1, description="original examples a step (as many augmented ones are added)")
    accumulate: int = Field(1, ge=1, description="micro-batches a step; the loss does not depend on it")
    learning_rate: float = Field(3e-4, gt=0, description="peak learning rate")
    optimizer: Literal["adamw", "adafactor"] = "adamw"
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps with a rising learning rate")
    weight_decay: float = Field(0.01, ge=0)
    clip: float | None = Field(1.0, gt=0, description="largest gradient norm")
    alpha: float = Field(0.1, ge=0, le=1, description="weight of hard labels on original data (section 2)")
    beta: float = Field(0.0, ge=0, le=1, description="weight of hard labels on augmented data (section 2)")
    gamma: float = Field(0.5, ge=0, le=1, description="weight of original against augmented data (section 2)")
    distance: Literal["mse", "mse-probability", "kl", "ce"] = Field(
        "mse", description="distance between student and teacher outputs: mse of logits, of probabilities, kl, ce"
    )
    temperature: float = Field(1.0, gt=0, description="temperature of kl and ce")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    evaluate_every: int | None = Field(None, ge=1, description="steps between evaluations; None: at the end only")
    checkpoint_every: int | None = Field(None, ge=1, description="steps between checkpoints; None: about every minute")
    max_minutes: float | None = Field(None, gt=0, description="stop after this much training time")
    max_teacher_calls: int | None = Field(None, ge=1, description="stop after this many texts scored by the teacher")
    select: Literal["last", "best-validation", "paper"] = Field(
        "last",
        description="which weights are reported: the last, the best on validation, the best on the test set (paper)",
    )


class AugmentConfig(_Config):
    """An augmenter, its degree and its options (`[augment]`); options it does not use never name a run."""

    augmenter: str = Field("knn", description="one of " + ", ".join(AUGMENTERS))
    degree: float = Field(0.3, ge=0, le=1, description="semantic shift degree, the share of eligible tokens changed")
    copies: int | None = Field(None, ge=1, description="offline: augmented texts per original; None: online")
    mixing: Literal["halves", "mixed"] = Field(
        "halves",
        description="offline copies: halves (half of each batch, weighed by gamma), mixed (into the data)",
    )
    neighbours: int = Field(15, ge=1, description="k of kNN")
    metric: Literal["cosine", "euclidean"] = Field("cosine", description="distance of the neighbour table")
    embeddings: Literal["teacher", "student"] = Field(
        "teacher", description="whose tokens are changed, and whose input embeddings kNN uses"
    )
    entropy_quantile: float | None = Field(
        None, gt=0, lt=1, description="share of the augmented texts that the selection keeps; None: all [29]"
    )
    selection: Literal["low-entropy", "high-entropy", "confident", "glitter"] = Field(
        "low-entropy",
        description="what is kept: the teacher's lowest or highest entropies, its largest probabilities, or (glitter) "
        "of several versions of a text the one on which student and teacher differ most",
    )
    candidates: int = Field(4, ge=2, description="glitter, flipda: versions of each text to choose from")
    student: str | None = Field(
        None, description="glitter, augpro-fgsm: directory of a trained student, the same throughout"
    )
    language_model: str | None = Field(
        None,
        description="contextual: a masked language model with the batches' tokenizer; knn-in-context: a causal one, "
        "None: the embedded SmolLM2; flipda: T5, None: T5 Large",
    )
    pattern: str = Field("{text} It is {label}.", description="flipda: what names the label to T5, beside the text")
    engine: str | None = Field(
        None,
        description="back-translation: `apertium` or a translation model's id or path; paraphrase, in-context: "
        "http://host/v1#model",
    )
    calls: int | None = Field(None, ge=1, description="paraphrase, in-context: most calls to the endpoint")
    tokens: int | None = Field(None, ge=1, description="paraphrase, in-context: most tokens to and from the endpoint")
    pivots: tuple[str, ...] | None = Field(None, description="back-translation: pivot languages")
    decoding: Literal["beam", "sample"] = Field("beam", description="back-translation by a model: its decoding")
    later: ClassVar[frozenset[str]] = frozenset(
        {"mixing", "selection", "candidates", "student", "language_model", "pattern", "calls", "tokens"}
    )


class RunConfig(_Config):
    """One trained student (or teacher), completely: its digest names its directory."""

    task: TaskConfig = TaskConfig()
    mode: Literal["distill", "finetune"] = "distill"
    data_size: float | int = Field(1.0, gt=0, description="a share of the training split in (0, 1] or a count > 1")
    augment: AugmentConfig | None = Field(None, description="None: no augmented data (0 %, vanilla)")
    student: ModelConfig = ModelConfig(layers=(0, 3))
    teacher: ModelConfig | None = ModelConfig()
    teacher_train: TrainConfig | None = TrainConfig(steps=761, learning_rate=1e-4, alpha=1.0, gamma=1.0)
    train: TrainConfig = TrainConfig()
    seed: int = Field(0, ge=0, description="seed of the student: its fresh weights and its dropout")
    data_seed: int = Field(0, ge=0, description="seed of the subset, of the order of batches and of the augmentation")


def run_of(values: Mapping[str, Any], where: str) -> RunConfig:
    """The run of these values, laid out as in a file; a degree of 0 or no augmenter means no augmented data.

    Raises:
        InputError: naming `where` the values are from and the field that is wrong.
    """
    augment = values.get("augment")
    if isinstance(augment, Mapping):
        if augment.get("degree") == 0 or augment.get("augmenter", "") is None:
            augment = None
        elif augment.get("copies") == "online":
            augment = {**augment, "copies": None}
        values = {**values, "augment": augment}
    config = validated(RunConfig, values, where)
    if config.augment is not None and config.augment.augmenter not in AUGMENTERS:
        raise unknown_name("augmenter", config.augment.augmenter, AUGMENTERS)
    return config


def load_run(path: Path, base: Mapping[str, Any] | None = None, over: Mapping[str, Any] | None = None) -> RunConfig:
    """The run that a TOML file describes: `RunConfig`'s fields and tables, all optional; `"none"` stands for no value.

    base, over: values for what the file leaves open, and values that take precedence, laid out as in the file.

    Raises:
        InputError: no such file, no TOML, or a field or value that does not exist, by its name.
    """
    values = with_none(read_toml(Path(path), "run"))
    return run_of(merged(merged(base or {}, values), over or {}), str(path))


def canonical(run: RunConfig) -> RunConfig:
    """The one configuration of runs that would do the same work, so that runs that tables share are trained once.

    Shares are floats and counts integers; fine-tuning without augmented data has no teacher; a BiLSTM has no layers to
    keep; options that the chosen augmenter does not read stay at their defaults.
    """
    size = run.data_size
    updates: dict[str, Any] = {"data_size": float(size) if size <= 1 else int(size)}
    if run.augment is not None:
        updates["augment"] = _with_own_options(run.augment)
    if run.mode == "finetune" and run.augment is None:
        updates |= {"teacher": None, "teacher_train": None}
    if run.student.architecture == "bilstm":
        updates["student"] = run.student.model_copy(update={"layers": None})
    return run.model_copy(update=updates)


def _with_own_options(augment: AugmentConfig) -> AugmentConfig:
    read = {*COMMON_OPTIONS, *OWN_OPTIONS.get(augment.augmenter, ())}
    if augment.engine in (None, "apertium"):
        read.discard("decoding")  # of translation models only
    if augment.copies is not None:
        read.add("mixing")
    if augment.selection == "glitter":
        read |= {"candidates", "student"}
    elif augment.entropy_quantile is None:
        read.discard("selection")
    fields = AugmentConfig.model_fields
    return augment.model_copy(update={name: fields[name].default for name in fields if name not in read})
