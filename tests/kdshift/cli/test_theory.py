"""`kdshift theory ...` as a user runs it: JSON contract, tables, files, figures, mistakes, speed of grids."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kdshift.cli import main
from tests.timing import best_seconds
from theory import printed, repaired


@pytest.fixture
def run(capsys):
    """Run a command in this process: (exit status, standard output, standard error)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        status = 0
        try:
            main(["theory", *arguments])
        except SystemExit as stop:
            status = int(stop.code or 0)
        found = capsys.readouterr()
        return status, found.out, found.err

    return call


SETTING = ["dimension", "epsilon", "delta", "tau", "data_size"]
PRINTED = ["x_u", "log_tau_limit", "tau_limit", "data_size_required", "tau_condition", "data_size_condition"]
REPAIRED = [
    "bias", "deviation", "mean_bound_simple", "mean_bound", "concentration", "l1_bound", "lower_bound",
    "data_size_required_simple", "data_size_required", "data_size_necessary", "tau_star_simple", "tau_star",
    "l1_bound_at_tau_star", "tau_window",
]  # fmt: skip


def test_contract_of_bounds_with_everything_given(run) -> None:
    options = ["--dimension", "2", "--epsilon", "0.5", "--delta", "0.1", "--tau", "0.1", "--data-size", "1000"]
    status, out, err = run("bounds", *options, "--json")
    record = json.loads(out)
    assert (status, err) == (0, "") and out.count("\n") == 1
    assert list(record["setting"]) == SETTING and set(PRINTED) <= set(record["printed"])
    assert set(REPAIRED) <= set(record["repaired"])
    assert record["setting"] == {"dimension": 2, "epsilon": 0.5, "delta": 0.1, "tau": 0.1, "data_size": 1000}
    assert record["printed"]["data_size_required"] == pytest.approx(2679.7685, abs=1e-3)
    assert record["printed"]["tau_condition"] is False and record["printed"]["data_size_condition"] is False
    found = record["repaired"]
    assert found["mean_bound_simple"] == pytest.approx(found["bias"] + found["deviation"])
    assert found["l1_bound"] == pytest.approx(found["mean_bound"] + found["concentration"])
    assert (found["data_size_required_simple"], found["data_size_required"]) == (245, 167)
    assert found["data_size_necessary"] == pytest.approx(5)
    low, high = found["tau_window"]
    assert low < found["tau_star"] < high


def test_contract_of_bounds_without_tau_or_data_size(run) -> None:
    bare = json.loads(run("bounds", "-d", "2", "--json")[1])
    assert bare["printed"]["data_size_required"] == pytest.approx(3403.12, abs=0.01)
    assert all(bare["repaired"][name] is None for name in REPAIRED)
    sized = json.loads(run("bounds", "-d", "5", "-n", "1000", "--json")[1])["repaired"]
    at_star = repaired.mean_bound(1000, repaired.tau_star(1000, 5), 5)
    assert sized["mean_bound"] == pytest.approx(at_star, rel=1e-12) and sized["tau_window"] is None
    assert sized["l1_bound_at_tau_star"] == pytest.approx(sized["l1_bound"])
    shifted = json.loads(run("bounds", "-d", "2", "--tau", "0.1", "--json")[1])["repaired"]
    assert shifted["data_size_required"] == 167 and shifted["mean_bound"] is None and shifted["tau_star"] is None


def test_what_leaves_double_precision_has_a_logarithm(run) -> None:
    record = json.loads(run("bounds", "-d", "1000", "--tau", "1e-12", "-n", "1", "--json")[1])
    assert record["printed"]["tau_limit"] == 0 and record["printed"]["log_tau_limit"] < -9000
    found = record["repaired"]
    assert found["deviation"] is None and found["log_deviation"] > 7000
    assert found["data_size_required"] is None and found["log_data_size_required"] > 13000
    assert found["mean_bound"] == pytest.approx(2) and found["tau_star"] is None
    text = run("bounds", "-d", "768", "-n", "1000000")[1]
    assert "e^-6 766.7" in text and "vacuous" in text


