"""Runs as the paper's authors ran them: the whole training data, no validation split, copies mixed into the data."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from empirical.config import AugmentConfig, ModelConfig, RunConfig
from empirical.runs.run import run_cohort, run_directory
from empirical.sweeps.definition import load_sweep
from tests.empirical.tiny_kd import bert, run
from theory.errors import InputError

SHIFT = AugmentConfig(augmenter="random", degree=0.4)


def without_validation(config: RunConfig) -> RunConfig:
    return config.model_copy(update={"task": config.task.model_copy(update={"validation_size": 0})})


def test_a_run_without_a_validation_split_trains_on_everything_and_is_scored_on_test(place):
    config = without_validation(run(place, augment=SHIFT, train={"evaluate_every": 3, "select": "paper"}))
    result = run_cohort([config], place / "results")[0]
    assert (result.status, result.reason) == ("finished", "")
    assert result.data_size == 192 and result.validation == {"n": 0}  # of 240 texts 48 are the test split
    curve = pd.read_parquet(run_directory(config, place / "results") / "curve.parquet")
    assert set(curve["split"]) == {"train", "test"}
    assert result.test["accuracy"] == curve[curve["metric"] == "accuracy"]["value"].max()


def test_choosing_on_a_validation_split_that_is_not_there_is_refused(place, tmp_path):
    config = without_validation(run(place, train={"select": "best-validation"}))
    with pytest.raises(InputError, match="validation_size"):
        run_cohort([config], place / "results")
    file = tmp_path / "rates.toml"
    file.write_text("[base.task]\nvalidation_size = 0\n[[block]]\naxes = { learning_rate = [0.01, 0.001] }\n")
    with pytest.raises(InputError, match='protocol = "paper"'):
        load_sweep(file)
    file.write_text('protocol = "paper"\n' + file.read_text())
    assert len(load_sweep(file).runs) == 2


@pytest.mark.parametrize("validation_size", [None, 0])
def test_a_teacher_no_better_than_the_majority_class_is_refused_with_its_scores(place, validation_size):
    config = run(place, train={"steps": 2})
    updates = {"task": config.task.model_copy(update={"validation_size": validation_size})}
    weak = config.teacher_train.model_copy(update={"steps": 1, "learning_rate": 1e-12})  # its head is as it was made
    bad = config.model_copy(
        update={**updates, "teacher_train": weak, "teacher": ModelConfig(name=str(constant(place)))}
    )
    split = "validation" if validation_size is None else "test"
    with pytest.raises(InputError, match=rf"accuracy 0\.\d+, the most frequent class 0\.\d+ on \d+ {split} texts"):
        run_cohort([bad], place / "results")
    assert not run_directory(bad, place / "results").exists()
    elsewhere = bad.model_copy(update={"teacher_train": None})
    with pytest.raises(InputError, match="--accept-weak-teacher"):
        run_cohort([elsewhere], place / "results")
    (result,) = run_cohort([elsewhere], place / "results", accept_weak_teacher=True)
    assert result.status == "finished"


def constant(place):
    """A classifier that answers its last class, whatever it is asked."""
    folder = place / "constant"
    if not folder.exists():
        bert(folder)
        weights = load_file(folder / "model.safetensors")
        weights["classifier.weight"] *= 0
        weights["classifier.bias"] = torch.tensor([0.0, 0.0, 1.0])
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_a_run_on_copies_mixed_into_the_data(place):
    augment = AugmentConfig(augmenter="random", degree=0.4, copies=2, mixing="mixed")
    config = run(place, augment=augment, train={"steps": 4})
    (result,) = run_cohort([config], place / "results", accept_weak_teacher=True)
    assert (result.status, result.mixed, result.examples_seen) == ("finished", True, 4 * 8)
    assert result.gamma == pytest.approx(1 / 3)
    assert result.realised_degree == pytest.approx(0.4, abs=0.15)
