"""Tables: the best cell is as sure as it can be, what is mixed or missing is said, the paper's numbers stand beside."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial

import pytest

from empirical.paper import TABLE_1_MINUTES, TABLES
from empirical.runs.layout import SweepFiles, run_directory
from empirical.runs.record import read_result, write_result
from empirical.runs.run import record_failure
from empirical.sweeps.definition import load_sweep
from empirical.sweeps.execute import run_sweep
from empirical.sweeps.results import sweep_frame
from empirical.tables.table import result_table
from tests.empirical.fake_cohort import fake_run, sweep_of
from theory.errors import InputError

quiet = partial(run_sweep, run=fake_run)


def test_a_sweeps_table_finds_the_best_degree(made):
    assert made.columns == ("0 %", "10 %", "30 %", "80 %") and len(made.rows) == 1
    cells = {cell.degree: cell for cell in made.rows[0].cells}
    best = cells[0.3]
    assert best.best and best.probability > 0.6 and best.seeds == 3 and best.learning_rate == 0.01
    assert best.score == pytest.approx(0.805, abs=1e-9)
    assert sum(cell.probability for cell in cells.values()) == pytest.approx(1)
    assert all(cell.low < cell.score < cell.high for cell in cells.values())
    assert made.left == made.failed == 0 and any("protocol: validation" in note for note in made.notes)
    assert not any("mixed" in note for note in made.notes)


def test_the_papers_protocol_is_labelled_and_one_seed_is_said(tmp_path):
    sweep = sweep_of(tmp_path, seeds=1, protocol="paper")
    quiet(sweep, tmp_path / "out")
    notes = " ".join(result_table(sweep, tmp_path / "out").notes)
    assert "protocol: paper" in notes and "optimistic" in notes and "one seed" in notes


def test_unfinished_and_failed_runs_are_counted_and_an_empty_table_is_refused(tmp_path):
    sweep = sweep_of(tmp_path)
    with pytest.raises(InputError, match="finished runs"):
        result_table(sweep, tmp_path / "out")
    quiet(sweep_of(tmp_path, degrees=(0.0, 0.3)), tmp_path / "out")
    record_failure(sweep.runs[-1], tmp_path / "out", "diverged")
    made = result_table(sweep, tmp_path / "out")
    assert (made.left, made.failed) == (3, 1) and made.columns == ("0 %", "30 %")


def test_runs_of_two_precisions_and_two_teachers_are_said(tmp_path):
    sweep, root = sweep_of(tmp_path, degrees=(0.0, 0.3)), tmp_path / "out"
    quiet(sweep, root)
    for run in sweep.runs:
        result = read_result(run_directory(run, root), run)
        traces = {"precision": "bf16" if run.augment else "fp32", "teacher_hash": f"weights {run.seed}"}
        write_result(result.model_copy(update=traces), run_directory(run, root))
    notes = " ".join(result_table(sweep, root).notes)
    assert "precision are mixed: " in notes and "bf16 (2 runs)" in notes and "fp32 (2 runs)" in notes
    assert "students of 2 differently trained teachers" in notes


def test_a_table_that_was_kept_without_its_runs_says_so_and_has_the_same_scores(tmp_path, made):
    kept = SweepFiles.of("small", tmp_path / "kept").folder
    kept.mkdir(parents=True)
    shutil.copy(SweepFiles.of("small", tmp_path / "out").table, kept)
    sweep = sweep_of(tmp_path, degrees=(0.0, 0.1, 0.3, 0.8), seeds=3)
    again = result_table(sweep, tmp_path / "kept")
    assert SweepFiles.names(tmp_path / "kept") == ["small"] and any("not kept" in note for note in again.notes)
    for one, other in zip(made.rows[0].cells, again.rows[0].cells, strict=True):
        assert one.score == pytest.approx(other.score) and one.best == other.best
        assert one.high - one.low < other.high - other.low < 3**0.5 * (one.high - one.low)
    (kept / "results.parquet").write_text("damaged")
    with pytest.raises(InputError, match="sweep's table"):
        result_table(sweep, tmp_path / "kept")


def test_offline_amounts_are_columns_when_degrees_do_not_vary_and_rows_when_they_do(tmp_path):
    sweep = sweep_of(tmp_path, degrees=(0.0, 0.3), seeds=1, rates=(0.01,))
    offline = sweep.runs[1].model_copy(update={"augment": sweep.runs[1].augment.model_copy(update={"copies": 4})})
    figure3 = replace(sweep, name="figure", runs=(*sweep.runs, offline), groups=("",) * 3)
    quiet(figure3, tmp_path / "out")
    made = result_table(figure3, tmp_path / "out")
    assert made.columns == ("none", "random online", "random 4x") and len(made.rows) == 1
    more = sweep_of(tmp_path, degrees=(0.0, 0.3, 0.5), seeds=1, rates=(0.01,))
    mixed = replace(more, name="mixed", runs=(*more.runs, offline), groups=("",) * 4)
    quiet(mixed, tmp_path / "out")
    made = result_table(mixed, tmp_path / "out")
    assert made.columns == ("0 %", "30 %", "50 %") and [row.label for row in made.rows] == ["online", "4x"]
    assert [len(row.cells) for row in made.rows] == [3, 2]


def test_table_8_shows_the_papers_baselines_beside_ours(tmp_path):
    sweep = load_sweep("table8")
    fake_run(sweep.runs, tmp_path)
    made = result_table(sweep, tmp_path, draws=20)
    printed = {row.label: row.cells[0].paper for row in made.rows}
    assert printed == {"kNN": 0.7959, "student, fine-tuned": 0.7855, "teacher, fine-tuned": 0.8067}
    assert [len(row.cells) for row in made.rows] == [9, 1, 1]


def test_figures_2_and_3_show_table_1s_minutes(tmp_path):
    for name in ("figure2", "figure3"):
        sweep = load_sweep(name)
        fake_run(sweep.runs, tmp_path)
        notes = result_table(sweep, tmp_path, draws=20).notes
        assert sum("Table 1, augmentation alone" in note for note in notes) == len(TABLE_1_MINUTES)
        assert any(note.startswith("knn online: 0.0 minutes a run") and note.endswith(": 103") for note in notes)


def test_a_left_frame_has_rows_without_scores(tmp_path):
    frame = sweep_frame(sweep_of(tmp_path), tmp_path / "out")
    assert set(frame["status"]) == {"left"} and frame["score"].isna().all() and len(TABLES) == 6
