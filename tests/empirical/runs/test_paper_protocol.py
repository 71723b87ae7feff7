"""Runs as the paper's authors ran them: the whole training data, no validation split, copies mixed into the data."""

from __future__ import annotations

import pandas as pd
import pytest

from empirical.config import AugmentConfig, RunConfig
from empirical.runs.run import run_cohort, run_directory
from empirical.sweeps.definition import load_sweep
from tests.empirical.tiny_kd import run
from theory.errors import InputError

SHIFT = AugmentConfig(augmenter="random", degree=0.4)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("protocol")


def without_validation(config: RunConfig) -> RunConfig:
    return config.model_copy(update={"task": config.task.model_copy(update={"validation_size": 0})})


def test_a_run_without_a_validation_split_trains_on_everything_and_is_scored_on_test(place):
    config = without_validation(run(place, augment=SHIFT, train={"evaluate_every": 3, "select": "paper"}))
    result = run_cohort([config], place / "results")[0]
    assert (result["status"], result["reason"]) == ("finished", "")
    assert result["data_size"] == 192 and result["validation"] == {"n": 0}  # of 240 texts 48 are the test split
    curve = pd.read_parquet(run_directory(config, place / "results") / "curve.parquet")
    assert set(curve["split"]) == {"train", "test"}
    assert result["test"]["accuracy"] == curve[curve["metric"] == "accuracy"]["value"].max()


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
