"""Theorem 1 as printed: settings that meet both conditions, and training sets that break the conclusion."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from simulate.counterexample import CounterexampleConfig, counterexample_figure, decide, make_config, run_counterexample
from simulate.experiment_config import read_values
from theory.errors import InputError
from theory.printed import log_tau_limit


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[CounterexampleConfig, pd.DataFrame, list[tuple[float, float]]]:
    steps: list[tuple[float, float]] = []
    config = make_config(
        {"replicates": 3, "points": 400, "setting": [{"dimension": d, "epsilon": 0.5, "delta": 0.1} for d in (2, 3)]}
    )
    out = tmp_path_factory.mktemp("counterexample")
    table = run_counterexample(config, out, lambda label, done, total: steps.append((done, total)))
    pd.testing.assert_frame_equal(pd.read_parquet(out / "table.parquet"), table)
    return config, table, steps


def test_every_setting_meets_both_conditions_and_breaks_the_conclusion(ran) -> None:
    config, table, _ = ran
    assert table["tau_condition"].all() and table["data_size_condition"].all()
    for row, case in zip(table.itertuples(), config.setting, strict=True):
        assert row.log_tau == pytest.approx(float(log_tau_limit(case.epsilon, case.dimension)) + math.log(0.99))
        assert row.l1_distance_min >= row.certain_lower_bound - 4 * row.l1_distance_se > case.epsilon
        assert row.l1_distance <= 2 + 1e-9
    found = decide(table)
    assert found.outcome == "contradicted" and "2 of 2 settings" in found.sentence


def test_progress_counts_every_training_set(ran) -> None:
    assert ran[2][-1] == (6, 6) and all(done <= total == 6 for done, total in ran[2])


def test_a_conclusion_that_holds_contradicts_nothing(ran) -> None:
    kept = ran[1].assign(l1_distance_min=0.1)
    assert decide(kept).outcome == "undecided"
    assert decide(ran[1].assign(tau_condition=False)).outcome == "undecided", "only where the print speaks"


def test_the_figure_shows_every_setting_with_student_s_bars(ran) -> None:
    (axes,) = counterexample_figure(ran[1]).axes
    assert len(axes.get_xticklabels()) == 2 and "d = 2" in axes.get_xticklabels()[0].get_text()
    (low, high) = (point[1] for point in axes.containers[0][2][0].get_segments()[0])
    assert high - low == pytest.approx(2 * 4.302653 * ran[1]["l1_distance_se"].iloc[0], rel=1e-5)


def test_the_preset_and_mistakes_in_it() -> None:
    values = read_values("theorem1-counterexample")
    assert len(make_config(values).setting) >= 3
    with pytest.raises(InputError, match="epsilon"):
        make_config({"setting": [{"dimension": 2, "epsilon": 1.5, "delta": 0.1}]})
    with pytest.raises(InputError, match="setting"):
        make_config({"setting": []})
