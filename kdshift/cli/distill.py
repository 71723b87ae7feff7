"""`kdshift empirical finetune | distill`: one run, from options or from a TOML file, in its directory."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from kdshift.cli.lists import Layers
from kdshift.cli.output import Json, emit_json, emit_table, log_to_stderr
from kdshift.cli.progress import shown
from theory.settings_file import merged

if TYPE_CHECKING:
    from empirical.config import RunConfig
    from empirical.runs.layout import RunFiles
    from empirical.runs.result import RunResult

Results = Annotated[Path, Parameter(help="results directory; the run gets a folder in it")]
Compile = Annotated[
    bool,
    Parameter(name="--compile", negative="", help="compile the models first (torch.compile): pays on long GPU runs"),
]
WeakTeacher = Annotated[
    bool, Parameter(negative="", help="learn from a teacher that is no better than the most frequent class, too")
]
File = Annotated[Path | None, Parameter(help="TOML file with the run's configuration; options take precedence")]


@Parameter(name="*")
@dataclass(kw_only=True)
class RunOptions:
    """What both verbs take; what is not given comes from the file, or else from the defaults."""

    task: Annotated[
        str | None,
        Parameter(help="a known task, or a CSV, TSV, JSONL or Parquet file of your own"),
    ] = None
    task_path: Annotated[str | None, Parameter(help="folder with a known task's data, not the hub")] = None
    max_length: Annotated[int | None, Parameter(help="tokens a text (or pair) is cut to [128]")] = None
    data_size: Annotated[float | None, Parameter(help="a share of the training split in (0, 1], or a count")] = None
    augmenter: Annotated[str | None, Parameter(help="knn, random, synonym, eda, back-translation, ground-truth")] = None
    degree: Annotated[float | None, Parameter(help="semantic shift degree in [0, 1]; 0 is no augmented data")] = None
    copies: Annotated[
        int | None,
        Parameter(help="augmented texts per original, made once (offline); else fresh at every step"),
    ] = None
    neighbours: Annotated[int | None, Parameter(help="k of kNN [15]")] = None
    gamma: Annotated[float | None, Parameter(help="weight of original against augmented data, section 2 [0.5]")] = None
    steps: Annotated[int | None, Parameter(help="optimiser steps [200]")] = None
    batch_size: Annotated[
        int | None, Parameter(help="original texts a step; as many augmented ones are added [32]")
    ] = None
    learning_rate: Annotated[float | None, Parameter(help="peak learning rate")] = None
    optimizer: Annotated[
        Literal["adamw", "adafactor"] | None,
        Parameter(help="adamw or adafactor (the paper's rates 0.01 and 0.001 fit the latter)"),
    ] = None
    precision: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"] | None,
        Parameter(help="fp32, bf16, fp16, or auto (bf16 where the device has it)"),
    ] = None
    evaluate_every: Annotated[int | None, Parameter(help="steps between evaluations; else only at the end")] = None
    max_minutes: Annotated[float | None, Parameter(help="stop after this much training time")] = None
    select: Annotated[
        Literal["last", "best-validation", "paper"] | None,
        Parameter(help="last, best-validation, or paper (the best on the test set)"),
    ] = None
    seed: Annotated[int | None, Parameter(help="seed of the student's fresh weights and dropout [0]")] = None
    data_seed: Annotated[
        int | None, Parameter(help="seed of the subset, the order of batches and the augmentation [0]")
    ] = None

    def values(self) -> dict[str, Any]:
        """The options that were given, laid out as in a run's file."""
        size = self.data_size
        train = ("gamma", "steps", "batch_size", "learning_rate", "optimizer", "precision", "evaluate_every",
                 "max_minutes", "select")  # fmt: skip
        given = {
            "task": {"name": self.task, "path": self.task_path, "max_length": self.max_length},
            "data_size": int(size) if size is not None and size > 1 and size == int(size) else size,
            "augment": {name: getattr(self, name) for name in ("augmenter", "degree", "copies", "neighbours")},
            "train": {name: getattr(self, name) for name in train},
            "seed": self.seed,
            "data_seed": self.data_seed,
        }
        return _given(given)


