"""Parts are made once, in order, and a run that was killed goes on with the first that is missing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from empirical.bank.kept_parts import kept_parts

Work = list[tuple[Path, Callable[[], pd.DataFrame]]]


def test_a_killed_run_goes_on_and_every_part_is_made_once(tmp_path: Path) -> None:
    made: list[int] = []
    told: list[tuple[str, float, float]] = []

    def make(number: int, fails: bool) -> pd.DataFrame:
        if fails and number == 1:
            raise KeyboardInterrupt
        made.append(number)
        return pd.DataFrame({"number": [number]})

    def work(fails: bool) -> Work:
        return [(tmp_path / f"{number}.parquet", partial(make, number, fails)) for number in range(3)]

    with pytest.raises(KeyboardInterrupt):
        kept_parts(work(fails=True), "parts")
    frames = kept_parts(work(fails=False), "parts", lambda *step: told.append(step))
    assert made == [0, 1, 2] and [frame["number"].item() for frame in frames] == [0, 1, 2]
    assert told == [("parts", done, 3) for done in range(4)]
