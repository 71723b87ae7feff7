"""A ladder kept and read again, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kdshift.ladder.folder import Ladder, climb, load_ladder, write
from kdshift.ladder.rungs import RUNGS
from tests.kdshift.ladder.tiny_ladder import tiny_run
from theory.errors import InputError


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ladder, Path]:
    folder = tmp_path_factory.mktemp("ladder")
    ladder = climb(tiny_run(folder), ("knn",), (16, 32), 2, None, quick=True)
    assert ladder is not None
    return ladder, folder


def test_a_ladder_is_kept_and_read_again(found: tuple[Ladder, Path], tmp_path: Path) -> None:
    ladder, _ = found
    write(ladder, tmp_path, "tiny", 1.26)
    again = load_ladder(tmp_path)
    pd.testing.assert_frame_equal(again.table, ladder.table)
    pd.testing.assert_frame_equal(again.frame, ladder.frame)
    assert again.noise == ladder.noise and again.sentences == ladder.sentences
    assert json.loads((tmp_path / "ladder.json").read_text())["seconds"] == 1.3
    assert (tmp_path / "knn.png").stat().st_size > 10_000
    assert set(again.moves["rung"]) == {rung.name for rung in RUNGS}


def test_climbed_again_nobody_is_asked_and_nothing_is_fitted(
    found: tuple[Ladder, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ladder, folder = found
    run = tiny_run(folder)
    monkeypatch.setattr("kdshift.ladder.climbing._students", lambda *args: pytest.fail("fitted again"))
    again = climb(run, ("knn",), (16, 32), 2, None, quick=True)
    assert again is not None and run.bank.count.asked == 0
    pd.testing.assert_frame_equal(again.table, ladder.table)


def test_a_study_without_linear_students_gets_them(tmp_path: Path) -> None:
    """The demo's study has static ones alone; its finished table has no rung of n-grams."""
    run = tiny_run(tmp_path)
    static = replace(run, study=run.study.model_copy(update={"students": ("static",), "finetune": ()}))
    assert static.run() is not None
    ladder = climb(static, ("knn",), (16, 32), 2, None, quick=True)
    assert ladder is not None and set(ladder.moves["rung"]) == {rung.name for rung in RUNGS}


def test_sizes_with_more_copies_than_others_are_fitted_anew(tmp_path: Path) -> None:
    """A finished table serves the sizes whose copies are the ladder's; all sizes have the least number of them."""
    run = tiny_run(tmp_path, large_copies=1)
    done = replace(run, study=run.study.model_copy(update={"finetune": ()}))
    table = done.run()
    assert table is not None
    ladder = climb(done, ("knn",), (16, 32), 2, None, quick=True)
    assert ladder is not None
    keys = ["data_size", "replicate", "shift"]
    mine = ladder.table[ladder.table["rung"] == "ngrams"].set_index(keys)["distance"]
    linear = table[(table["student"] == "linear") & table["augmenter"].isin(("none", "knn"))]
    told = linear.rename(columns={"degree": "shift"}).set_index(keys)["distance"].loc[mine.index]
    same = np.isclose(mine, told)
    assert same[mine.index.get_level_values("data_size") == 32].all()
    small = mine.index.get_level_values("data_size") == 16
    shifted = mine.index.get_level_values("shift") > 0
    assert same[small & ~shifted].all() and not same[small & shifted].any()


def test_a_folder_without_tables_is_refused(found: tuple[Ladder, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--curves"):
        climb(tiny_run(found[1]), ("knn",), (16, 32), 2, tmp_path)
    with pytest.raises(InputError, match="kdshift ladder"):
        load_ladder(tmp_path)
