"""`kdshift empirical masked-lm`: a masked language model for contextual augmentation, from an encoder and raw texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.types import NonNegativeInt, PositiveInt

from kdshift.cli.output import emit_json, emit_table


def masked_lm(
    *,
    out: Annotated[Path, Parameter(help="directory for the model, to be given as --language-model")],
    task: Annotated[str, Parameter(help="whose training texts: a known task, or a file of your own")] = "tweets",
    model: Annotated[str, Parameter(help="the encoder: `minilm`, a Hugging Face id or a directory")] = "minilm",
    steps: Annotated[PositiveInt, Parameter(help="optimiser steps of 32 texts")] = 600,
    teacher: Annotated[
        str | None, Parameter(help="with --student: train it to part these two classifiers (MATE-KD)")
    ] = None,
    student: Annotated[str | None, Parameter(help="directory of a trained student, for --teacher")] = None,
    degree: Annotated[float, Parameter(help="with --teacher: share of the tokens that are masked")] = 0.3,
    seed: Annotated[NonNegativeInt, Parameter(help="seed of everything random")] = 0,
    json: Annotated[bool, Parameter(negative="", help="print JSON")] = False,
) -> None:
    """Train an encoder to fill masked tokens of a task's texts, without their labels.

    The embedded MiniLM has no masked-LM head: this gives it one. 600 steps take some ten minutes on an old core.
    With --teacher and --student it is trained to fill the gaps where those two differ most: a generator for the
    augmenter mate-kd.
    """
    from empirical.config import ModelConfig, TaskConfig
    from empirical.tasks.load import load_task
    from empirical.training.masked_lm import train_masked_model
    from empirical.training.mate_kd import train_generator
    from kdshift.cli.progress import shown
    from theory.errors import InputError

    if (teacher is None) != (student is None):
        raise InputError("--teacher, --student", teacher or student, "both directories, or neither")
    if not 0 < degree <= 1:
        raise InputError("--degree", degree, "above 0, up to 1")
    texts = load_task(TaskConfig(name=task)).train.text_a
    with shown() as progress:
        every: dict[str, Any] = {"steps": steps, "seed": seed, "progress": progress}
        if teacher is not None and student is not None:
            before, gap = train_generator(ModelConfig(name=model), teacher, student, texts, out, degree=degree, **every)
            found = {"directory": str(out), "steps": steps, "gap_before": before, "gap": gap, "texts": len(texts)}
        else:
            loss = train_masked_model(ModelConfig(name=model), texts, out, **every)
            found = {"directory": str(out), "steps": steps, "loss": loss, "texts": len(texts)}
    if json:
        emit_json(found)
        return
    columns = ["directory", "steps", *(name for name in ("loss", "gap_before", "gap") if name in found)]
    title = "masked language model" if teacher is None else "generator against teacher and student"
    emit_table(title, columns, [[found[name] for name in columns]], f"{task}; nats")
