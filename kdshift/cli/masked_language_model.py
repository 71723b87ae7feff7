"""`kdshift empirical masked-lm`: a masked language model for contextual augmentation, from an encoder and raw texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import NonNegativeInt, PositiveInt

from kdshift.cli.output import emit_json, emit_table


def masked_lm(
    *,
    out: Annotated[Path, Parameter(help="directory for the model, to be given as --language-model")],
    task: Annotated[str, Parameter(help="whose training texts: a known task, or a file of your own")] = "tweets",
    model: Annotated[str, Parameter(help="the encoder: `minilm`, a Hugging Face id or a directory")] = "minilm",
    steps: Annotated[PositiveInt, Parameter(help="optimiser steps of 32 texts")] = 600,
    seed: Annotated[NonNegativeInt, Parameter(help="seed of everything random")] = 0,
    json: Annotated[bool, Parameter(negative="", help="print JSON")] = False,
) -> None:
    """Train an encoder to fill masked tokens of a task's texts, without their labels.

    The embedded MiniLM has no masked-LM head: this gives it one. 600 steps take some ten minutes on an old core.
    """
    from empirical.config import ModelConfig, TaskConfig
    from empirical.tasks.load import load_task
    from empirical.training.masked_lm import train_masked_model
    from kdshift.cli.progress import shown

    texts = load_task(TaskConfig(name=task)).train.text_a
    with shown() as progress:
        loss = train_masked_model(
            ModelConfig(name=model),
            texts,
            out,
            steps=steps,
            seed=seed,
            progress=lambda step, _: progress("masked-lm", step, steps),
        )
    if json:
        emit_json({"directory": str(out), "steps": steps, "loss": loss, "texts": len(texts)})
        return
    emit_table("masked language model", ["directory", "steps", "loss (nats)"], [[str(out), steps, loss]], f"{task}")
