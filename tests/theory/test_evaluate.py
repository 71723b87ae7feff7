"""Both theorems over a grid: each number is its own function's, on the axes it depends on; NaN where none exists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from theory import printed, repaired
from theory.evaluate import evaluate
from theory.setting import Floats


def arrays(**values: float) -> dict[str, Any]:
    return {name: np.asarray(float(value)) for name, value in values.items()}


def test_one_setting_has_the_fields_of_the_command_s_object() -> None:
    found = evaluate(**arrays(dimension=2, epsilon=0.5, delta=0.1, tau=0.1, data_size=1000)).one()
    assert set(found) == {"setting", "printed", "repaired"}
    assert found["setting"] == {"dimension": 2, "epsilon": 0.5, "delta": 0.1, "tau": 0.1, "data_size": 1000}
    deviation, bias = repaired.deviation(1000, 0.1, 2), repaired.bias(0.1, 2)
    assert found["repaired"]["deviation"] == pytest.approx(float(deviation), rel=1e-12)
    assert found["repaired"]["mean_bound_simple"] == pytest.approx(float(bias + deviation), rel=1e-12)
    total = found["repaired"]["mean_bound"] + found["repaired"]["concentration"]
    assert found["repaired"]["l1_bound"] == pytest.approx(total, rel=1e-12)
    assert found["repaired"]["lower_bound"] <= found["repaired"]["mean_bound"] <= found["repaired"]["mean_bound_simple"]
    assert found["printed"]["tau_condition"] is False  # 0.1 is far above the printed limit


def test_without_tau_each_theorem_takes_its_own() -> None:
    found = evaluate(**arrays(dimension=2, epsilon=0.5, delta=0.1, data_size=1e5)).one()
    limit = printed.log_tau_limit(0.5, 2)
    assert found["printed"]["data_size_required"] == pytest.approx(
        float(printed.data_size_required(0.5, 0.1, limit, 2)), rel=1e-12
    )
    assert found["repaired"]["tau"] == pytest.approx(float(repaired.tau_star(1e5, 2)), rel=1e-9)
    assert found["repaired"]["l1_bound"] == pytest.approx(found["repaired"]["l1_bound_at_tau_star"], rel=1e-12)
    assert found["setting"]["tau"] is None and found["printed"]["tau_condition"] is None


def test_what_needs_a_data_size_is_null_without_one() -> None:
    found = evaluate(**arrays(dimension=2, epsilon=0.5, delta=0.1, tau=0.1)).one()
    for name in ("deviation", "mean_bound", "l1_bound", "lower_bound", "concentration", "tau_star", "tau_window"):
        assert found["repaired"][name] is None
    assert found["repaired"]["bias"] > 0 and found["printed"]["data_size_condition"] is None


def test_a_window_holds_the_best_tau_and_is_null_where_epsilon_is_out_of_reach() -> None:
    reach = evaluate(**arrays(dimension=2, epsilon=0.5, delta=0.1, data_size=1e5)).one()["repaired"]
    low, high = reach["tau_window"]
    assert low < reach["tau_star"] < high and reach["l1_bound_at_tau_star"] <= 0.5
    none = evaluate(**arrays(dimension=20, epsilon=0.5, delta=0.1, data_size=100)).one()["repaired"]
    assert none["tau_window"] is None


def test_a_grid_is_the_settings_one_by_one() -> None:
    axes: dict[str, Floats] = {
        "dimension": np.array([2.0, 5.0]).reshape(-1, 1, 1),
        "tau": np.array([0.05, 0.5]).reshape(1, -1, 1),
        "data_size": np.array([100.0, 1e4, 1e6]).reshape(1, 1, -1),
    }
    rest = arrays(epsilon=0.5, delta=0.1)
    grid = evaluate(**axes, **rest)
    assert all(value.shape == (2, 2, 3) for value in (grid.setting | grid.repaired | grid.printed).values())
    columns = grid.columns()
    assert {len(column) for column in columns.values()} == {12}
    for row in (0, 7, 11):
        single = evaluate(
            **{name: np.asarray(columns[name][row]) for name in ("dimension", "tau", "data_size")}, **rest
        )
        for name, column in columns.items():
            assert column[row] == pytest.approx(float(single.columns()[name][0]), rel=1e-9, nan_ok=True), name


def test_a_vacuous_bound_is_marked() -> None:
    """An L1 distance of two laws is at most 2: a bound of 2 and more says nothing."""
    columns = evaluate(**arrays(dimension=20, epsilon=0.5, delta=0.1, tau=0.01, data_size=100)).columns()
    assert columns["repaired_l1_bound"][0] >= 2 and columns["repaired_vacuous"][0] == 1
    columns = evaluate(**arrays(dimension=2, epsilon=0.5, delta=0.1, tau=0.1, data_size=1e6)).columns()
    assert columns["repaired_l1_bound"][0] < 2 and columns["repaired_vacuous"][0] == 0
