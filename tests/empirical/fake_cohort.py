"""A cohort runner that trains nothing: it writes what a run writes, with a score that follows from its configuration.

The real loop is tested elsewhere; here sweeps, engines and tables are, on many runs in little time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from empirical.config import AugmentConfig, ModelConfig, RunConfig, TaskConfig, TrainConfig
from empirical.runs.layout import run_directory
from empirical.runs.record import write_config, write_predictions, write_result
from empirical.runs.result import RunResult
from empirical.sweeps.definition import Sweep

EXAMPLES = 400
LABELS = np.arange(EXAMPLES) % 2


def accuracy(config: RunConfig) -> float:
    """An inverted U in the degree, best at 0.3, with a little of the seed in it; 0.01 is the better learning rate."""
    degree = 0.0 if config.augment is None else config.augment.degree
    rate = 0.0 if config.train.learning_rate == 0.01 else 0.05
    return 0.8 - 0.5 * (degree - 0.3) ** 2 - rate + 0.005 * (config.seed % 3)


def fake_run(
    configs: Sequence[RunConfig], root: Path, *, progress: Any = None, stop: Any = None, **_: Any
) -> list[RunResult]:
    """Finish every run at once, noting in `log` beside the results that it was run."""
    results = []
    for config in configs:
        folder = run_directory(config, root)
        write_config(config, folder)
        right = np.random.default_rng(config.seed).permutation(EXAMPLES) < round(accuracy(config) * EXAMPLES)
        predicted = np.where(right, LABELS, 1 - LABELS)
        one_hot = np.eye(2, dtype=np.float32)[predicted]
        write_predictions({"validation": one_hot, "test": one_hot}, {"validation": LABELS, "test": LABELS}, folder)
        score = {"n": EXAMPLES, "accuracy": float(right.mean())}
        result = RunResult(
            config_digest=config.digest(), status="finished", metric="accuracy",
            scores={"test": score, "validation": score}, steps=config.train.steps, wall_seconds=1.5,
            data_size=100, teacher_calls=7, examples_seen=9, realised_degree=0.0,
        )  # fmt: skip
        write_result(result, folder)
        log(root, folder.name)
        results.append(result)
    if progress:
        progress("train", 1, 1)
    return results


def log(root: Path, line: str) -> None:
    with open(Path(root) / "log", "a", encoding="utf-8") as lines:
        lines.write(f"{os.getpid()} {line}\n")


def logged(root: Path) -> list[str]:
    """The names of the runs that were run, in order."""
    path = Path(root) / "log"
    return [line.split()[1] for line in path.read_text().splitlines()] if path.exists() else []


def broken_at_half(configs: Sequence[RunConfig], root: Path, **options: Any) -> list[RunResult]:
    """Fails every cohort of degree 0.5 as a programming error would."""
    if configs[0].augment is not None and configs[0].augment.degree == 0.5:
        raise RuntimeError("the loss is not a number")
    return fake_run(configs, root, **options)


def killed_once(configs: Sequence[RunConfig], root: Path, **options: Any) -> list[RunResult]:
    """Kills its process the first time it meets degree 0.5, as the kernel does when memory runs out."""
    tombstone = Path(root) / "killed"
    if configs[0].augment is not None and configs[0].augment.degree == 0.5 and not tombstone.exists():
        tombstone.touch()
        os.kill(os.getpid(), 9)
    return fake_run(configs, root, **options)


def slow(configs: Sequence[RunConfig], root: Path, **options: Any) -> list[RunResult]:
    time.sleep(0.2)
    return fake_run(configs, root, **options)


def own_task(folder: Path) -> Path:
    path = folder / "own.jsonl"
    rows = [{"text": f"text {i}", "label": i % 2} for i in range(60)]
    if not path.exists():  # other processes may be reading it
        path.write_text("\n".join(map(json.dumps, rows)))
    return path


def sweep_of(folder: Path, *, degrees: Sequence[float] = (0.0, 0.3, 0.5), seeds: int = 2,
             rates: Sequence[float] = (0.01, 0.001), protocol: str = "validation") -> Sweep:  # fmt: skip
    """Distillation on a file of one's own from a teacher that needs no training."""
    runs = tuple(
        RunConfig(
            task=TaskConfig(name=str(own_task(folder))),
            data_size=0.5,
            augment=AugmentConfig(augmenter="random", degree=degree) if degree else None,
            teacher=ModelConfig(name=str(folder)),
            teacher_train=None,
            student=ModelConfig(name=str(folder)),
            train=TrainConfig(steps=3, learning_rate=rate),
            seed=seed,
        )
        for degree in degrees
        for seed in range(seeds)
        for rate in rates
    )
    return Sweep(
        name="small", title="a small sweep", protocol=protocol, table=None, runs=runs, groups=("",) * len(runs)
    )