DEFAULTS = RunOptions()


def finetune(
    file: File = None,
    /,
    options: RunOptions = DEFAULTS,
    *,
    model: Annotated[str | None, Parameter(help="`minilm` (embedded), a Hugging Face id or a directory")] = None,
    architecture: Annotated[Literal["encoder", "bilstm", "enct5"] | None, Parameter(help="kind of classifier")] = None,
    layers: Annotated[Layers | None, Parameter(help="keep these layers, counted from 0; none: all")] = None,
    fresh: Annotated[bool | None, Parameter(negative="", help="random weights instead of pretrained ones")] = None,
    freeze_embeddings: Annotated[bool | None, Parameter(negative="", help="do not train the embeddings")] = None,
    results: Results = Path("results"),
    tensorboard: Annotated[bool, Parameter(negative="", help="also write TensorBoard logs")] = False,
    compiled: Compile = False,
    json: Json = False,
) -> None:
    """Fine-tune one model on a task, with augmented data or without; the model is kept in the run's folder.

    Example: `kdshift empirical finetune --task reviews.csv --model minilm --steps 500 --learning-rate 1e-4`
    """
    student = {"name": model, "architecture": architecture, "fresh": fresh}
    student["freeze_embeddings"] = freeze_embeddings
    base = {"student": {}, "teacher": None, "teacher_train": None, "train": {"learning_rate": 1e-4}}
    over = {"mode": "finetune", **options.values(), "student": _given(student) | _kept(layers)}
    _run(_config(file, base, over), results, json, tensorboard=tensorboard, compiled=compiled)


def distill(
    file: File = None,
    /,
    options: RunOptions = DEFAULTS,
    *,
    teacher: Annotated[str | None, Parameter(help="`minilm` (embedded), a Hugging Face id or a directory")] = None,
    teacher_steps: Annotated[int | None, Parameter(help="steps of its fine-tuning; 0: it is fine-tuned")] = None,
    student: Annotated[
        str | None, Parameter(help="`minilm`, an id, a directory, or `teacher` (cut from the trained teacher)")
    ] = None,
    architecture: Annotated[Literal["encoder", "bilstm", "enct5"] | None, Parameter(help="kind of student")] = None,
    layers: Annotated[
        Layers | None, Parameter(help="layers the student keeps, counted from 0; none: all [0,3]")
    ] = None,
    fresh: Annotated[bool | None, Parameter(negative="", help="a student with random weights")] = None,
    alpha: Annotated[float | None, Parameter(help="weight of hard labels on original data [0.1]")] = None,
    beta: Annotated[float | None, Parameter(help="weight of hard labels on augmented data [0]")] = None,
    distance: Annotated[
        Literal["mse", "mse-probability", "kl", "ce"] | None, Parameter(help="distance to the teacher [mse]")
    ] = None,
    temperature: Annotated[float | None, Parameter(help="temperature of kl and ce [1]")] = None,
    max_teacher_calls: Annotated[int | None, Parameter(help="stop after this many texts for the teacher")] = None,
    results: Results = Path("results"),
    tensorboard: Annotated[bool, Parameter(negative="", help="also write TensorBoard logs")] = False,
    compiled: Compile = False,
    accept_weak_teacher: WeakTeacher = False,
    json: Json = False,
) -> None:
    """Distil one teacher into one student; the teacher is fine-tuned first (once), the student is kept.

    Example: `kdshift empirical distill --task reviews.csv --data-size 0.1 --degree 0.3 --steps 500`
    """
    extra: dict[str, Any] = {
        "mode": "distill",
        "teacher": {"name": teacher},
        "teacher_train": {"steps": teacher_steps or None},
        "student": {"name": student, "architecture": architecture, "fresh": fresh},
        "train": {"alpha": alpha, "beta": beta, "distance": distance, "temperature": temperature,
                  "max_teacher_calls": max_teacher_calls},
    }  # fmt: skip
    base = {"teacher_train": {"learning_rate": 1e-4, "alpha": 1.0, "gamma": 1.0}} if teacher_steps else {}
    over = merged(merged(options.values(), _given(extra)), {"student": _kept(layers)})
    config = _config(file, base, over)
    if teacher_steps == 0:
        config = config.model_copy(update={"teacher_train": None})
    _run(config, results, json, tensorboard=tensorboard, compiled=compiled, accept_weak_teacher=accept_weak_teacher)


