"""Tasks: nested subsets, splits that do not move, and names and sizes that make no sense refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.config import TaskConfig
from empirical.tasks.load import TASKS, Split, Task, availability, load_task, subset_size, validation_size
from theory.errors import InputError

DATA = Path(__file__).parents[1] / "data"


def made_up(count: int, stratified: bool = False) -> Task:
    labels = np.arange(count) % 7 % 3
    split = Split(text_a=[f"text {i}" for i in range(count)], text_b=None, labels=labels)
    return Task(name="x", labels=("a", "b", "c"), metric="accuracy", train=split, validation=split, test=split,
                stratified=stratified)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.integers(20, 400), st.integers(0, 2**32), st.floats(0.01, 1), st.floats(0.01, 1), st.booleans())
def test_subsets_are_nested_and_without_repeats(count, seed, one, other, stratified):
    task = made_up(count, stratified)
    small, large = (task.subset(share, seed) for share in sorted((one, other)))
    assert set(small) <= set(large)
    assert len(set(large)) == len(large) == subset_size(max(one, other), count)
    assert list(large[: len(small)]) == list(small)


def test_a_subset_depends_on_its_seed_and_on_nothing_else():
    task = made_up(300)
    assert list(task.subset(0.1, 5)) == list(made_up(300).subset(30, 5))
    assert set(task.subset(0.1, 5)) != set(task.subset(0.1, 6))
    assert sorted(task.subset(1, 5)) == sorted(task.subset(1.0, 5)) == list(range(300))


@pytest.mark.parametrize("seed", range(5))
def test_stratified_subsets_keep_the_shares_of_the_classes(seed):
    task = made_up(700, stratified=True)
    whole = np.bincount(task.train.labels) / 700
    for share in (0.02, 0.1, 0.5):
        chosen = task.subset(share, seed)
        assert np.all(np.abs(np.bincount(task.train.labels[chosen], minlength=3) - whole * len(chosen)) <= 1)


@pytest.mark.parametrize("size", [0, -0.1, 301, 2.5, float("nan")])
def test_impossible_subsets_are_refused(size):
    with pytest.raises(InputError, match="data_size"):
        made_up(300).subset(size, 0)


def test_validation_sizes():
    assert validation_size(None, 392_702) == 1000
    assert validation_size(None, 300) == 30
    assert validation_size(0.25, 300) == 75
    assert validation_size(0, 300) == 0
    with pytest.raises(InputError, match="validation_size"):
        validation_size(300, 300)


def test_known_tasks_that_are_not_here_say_what_is_missing(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"task\.path"):
        load_task(TaskConfig(name="lll"))
    with pytest.raises(InputError, match="no train"):
        load_task(TaskConfig(name="qnli", path=str(tmp_path)))
    with pytest.raises(InputError, match="nearest: mnli"):
        load_task(TaskConfig(name="mnlii"))
    with pytest.raises(InputError, match=r"task\.path"):
        load_task(TaskConfig(name="qnli", path=str(tmp_path / "nowhere")))
    with pytest.raises(InputError, match="own columns"):
        load_task(TaskConfig(name="tweets", label="sentiment"))
    assert {availability(spec) != "" for spec in TASKS.values()} == {True}


def test_without_a_validation_split_the_whole_training_data_is_trained_on():
    glue = TaskConfig(name="rte", path=str(DATA / "glue" / "rte"))
    whole, cut = load_task(glue.model_copy(update={"validation_size": 0})), load_task(glue)
    assert len(whole.validation) == 0 and len(whole.train) == len(cut.train) + len(cut.validation)
    assert whole.test.digest() == cut.test.digest()
    chemprot = load_task(TaskConfig(name="chemprot", path=str(DATA / "biomedical" / "chemprot"), validation_size=0))
    assert (len(chemprot.train), len(chemprot.validation), len(chemprot.test)) == (24, 0, 6)
