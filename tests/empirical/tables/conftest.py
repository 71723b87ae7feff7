"""What the tests of tables share: the table of a small sweep whose runs are all finished."""

from __future__ import annotations

import pytest

from empirical.sweeps.execute import run_sweep
from empirical.tables.table import ResultTable, result_table
from tests.empirical.fake_cohort import fake_run, sweep_of


@pytest.fixture
def made(tmp_path) -> ResultTable:
    """The table of four degrees of three seeds, its runs under `out` in the test's folder."""
    sweep = sweep_of(tmp_path, degrees=(0.0, 0.1, 0.3, 0.8), seeds=3)
    run_sweep(sweep, tmp_path / "out", run=fake_run)
    return result_table(sweep, tmp_path / "out")
