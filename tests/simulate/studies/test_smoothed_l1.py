"""The smoothed L1 study: its table falls as n^(-1/2), its reading refutes what is false and keeps what is true."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from simulate.studies.smoothed_l1 import RATIO, Config, measure, read
from theory.bounds import deviation_exact_variance

SMALL = Config(
    kind="smoothed-l1", dimension=(1, 2), tau=(1.0,), data_size=(50, 400, 3200), points=400, replicates=12, seed=3
)


def silent(label: str, done: float, total: float) -> None:
    """Nobody looks."""


def made_up(constant: float, exponent: float = -0.5) -> pd.DataFrame:
    """A table that follows constant n^exponent up to 1 %."""
    rng = np.random.default_rng(0)
    rows = [
        {"dimension": d, "tau": 1.0, "data_size": n, "replicate": replicate,
         "value": constant * n**exponent * (1 + 0.01 * rng.standard_normal())}
        for d in (1, 2)
        for n in SMALL.data_size
        for replicate in range(12)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_measured_distance_follows_the_limit_law_and_falls_with_the_root_of_n() -> None:
    table = measure(SMALL, silent)
    assert len(table) == 2 * 3 * 12 and table["value"].between(0, 2).all()
    found = table.groupby(["dimension", "data_size"])["value"].agg(["mean", "sem"])
    for d in (1, 2):
        for n in (400, 3200):
            # The limit law: sqrt(2/pi) times the integral of the standard deviation, 1.2533 below the bound.
            limit = float(deviation_exact_variance(n, 1.0, d)) / RATIO
            assert abs(found.loc[(d, n), "mean"] - limit) < 4 * found.loc[(d, n), "sem"] < 1.2 * limit
        assert 1.5 < found.loc[(d, 400), "mean"] / found.loc[(d, 3200), "mean"] < 5.5  # sqrt(8) = 2.8


def test_a_law_that_holds_is_kept_and_another_rate_is_refuted() -> None:
    exact = float(deviation_exact_variance(3200, 1.0, 1)) * math.sqrt(3200) / RATIO
    kept = read(made_up(exact), SMALL)
    slopes = [one for one in kept.predictions if one.quantity.startswith("exponent")]
    assert [one.outcome for one in slopes] == ["not refuted"] * 2
    constant = next(one for one in kept.predictions if one.theory.startswith("Goldfeld and Kato"))
    assert constant.outcome == "not refuted" and constant.measured == pytest.approx(RATIO, rel=0.02)
    wrong = read(made_up(exact, exponent=-0.4), SMALL)
    assert all(one.outcome == "refuted" for one in wrong.predictions if one.quantity.startswith("exponent"))
    assert wrong.sentence.startswith(f"{sum(one.outcome == 'refuted' for one in wrong.predictions)} of ")


def test_the_figure_has_a_panel_a_dimension_with_measured_points() -> None:
    figure = read(made_up(1.0), SMALL).draw()
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["d = 1", "d = 2"]
    np.testing.assert_allclose(figure.axes[0].containers[0].lines[0].get_xdata(), SMALL.data_size)