def _kept(layers: Layers | None) -> dict[str, Any]:
    """The layers as in a run's file, where they were given: all of them are null there."""
    return {} if layers is None else {"layers": layers or None}


def _config(file: Path | None, base: dict[str, Any], over: dict[str, Any]) -> RunConfig:
    """The one configuration of the run that the file and the options ask for."""
    from empirical.config import canonical, load_run, run_of

    return canonical(run_of(merged(base, over), "options") if file is None else load_run(file, base, over))


def _run(config: RunConfig, results: Path, json: bool, **how: bool) -> None:
    """Train (or find finished) one run and say how it ended."""
    from empirical.files import writable
    from empirical.runs.layout import RunFiles, run_directory
    from empirical.sweeps.engines import STOP, interruptible

    log_to_stderr()
    with interruptible(_announce), writable(results), shown() as progress:
        from empirical.runs.run import run_cohort

        result = run_cohort([config], results, progress=progress, stop=STOP.is_set, save_weights=True, **how)[0]
    if result.status == "stopped":
        raise KeyboardInterrupt
    files = RunFiles(run_directory(config, results))
    if json:
        emit_json({**result.record(), "directory": str(files.folder)})
    else:
        _print(result, files)
    if result.status == "failed":
        sys.stderr.write(f"kdshift: the run failed: {result.reason}\n")
        sys.exit(1)


def _announce() -> None:
    sys.stderr.write("finishing the step ...\n")


def _print(result: RunResult, files: RunFiles) -> None:
    """The scores with their intervals, what the run cost, and where everything is."""
    if result.finished:
        rows: list[list[object]] = [
            [split, result.metric, scores[result.metric], _interval(result.metric, files, split), scores["n"]]
            for split, scores in result.scores.items()
            if scores["n"]
        ]
        chosen_on_test = "test: the best evaluation on the test set (the paper's protocol)"
        note = chosen_on_test if result.select == "paper" else None
        emit_table("Scores of the student", ["split", "metric", "value", "95 %", "texts"], rows, note)
    costs: list[list[object]] = [
        ["original texts", result.data_size],
        ["degree asked, realised", f"{result.nominal_degree:.3g}, {result.realised_degree:.3g}"],
        ["steps", result.steps],
        ["texts seen, scored by the teacher", f"{result.examples_seen}, {result.teacher_calls}"],
        ["seconds", result.wall_seconds],
        ["folder", str(files.folder)],
        ["student", str(files.model) if files.model.is_dir() else "not kept"],
    ]
    emit_table("What it took", ["", ""], costs)


def _interval(metric: str, files: RunFiles, split: str) -> str:
    import numpy as np

    from empirical.metric import bootstrap, confusion, interval
    from empirical.runs.record import read_predictions

    label_N, predicted_N = read_predictions(files.folder, split)
    count_CC = confusion(label_N, predicted_N, int(max(label_N.max(), predicted_N.max())) + 1)
    low, high = interval(bootstrap(metric, count_CC, np.random.default_rng(0)))
    return f"{low:.3f} to {high:.3f}"


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """The values that are not None, without the tables that are then empty."""
    kept = {key: _given(value) if isinstance(value, dict) else value for key, value in values.items()}
    return {key: value for key, value in kept.items() if value is not None and value != {}}
