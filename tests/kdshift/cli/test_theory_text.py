"""What `kdshift theory` shows people: every number of the record, a word where there is none, logs beyond doubles."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from kdshift.cli.output import number
from kdshift.cli.theory_text import emit_grid, recommendation_record, show_bounds, show_evidence, show_recommendation
from theory import degree
from theory.audit import audit
from theory.evaluate import evaluate


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "240")


def record(**values):
    axes = {"dimension": 2, "epsilon": 0.5, "delta": 0.1, **values}
    return evaluate(**{name: np.array(value, float) for name, value in axes.items()}).one()


def rows_of(text):
    """The rows of the printed tables: first column -> last column."""
    lines = [line for line in text.splitlines() if "│" in line or "┃" in line]
    cells = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in lines]
    return {row[0]: row[-1] for row in cells if row}


def test_every_number_stands_in_the_tables(capsys):
    found = record(tau=0.1, data_size=1000)
    show_bounds(found)
    rows = rows_of(capsys.readouterr().out)
    assert rows["x_u"] == number(found["printed"]["x_u"]) and rows["tau condition holds"] == "no"
    names = {
        "bias (exact)": "bias",
        "mean bound, Scarf": "mean_bound",
        "concentration": "concentration",
        "best tau, Scarf": "tau_star",
        "data size enough, Scarf": "data_size_required",
    }
    for label, name in names.items():
        assert rows[label] == number(found["repaired"][name]), label
    low, high = found["repaired"]["tau_window"]
    assert rows["tau with L1 bound <= epsilon"] == f"{number(low)} to {number(high)}"


def test_options_that_are_missing_are_named_where_they_are_missed(capsys):
    show_bounds(record())
    rows = rows_of(capsys.readouterr().out)
    assert rows["tau condition holds"] == "needs --tau" and rows["data size condition holds"] == "needs --data-size"
    assert rows["bias (exact)"] == rows["best tau, Scarf"] == "needs --data-size"
    assert any("at the limit of tau" in label for label in rows)
    show_bounds(record(tau=0.1))
    rows = rows_of(capsys.readouterr().out)
    assert rows["bias (exact)"] != "needs --data-size" == rows["mean bound, Scarf"]
    assert any("at this tau" in label for label in rows)


def test_vacuous_bounds_say_so_and_silence_is_a_sentence(capsys):
    found = record(dimension=50, tau=0.1, data_size=10)
    show_bounds(found)
    out = capsys.readouterr().out
    assert "(vacuous: 2 or more)" in rows_of(out)["L1 bound, with probability 1 - delta"]
    assert found["repaired"]["silence"] and found["repaired"]["silence"] in out


def test_numbers_beyond_doubles_are_powers_of_e(capsys):
    found = record(dimension=1000, tau=1e-12, data_size=1)
    show_bounds(found)
    rows = rows_of(capsys.readouterr().out)
    log = found["printed"]["log_tau_limit"]
    assert rows["tau has to stay below"] == f"e^{log:,.1f}".replace(",", " ") and log < -9000
    assert rows["data size enough, Scarf"].startswith("e^13") and "inf" not in rows.values()


def grid():
    axes = {"dimension": [2.0, 5.0], "epsilon": [0.5], "delta": [0.1], "data_size": [100.0, 1000.0]}
    return evaluate(**dict(zip(axes, np.ix_(*axes.values()), strict=True)))


def test_a_grid_shows_the_axes_that_vary(capsys):
    emit_grid(grid(), None, json=False)
    out = capsys.readouterr().out
    head = next(line for line in out.splitlines() if "dimension" in line)
    assert "data size" in head and "epsilon" not in head and "tau star" in head and "│ 5 " in out


def test_a_grid_as_json_holds_its_columns_unless_a_file_does(capsys, tmp_path):
    emit_grid(grid(), None, json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 4 and found["output"] is None and found["data_size"] == [100, 1000, 100, 1000]
    path = tmp_path / "grid.csv"
    emit_grid(grid(), path, json=True)
    assert json.loads(capsys.readouterr().out) == {"rows": 4, "output": str(path)}
    emit_grid(grid(), path, json=False)
    assert str(path) in capsys.readouterr().out.replace("\n", "")


def test_evidence_names_claim_correction_and_reason(capsys):
    (found,) = audit([2], epsilon=0.5, delta=0.1, seed=0, steps=[11])
    show_evidence(found)
    out = capsys.readouterr().out
    assert f"Corrected: {found.corrected}" in out and f"Reason: {found.reason}" in out
    assert out.count("corrected") >= len(found.corrected_test[2]) and "│ claim" in out


def test_a_recommendation_is_the_same_as_a_record_and_as_a_table(capsys):
    found = degree.recommend(5000, dimension=4, task_length=20, displacement=0.01)
    made = recommendation_record(found, "the paper")
    assert made["data_size"] == 5000 and made["rule_of_thumb"] == {"degree": found.rule_degree, "source": "the paper"}
    assert made["theory"]["tau_star"] == found.tau_star and made["theory"]["degree"] == found.degree is not None
    assert json.loads(json.dumps(made)) == made
    show_recommendation(found, "the paper")
    rows = rows_of(capsys.readouterr().out)
    assert rows["best tau of the risk bound"] == number(found.tau_star)
    assert rows["degree that adds this tau"].split(" (")[0] == number(found.degree)
    assert ("changing every token" in rows["degree that adds this tau"]) == found.degree_at_limit


@pytest.mark.parametrize(
    ("given", "tau", "degree_words"),
    [
        ({}, "needs --dimension", "needs --dimension, --task-length, --displacement"),
        ({"dimension": 4}, None, "needs --task-length and --displacement"),
        ({"dimension": 400}, "vacuous: no tau gives a bound below 1", "vacuous: no tau gives a bound below 1"),
    ],
)
def test_what_a_recommendation_lacks_is_a_word(capsys, given, tau, degree_words):
    found = degree.recommend(5000, **given)
    show_recommendation(found, "the paper")
    out = capsys.readouterr().out
    rows = rows_of(out)
    assert rows["best tau of the risk bound"] == (number(found.tau_star) if tau is None else tau)
    assert rows["degree that adds this tau"] == degree_words
    assert (found.silence is not None) == bool(found.silence and found.silence in out)
