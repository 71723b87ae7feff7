"""The counterexample preset: both printed conditions hold, the measured distance does not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from simulate.counterexample import counterexample_figure, decide, make_config, run_counterexample
from theory.errors import InputError

SMALL = make_config(
    {"kind": "counterexample", "setting": [{"dimension": 2, "epsilon": 1.0 - 1e-9, "delta": 0.1}], "replicates": 2,
     "points": 200}
)  # fmt: skip


def test_measured_distances_refute_the_conclusion_where_the_conditions_hold(tmp_path: Path) -> None:
    table = run_counterexample(SMALL, tmp_path)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "table.parquet"), table)
    row = table.iloc[0]
    assert row["l1_distance"] > 1.9 > SMALL.setting[0].epsilon  # theory.md: Lemma L gives 1.95 for every set
    assert row["tau_condition"] and row["data_size_condition"] and row["certain_lower_bound"] > 1.9
    found = decide(table)
    assert found.outcome == "contradicted" and "1 of 1 settings" in found.sentence
    # Outside the printed conditions nothing is contradicted.
    assert decide(table.assign(tau_condition=False)).outcome == "undecided"
    assert counterexample_figure(table).axes


def test_a_field_out_of_range_is_named() -> None:
    with pytest.raises(InputError, match="epsilon"):
        make_config({"setting": [{"dimension": 2, "epsilon": 3.0, "delta": 0.1}]})
