"""`kdshift empirical recommend`: which degree for my data, one answer from a pilot on a bank."""

from __future__ import annotations

import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.types import NonNegativeInt

from kdshift.cli.bank import announce_stop
from kdshift.cli.output import Json, emit_json, log_to_stderr
from kdshift.cli.progress import shown
from theory.errors import InputError

if TYPE_CHECKING:
    from empirical.recommend import Recommendation

MAX_LENGTH = 64


def recommend(
    *,
    task: Annotated[str, Parameter(help="a known task, or a CSV, TSV, JSONL or Parquet file")] = "tweets",
    data_size: Annotated[
        float, Parameter(name=["--data-size", "-n"], help="share of the training split, or a count")
    ] = 1.0,
    augmenter: Annotated[str, Parameter(help="augmenter whose degree is asked for")] = "knn",
    teacher: Annotated[str, Parameter(help="`minilm`, a Hugging Face id or a directory")] = "minilm",
    teacher_steps: Annotated[
        NonNegativeInt, Parameter(help="steps of the teacher's fine-tuning, 16 texts each; 0: it is fine-tuned")
    ] = 200,
    pool: Annotated[
        int | None, Parameter(help="training texts that the pilot augments [880, or eight times the data size]")
    ] = None,
    results: Annotated[Path, Parameter(help="results directory: the teacher and the bank are kept")] = Path("results"),
    json: Json = False,
) -> None:
    """Which degree for my data: one answer, with what it gains, from light students on a bank of these texts.

    The test split takes no part. The same command again answers from what is kept.
    """
    from theory.degree import rule_of_thumb

    if not data_size > 0:
        raise InputError("data-size", data_size, "a share in (0, 1] or a count > 1")
    log_to_stderr()
    began = time.perf_counter()
    size = data_size if data_size <= 1 else int(data_size)
    found, theory = _piloted(task, size, augmenter, (teacher, teacher_steps), pool, results)
    record = {
        "task": task,
        "augmenter": augmenter,
        **asdict(found),
        "worth": _worth(found),
        "sentence": found.sentence(augmenter),
        "rule": float(rule_of_thumb(found.data_size)),
        "theory": theory,
        "seconds": round(time.perf_counter() - began, 1),
        "next": _next(task, data_size, augmenter, found.degree),
    }
    if json:
        emit_json(record)
    else:
        sys.stdout.write(told(record))


def _piloted(
    task: str, data_size: float, augmenter: str, teacher: tuple[str, int], pool: int | None, results: Path
) -> tuple[Recommendation, float | None]:
    """The pilot's answer and the degree of the theory's bound; teacher: its name and the steps of its fine-tuning.

    Raises:
        KeyboardInterrupt: it was stopped; what it made is kept.
    """
    from empirical.config import ModelConfig, TaskConfig, TrainConfig
    from empirical.files import writable
    from empirical.recommend import recommend as answer_for
    from empirical.recommend import theory_degree
    from empirical.sweeps.engines import STOP, interruptible

    name, steps = teacher
    config = TaskConfig(name=task, max_length=MAX_LENGTH)
    model = ModelConfig(name=name, freeze_embeddings=True)
    train = TrainConfig(steps=max(1, steps), batch_size=16, learning_rate=1e-4, alpha=1.0, gamma=1.0)
    with interruptible(announce_stop), shown() as progress, writable(results):
        found = answer_for(
            config,
            results,
            data_size=data_size,
            augmenter=augmenter,
            teacher=model,
            teacher_train=train if steps else None,
            pool=pool,
            progress=progress,
            stop=STOP.is_set,
        )
        if found is None:
            raise KeyboardInterrupt
        return found, theory_degree(config, data_size, augmenter, model)


def _next(task: str, data_size: float, augmenter: str, degree: float) -> str:
    """The command that trains at the degree that was found."""
    command = ["kdshift", "empirical", "distill", "--task", task, "--data-size", f"{data_size:g}"]
    return shlex.join([*command, "--augmenter", augmenter, "--degree", f"{degree:g}"])


def _worth(found: Recommendation) -> str | None:
    """What the best degree is worth in real texts, a sentence; None where it is not shown to help or not known."""
    if found.exchange is None or not found.exchange.known or found.verdict != "supported":
        return None
    times = found.exchange.times(found.pilot_size)
    return f"Beside {found.pilot_size} texts that is worth {times} real ones with the teacher's answers."


def told(record: dict[str, Any]) -> str:
    """The answer as lines of text."""
    size, pilot = record["data_size"], record["pilot_size"]
    lines = [record["sentence"] + "."]
    if record["worth"]:
        lines.append(record["worth"])
    if pilot < size:
        lines.append(f"Measured at {pilot} texts; of {size} texts augmentation gains less, as a rule.")
    theory = "nothing (vacuous at this size)" if record["theory"] is None else f"{record['theory']:.0%}"
    lines.append(f"Beside it: the paper's rule says {record['rule']:.0%}, the theory's bound {theory}.")
    asked = f"the teacher answered {record['asked']} texts, {record['kept']} answers were kept"
    lines.append(f"{record['seconds']:.0f} s; {asked}.")
    return "\n".join([*lines, f"Next: {record['next']}", ""])
