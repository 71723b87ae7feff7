"""Intervals in prose, and what a notebook says of a result that is not there."""

from __future__ import annotations

import math
from pathlib import Path

from kdshift.notebook import interval, present


def test_an_interval_has_its_scale_and_its_digits() -> None:
    assert interval(0.01234, 0.01, 0.02, 1, scale=100) == "1.2 [1.0, 2.0]"


def test_one_replicate_has_no_interval() -> None:
    assert interval(0.5, math.nan, math.nan) == "0.500 (one replicate)"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert present(tmp_path, "kdshift demo")
    assert not present(tmp_path / "nothing", "kdshift demo")