def test_tables_carry_words_where_numbers_do_not_exist(run) -> None:
    out = run("bounds", "-d", "2", "--tau", "2")[1]
    assert "needs --data-size" in out and "none: the bias alone" in out
    assert "none at this data size" in run("bounds", "-d", "5", "-n", "100")[1]


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_grids_are_written_as_the_file_name_says(run, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"grid.{ending}"
    options = ["-d", "2,5", "--data-size", "1e2:1e4:3", "--tau", "1e-2:1:5", "--output", str(path), "--json"]
    status, out, _ = run("bounds", *options)
    assert status == 0 and json.loads(out) == {"rows": 30, "output": str(path)}
    read = {"csv": pd.read_csv, "parquet": pd.read_parquet, "jsonl": lambda p: pd.read_json(p, lines=True)}[ending]
    table = read(path)
    assert len(table) == 30 and {"dimension", "tau", "data_size", "repaired_mean_bound"} <= set(table.columns)
    row = table[(table.dimension == 5) & (table.data_size == 1000)].iloc[2]
    assert row.repaired_mean_bound == pytest.approx(repaired.mean_bound(1000, row.tau, 5), rel=1e-9)
    assert row.printed_x_u == pytest.approx(printed.x_u(0.5, 5), rel=1e-9)
    assert row.repaired_tau_star == pytest.approx(repaired.tau_star(1000, 5), rel=1e-9)


def test_a_grid_on_standard_output(run) -> None:
    rows = json.loads(run("bounds", "-d", "2,3", "-n", "100", "--json")[1])
    assert rows["rows"] == 2 and len(rows["repaired_tau_star"]) == 2
    assert "Bounds over a grid" in run("bounds", "-d", "2,3", "-n", "100")[1]


def test_audit_formula_and_recommend(run) -> None:
    status, out, _ = run("audit", "--dimension", "2", "--step", "14,15", "--json")
    record = json.loads(out)
    assert status == 0 and [step["verdict"] for step in record["steps"]] == ["false", "false"]
    assert run("audit", "--dimension", "2", "--step", "3", "--markdown")[1].startswith("| # | step |")
    assert "Corrected:" in run("audit", "--dimension", "2", "--step", "11")[1]
    assert run("formula", "printed.x_u", "--substitute", "d=2,epsilon=0.5")[1].endswith("= 21.21445187683629\n")
    assert "repaired.bias" in run("formula")[1]
    one = json.loads(run("recommend", "--data-size", "5000", "--json")[1])
    assert one["rule_of_thumb"]["degree"] == 0.5 and one["text"]["l1_at_least"] > 1.99
    assert "0.3" in run("recommend", "--data-size", "20000")[1]


def test_figures_are_drawn(run, tmp_path: Path) -> None:
    for name, options in {
        "page.png": ("bounds", "-d", "2", "-n", "200", "--trust-radius", "3"),
        "audit.svg": ("audit", "--dimension", "2", "--step", "3"),
        "best.png": ("recommend", "--data-size", "500", "-d", "4"),
    }.items():
        assert run(*options, "--figure", str(tmp_path / name))[0] == 0
        assert (tmp_path / name).stat().st_size > 5000


@pytest.mark.parametrize("arguments", [
    ["bounds", "--epsilon", "0"], ["bounds", "--epsilon", "1.5"], ["bounds", "--epsilon", "nan"],
    ["bounds", "--dimension", "1"], ["bounds", "--dimension", "2.5"], ["bounds", "--delta", "1"],
    ["bounds", "--data-size", "0"], ["bounds", "--data-size", "-3"], ["bounds", "--tau", "inf"],
    ["bounds", "--tau", "1:2"], ["bounds", "--tau", "a,b"], ["bounds", "--output", "x.txt"],
    ["bounds", "--output", "/nowhere/x.csv"], ["bounds", "--figure", "x.nothing"], ["bounds", "--teacher-epsilon", "2"],
    ["bounds", "-d", "2,3", "--figure", "x.png"], ["audit", "--dimension", "1"], ["audit", "--step", "99"],
    ["audit", "--epsilon", "2"], ["audit", "--dimension", "nan"], ["audit", "--step", "1.5"],
    ["formula", "printed.y"], ["formula", "printed.x_u", "--substitute", "d"],
    ["formula", "printed.x_u", "--latex", "--pretty"], ["recommend"], ["recommend", "--data-size", "0"],
    ["recommend", "--data-size", "10", "--figure", "x.png"], ["recommend", "--data-size", "10", "-d", "1"],
    ["recommend", "--data-size", "10", "-d", "3", "--task-length", "9"], ["nothing"],
])  # fmt: skip
def test_mistakes_are_one_line_and_status_two(run, arguments: list[str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*arguments)
    assert status == 2 and out == ""
    lines = [line for line in err.strip().splitlines() if line.startswith("kdshift: ")]
    assert len(lines) == 1 and "Traceback" not in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("least", "function"), [
    (5, repaired.mean_bound),
    (25, repaired.mean_bound_simple),
    (25, repaired.deviation_clipped),
    (25, repaired.l1_lower_bound),
    (25, lambda n, tau, d: printed.data_size_required(0.5, 0.1, np.log(tau), np.maximum(d, 2))),
    (25, lambda n, tau, d: repaired.data_size_required_simple(0.5, 0.1, tau, d)),
])  # fmt: skip
def test_grids_cost_less_than_their_points_one_by_one(least: int, function: Callable) -> None:
    rng = np.random.default_rng(0)
    n, tau = np.exp(rng.uniform(2, 20, 4000)), np.exp(rng.uniform(-7, 1, 4000))
    d = rng.integers(1, 60, 4000).astype(float)
    singly = list(zip(n[:40], tau[:40], d[:40], strict=True))

    whole = best_seconds(lambda: function(n, tau, d), 3, time.process_time) / 4000
    alone = best_seconds(lambda: [function(*point) for point in singly], 3, time.process_time) / 40
    assert alone > least * whole
