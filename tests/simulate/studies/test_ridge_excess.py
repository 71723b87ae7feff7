"""The ridge study: the calculation is near the fitted students, and its reading counts grid steps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simulate.studies.ridge_excess import Config, measure, read

SMALL = Config(
    kind="ridge-excess", kernel=("isotropic", "replacement"), data_size=(20, 80), tau=(0.05, 0.4, 1.5), penalty=(1e-3,),
    pool=400, copies=3, features=24, held_out=300, replicates=8, seed=1, dimension=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return measure(SMALL, lambda label, done, total: None)


def test_predicted_and_measured_agree_below_and_above_the_number_of_features(table: pd.DataFrame) -> None:
    mean = table.groupby(["kernel", "data_size", "tau"])[["value", "predicted"]].mean()
    assert len(mean) == 2 * 2 * 3
    assert (mean["predicted"] / mean["value"]).between(0.7, 1.4).all()
    # A replicate's texts are the same at every tau, and other ones in another replicate.
    assert table.groupby(["kernel", "data_size", "tau"])["value"].nunique().eq(8).all()


def test_the_reading_counts_steps_and_names_the_measured_optimum(table: pd.DataFrame) -> None:
    reading = read(table, SMALL)
    assert len(reading.predictions) == 4 and "of 4 curves" in reading.sentence
    for one in reading.predictions:
        assert one.low <= one.measured <= one.high and one.predicted in SMALL.tau


def test_a_prediction_that_points_elsewhere_is_counted_against_it() -> None:
    rows = [
        {"kernel": "isotropic", "penalty": 1e-3, "data_size": 20, "tau": tau, "replicate": replicate,
         "value": value + 0.01 * replicate, "predicted": 3 - value}
        for tau, value in zip(SMALL.tau, (1.0, 1.5, 2.0), strict=True)
        for replicate in range(4)
    ]  # fmt: skip
    reading = read(pd.DataFrame(rows), SMALL)
    assert reading.sentence.startswith("the calculated best tau is within one grid step of the measured on 0 of 1")
    assert "least -1.00" in reading.sentence and "2 grid steps" in reading.predictions[0].note


def test_the_figure_draws_the_calculation_beside_the_points(table: pd.DataFrame) -> None:
    figure = read(table, SMALL).draw()
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["isotropic", "replacement"]
    cell = table[(table["kernel"] == "isotropic") & (table["data_size"] == 20)].groupby("tau")["predicted"].first()
    drawn = [line.get_ydata(orig=False) for line in figure.axes[0].lines if len(line.get_ydata()) == 3]
    assert any(np.allclose(values, cell) for values in drawn)
