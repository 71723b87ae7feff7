"""A climb: every rung has its cells, replicates are paired, a killed climb gives the same table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from empirical.bank.study_run import StudyRun
from empirical.bank.study_table import read_noise
from kdshift.ladder.climbing import POINT_RUNGS, Climb, text_rows
from kdshift.ladder.rungs import RUNGS, trimmed
from tests.kdshift.ladder.tiny_ladder import CONFIG, tiny_run
from theory.errors import InputError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> StudyRun:
    found = tiny_run(tmp_path_factory.mktemp("climb"))
    found = replace(found, study=trimmed(found.study, CONFIG))
    assert found.run() is not None
    return found


def climb(run: StudyRun, folder: Path) -> Climb:
    assert run.table is not None
    text, noise = text_rows(run.table, read_noise(run.folder), CONFIG, CONFIG.data_sizes)
    return Climb(run=run, config=CONFIG, folder=folder, text=text, noise=noise)


@pytest.fixture(scope="module")
def climbed(run: StudyRun, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, dict[str, object], Path]:
    folder = tmp_path_factory.mktemp("climbed")
    return *climb(run, folder).table(), folder


def test_every_rung_has_its_cells(climbed: tuple[pd.DataFrame, dict[str, object], Path]) -> None:
    table, noise, _ = climbed
    assert set(table["rung"]) == {rung.name for rung in RUNGS}
    for (rung, _), frame in table.groupby(["rung", "data_size"]):
        shifts = [0.0, 0.2, 0.8] if rung in ("few", "gaussian", "embeddings") else [0.0, 0.3, 0.8]
        cells = frame.groupby("shift")["replicate"].agg(list)
        assert list(cells.index) == shifts and all(sorted(found) == [0, 1] for found in cells)
    assert table["distance"].between(0, 1).all() and (table["tau"] >= 0).all()
    assert set(noise) == {f"{rung.name}-{size}" for rung in RUNGS for size in CONFIG.data_sizes}


def test_rungs_share_replicates_and_the_text_rungs_are_the_studys_students(
    run: StudyRun, climbed: tuple[pd.DataFrame, dict[str, object], Path]
) -> None:
    table = climbed[0].set_index(["rung", "data_size", "replicate", "shift"])["distance"]
    # Without a shift, tokens and embeddings are the same students.
    np.testing.assert_allclose(table["tokens", 16, :, 0.0], table["embeddings", 16, :, 0.0])
    assert not np.allclose(table["tokens", 16, :, 0.0], table["teacher", 16, :, 0.0])
    assert run.table is not None
    linear = run.table[(run.table["student"] == "linear") & (run.table["augmenter"] == "knn")]
    for row in linear[linear["replicate"] < CONFIG.replicates].itertuples():
        assert table["ngrams", row.data_size, row.replicate, row.degree] == row.distance


def test_killed_and_resumed_the_table_is_the_same(
    run: StudyRun, climbed: tuple[pd.DataFrame, dict[str, object], Path], tmp_path: Path
) -> None:
    calls: list[float] = []

    def killed(label: str, done: float, total: float) -> None:
        calls.append(done)
        if done == 3:
            raise KeyboardInterrupt

    first = climb(run, tmp_path)
    first.progress = killed
    with pytest.raises(KeyboardInterrupt):
        first.table()
    assert len(list((tmp_path / "parts").glob("*.parquet"))) == 3
    again, noise = climb(run, tmp_path).table()
    pd.testing.assert_frame_equal(again, climbed[0])
    assert noise == climbed[1] and len(POINT_RUNGS) * 2 == len(list((tmp_path / "parts").glob("*.parquet")))


def test_facts_say_how_much_of_the_teacher_the_stand_in_explains(run: StudyRun, tmp_path: Path) -> None:
    facts = climb(run, tmp_path).facts()
    assert facts["dimension"] >= 1
    assert 0.2 < facts["stand_in"]["explained"] < 1 and 0.4 < facts["stand_in"]["agreement"] <= 1


def test_other_numbers_of_copies_and_further_cuts_of_the_pool_are_no_rung(run: StudyRun) -> None:
    noise = read_noise(run.folder)
    plain, _ = text_rows(run.table, noise, CONFIG, CONFIG.data_sizes)
    more = run.table.assign(amount=4.0)
    cut = run.table.assign(split=1)
    both = pd.concat([run.table.assign(split=0), more[more["degree"] > 0], cut], ignore_index=True)
    found, _ = text_rows(both, noise, CONFIG, CONFIG.data_sizes)
    assert len(found) == len(plain) and set(found["split"]) == {0}


def test_a_network_that_the_table_lacks_is_named(run: StudyRun) -> None:
    assert run.table is not None
    config = replace(CONFIG, network="bilstm")
    with pytest.raises(InputError, match=r"network.*bilstm.*linear, static"):
        text_rows(run.table, read_noise(run.folder), config, CONFIG.data_sizes)
