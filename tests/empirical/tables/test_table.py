"""Tables: the learning rate is chosen where it should be, intervals cover, the best cell is as sure as it can be."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from empirical.metric import confusion, score
from empirical.paper import TABLE_1_MINUTES, TABLES
from empirical.runs.layout import SweepFiles, run_directory
from empirical.runs.record import read_result, write_result
from empirical.runs.run import record_failure
from empirical.sweeps.definition import load_sweep
from empirical.sweeps.execute import run_sweep
from empirical.sweeps.results import sweep_frame
from empirical.tables.bootstrap import bootstrap_row, normal_row
from empirical.tables.export import export, latex, markdown
from empirical.tables.table import CELL, ResultTable, curves, labelled_curves, result_table, select_learning_rate
from tests.empirical.fake_cohort import accuracy, fake_run, sweep_of
from theory.errors import InputError

quiet = partial(run_sweep, run=fake_run)


def one_row(**changes):
    row = {
        "task": "t", "mode": "distill", "teacher": "T", "student": "S", "augmenter": "knn", "amount": "online",
        "degree": 0.1, "data_fraction": 0.01, "data_size": 100.0, "learning_rate": 0.1, "seed": 0, "data_seed": 0,
        "status": "finished", "metric": "accuracy", "score": 0.5, "error": 0.5, "error_se": 0.01, "validation": 0.5,
    }  # fmt: skip
    return {**row, **changes}


def test_the_learning_rate_is_chosen_on_validation_and_only_the_papers_protocol_peeks():
    frame = pd.DataFrame([
        one_row(learning_rate=0.1, validation=0.9, score=0.6, seed=0),
        one_row(learning_rate=0.1, validation=0.7, score=0.6, seed=1),
        one_row(learning_rate=0.2, validation=0.7, score=0.8, seed=0),
        one_row(learning_rate=0.2, validation=0.7, score=0.8, seed=1),
    ])  # fmt: skip
    assert set(select_learning_rate(frame, "validation")["learning_rate"]) == {0.1}
    assert set(select_learning_rate(frame, "paper")["learning_rate"]) == {0.2}


def test_learning_rates_that_miss_seeds_do_not_win_and_failed_runs_do_not_count():
    frame = pd.DataFrame([
        one_row(learning_rate=0.1, validation=0.6, seed=0),
        one_row(learning_rate=0.1, validation=0.6, seed=1),
        one_row(learning_rate=0.2, validation=0.9, seed=0),
        one_row(learning_rate=0.2, validation=math.nan, seed=1, status="failed"),
    ])  # fmt: skip
    chosen = select_learning_rate(frame, "validation")
    assert set(chosen["learning_rate"]) == {0.1} and len(chosen) == 2
    assert set(CELL) <= set(chosen.columns)


@pytest.mark.parametrize("metric", ["accuracy", "matthews", "f1"])
def test_the_bootstrap_agrees_with_resampling_by_hand(metric):
    rng = np.random.default_rng(3)
    label_N = rng.integers(0, 2, 60)
    run = np.where(rng.random(60) < 0.8, label_N, 1 - label_N)
    made = bootstrap_row(metric, label_N, [[run]], 2, rng=np.random.default_rng(0), draws=8000)
    assert made.score_C[0] == pytest.approx(score(metric, confusion(label_N, run, 2)))
    draws = []
    for _ in range(8000):
        picked = rng.integers(0, 60, 60)
        draws.append(score(metric, confusion(label_N[picked], run[picked], 2)))
    assert made.draws_BC[:, 0].mean() == pytest.approx(np.mean(draws), abs=0.008)
    assert made.draws_BC[:, 0].std() == pytest.approx(np.std(draws), rel=0.1)


def test_few_seeds_get_students_interval():
    scores = np.array([0.70, 0.71, 0.73])
    low, high = normal_row([scores], np.zeros(1), rng=np.random.default_rng(0), draws=20_000).interval()
    half = 4.303 * scores.std(ddof=1) / math.sqrt(3)
    assert (high - low)[0] / 2 == pytest.approx(half, rel=0.06)


def test_what_a_table_without_predictions_does_not_know_is_unknown():
    row = normal_row([np.array([0.5]), np.array([0.6])], np.full(2, np.nan), rng=np.random.default_rng(0))
    assert np.isnan(row.interval()[0]).all() and np.isnan(row.probability_best()).all()


def test_one_seed_varies_as_a_binomial_proportion():
    label_N = np.arange(1000) % 2
    predicted = np.where(np.arange(1000) < 700, label_N, 1 - label_N)
    made = bootstrap_row("accuracy", label_N, [[predicted]], 2, rng=np.random.default_rng(0), draws=4000)
    assert made.draws_BC.std() == pytest.approx(math.sqrt(0.7 * 0.3 / 1000), rel=0.05)
    low, high = made.interval()
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * math.sqrt(0.7 * 0.3 / 1000), rel=0.08)
    assert made.probability_best()[0] == 1


def test_cells_are_compared_on_the_same_examples():
    label_N = np.arange(500) % 2
    worse = np.where(np.arange(500) < 350, label_N, 1 - label_N)
    better = np.where(np.arange(500) < 352, label_N, 1 - label_N)  # right wherever `worse` is, and twice more
    row = bootstrap_row("accuracy", label_N, [[worse], [better]], 2, rng=np.random.default_rng(0), draws=4000)
    assert (row.draws_BC[:, 1] >= row.draws_BC[:, 0]).all()
    assert row.probability_best()[1] == pytest.approx(1 - 0.5 * math.exp(-2), abs=0.02)
    same = bootstrap_row("accuracy", label_N, [[worse], [worse]], 2, rng=np.random.default_rng(0))
    assert list(same.probability_best()) == [0.5, 0.5]


def test_intervals_cover_the_truth():
    """Forty tables of one cell: the 95 % interval holds the true accuracy at least 33 times (binomial, p < 0.01)."""
    rng, covered = np.random.default_rng(1), 0
    for _ in range(40):
        label_N = rng.integers(0, 2, 400)
        predicted = np.where(rng.random(400) < 0.75, label_N, 1 - label_N)
        low, high = bootstrap_row("accuracy", label_N, [[predicted]], 2, rng=rng, draws=400).interval()
        covered += low[0] <= 0.75 <= high[0]
    assert covered >= 34


def test_predictions_of_another_test_split_are_refused():
    with pytest.raises(InputError, match="400 examples"):
        bootstrap_row("accuracy", np.zeros(3, int), [[np.zeros(400, int)]], 2, rng=np.random.default_rng(0))


@pytest.fixture
def made(tmp_path) -> ResultTable:
    sweep = sweep_of(tmp_path, degrees=(0.0, 0.1, 0.3, 0.8), seeds=3)
    quiet(sweep, tmp_path / "out")
    return result_table(sweep, tmp_path / "out")


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


def test_exports_hold_every_number(made, tmp_path):
    text = markdown(made)
    assert "**80.50" in text and "| 80 %" in text and "protocol: validation" in text
    assert r"\textbf{80.50" in latex(made) and r"80 \%" in latex(made) and "% protocol" in latex(made)
    for name in ("t.md", "t.tex", "t.csv"):
        export(made, tmp_path / name)
    tidy = pd.read_csv(tmp_path / "t.csv")
    assert list(tidy["degree"]) == [0.0, 0.1, 0.3, 0.8] and tidy.loc[2, "score"] == pytest.approx(0.805)
    with pytest.raises(InputError, match=r"\.md, \.csv, \.tex"):
        export(made, tmp_path / "t.docx")
    with pytest.raises(InputError, match="can be written"):
        export(made, tmp_path / "nowhere" / "t.md")


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


def test_curves_hold_the_vanilla_point_and_paired_replicates(tmp_path):
    sweep = sweep_of(tmp_path, degrees=(0.0, 0.1, 0.3, 0.8), seeds=3)
    frame = quiet(sweep, tmp_path / "out")
    (curve,) = curves(frame)
    assert list(curve.shift) == [0.0, 0.1, 0.3, 0.8] and curve.shift_name == "degree" and curve.data_size == 100
    assert curve.replicates is not None and curve.replicates.shape == (3, 4)
    expected = [np.mean([1 - round(400 * accuracy(run)) / 400 for run in sweep.runs
                         if run.train.learning_rate == 0.01 and (run.augment.degree if run.augment else 0) == degree])
                for degree in curve.shift]  # fmt: skip
    assert curve.error == pytest.approx(expected)
    assert curve.optimum().shift == pytest.approx(0.3, abs=0.12)
    (key,) = labelled_curves(frame)
    assert (key.mode, key.augmenter, key.amount, key.data_size) == ("distill", "random", "online", 100.0)


def test_curves_of_one_seed_take_the_error_of_the_test_examples():
    frame = pd.DataFrame([one_row(augmenter="none", amount="none", degree=0.0, error=0.4, error_se=0.02), one_row()])
    (curve,) = curves(frame)
    assert curve.replicates is None and list(curve.error) == [0.4, 0.5] and list(curve.error_se) == [0.02, 0.01]


def test_two_augmenters_share_the_vanilla_run_and_fine_tuning_keeps_its_own():
    frame = pd.DataFrame([
        one_row(augmenter="none", amount="none", degree=0.0, error=0.4),
        one_row(augmenter="none", amount="none", degree=0.0, error=0.6, mode="finetune", teacher="none"),
        one_row(), one_row(augmenter="eda", error=0.45), one_row(mode="finetune", error=0.65),
        one_row(augmenter="none", amount="none", degree=0.0, error=0.3, data_size=500.0, data_fraction=0.05),
    ])  # fmt: skip
    found = {(key.mode, key.augmenter): list(curve.error) for key, curve in labelled_curves(frame).items()}
    assert found == {("distill", "eda"): [0.4, 0.45], ("distill", "knn"): [0.4, 0.5], ("finetune", "knn"): [0.6, 0.65]}


def test_a_left_frame_has_rows_without_scores(tmp_path):
    frame = sweep_frame(sweep_of(tmp_path), tmp_path / "out")
    assert set(frame["status"]) == {"left"} and frame["score"].isna().all() and len(TABLES) == 6
