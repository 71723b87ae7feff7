"""Stages come back as they were kept, damaged ones do not; the clock counts earlier calls."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kdshift.fit.stages import Clock, Stages


def test_kept_stages_come_back_and_damaged_ones_do_not(tmp_path: Path) -> None:
    stages = Stages(tmp_path / "work")
    assert stages.arrays("x") is None and stages.facts("x") is None
    stages.keep_arrays("x", a=np.arange(3.0), b=np.array([np.nan]))
    stages.keep_facts("x", {"degree": 0.4})
    kept = stages.arrays("x")
    assert kept is not None and np.array_equal(kept["a"], np.arange(3.0)) and np.isnan(kept["b"][0])
    assert stages.facts("x") == {"degree": 0.4}
    (tmp_path / "work" / "x.npz").write_bytes(b"PK broken")
    (tmp_path / "work" / "x.json").write_text("{", encoding="utf-8")
    assert stages.arrays("x") is None and stages.facts("x") is None


def test_the_clock_counts_earlier_calls_and_always_leaves_a_fiftieth() -> None:
    clock = Clock(minutes=10, spent_before=200)
    assert 99 < clock.until(0.5) <= 100 and 369 < clock.until(0.95) <= 370
    assert clock.until(0.2) == Clock(minutes=10, spent_before=9999).until(1.0) == 12
