"""Patience: snapshots of one training, and a reading that finds a best tau which grows with the steps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simulate.studies.patience import Config, measure, read, step_curves

SMALL = Config(
    kind="patience", dimension=2, data_size=(30,), tau=(0.01, 0.2, 1.0), steps=(5, 60), augmented_size=256, hidden=8,
    batch_size=16, test_size=128, replicates=3, seed=2,
)  # fmt: skip
TAU = np.geomspace(0.01, 4, 9)


def made_up(exponent: float) -> tuple[pd.DataFrame, Config]:
    """Parabolas in ln tau whose vertex moves as steps^exponent."""
    config = SMALL.model_copy(update={"tau": tuple(TAU), "steps": (100, 1000, 10_000)})
    rng = np.random.default_rng(0)
    rows = [
        {"data_size": 30, "steps": steps, "tau": tau, "replicate": replicate,
         "value": 0.2 + 0.01 * np.log(tau / (0.2 * (steps / 1000) ** exponent)) ** 2 + 0.001 * rng.standard_normal()}
        for steps in config.steps
        for replicate in range(8)
        for tau in TAU
    ]  # fmt: skip
    return pd.DataFrame(rows), config


def test_every_number_of_steps_is_a_snapshot_and_longer_training_fits_better() -> None:
    table = measure(SMALL, lambda label, done, total: None)
    assert table.groupby(["steps", "tau"]).size().eq(3).all() and len(table) == 2 * 3 * 3
    mean = table.groupby("steps")["value"].mean()
    assert 0 < mean[60] < mean[5] < 1


def test_snapshots_do_not_depend_on_which_others_are_taken() -> None:
    one = measure(SMALL.model_copy(update={"steps": (5, 20)}), lambda *args: None)
    two = measure(SMALL.model_copy(update={"steps": (5, 60)}), lambda *args: None)
    pd.testing.assert_frame_equal(one[one["steps"] == 5], two[two["steps"] == 5])


@pytest.mark.parametrize(("exponent", "grows"), [(0.4, 1), (-0.4, 0), (0.0, 0)])
def test_the_exponent_of_the_best_tau_in_the_steps_is_found(exponent: float, grows: int) -> None:
    reading = read(*made_up(exponent))
    first = reading.predictions[0]
    assert first.low - 0.02 <= exponent <= first.high + 0.02 and first.measured == pytest.approx(exponent, abs=0.05)
    assert f"at {grows} of 1 data sizes" in reading.sentence
    assert all(one.outcome == "silent" for one in reading.predictions)  # the theory names a sign, no number


def test_growth_that_only_the_fewest_steps_make_is_named() -> None:
    table, config = made_up(-0.3)
    table.loc[table["steps"] == 100, "value"] = made_up(0.9)[0].loc[table["steps"] == 100, "value"]
    reading = read(table, config)
    assert reading.sentence.endswith("without the fewest steps it grows at 0 and falls at 1")
    later = next(one for one in reading.predictions if "from 1000 steps on" in one.quantity)
    assert later.high < 0 < reading.predictions[0].high - later.high


def test_curves_carry_steps_in_the_place_of_the_data_size() -> None:
    table, config = made_up(0.2)
    assert [curve.data_size for curve in step_curves(table, 30)] == list(config.steps)
    assert len(read(table, config).draw().axes) == 1
