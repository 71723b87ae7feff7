"""Exports: every number in every format, the best cell marked, characters that a format reads otherwise escaped."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from empirical.tables.export import aligned_rows, cell_text, export, latex, markdown
from empirical.tables.table import Cell, ResultTable, Row
from theory.errors import InputError


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


def cell(degree: float, **changes) -> Cell:
    values = {"column": f"{100 * degree:g} %", "degree": degree, "score": 0.5, "low": 0.48, "high": 0.52,
              "probability": 0.1, "seeds": 3, "learning_rate": 0.1, "best": False}  # fmt: skip
    return Cell(**{**values, **changes})


def table_of(*rows: Row, columns: tuple[str, ...] = ("0 %", "10 %")) -> ResultTable:
    return ResultTable(title="small & new", columns=columns, rows=rows, notes=("100 # notes",), left=0, failed=0)


def row_of(*cells: Cell, label: str = "own_task") -> Row:
    return Row(label=label, metric="accuracy", cells=cells, keys={"task": label})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "50.00 ±2.00"),
        ({"best": True, "probability": 0.754}, "50.00 ±2.00 (p 0.75)"),
        ({"paper": 0.801}, "50.00 ±2.00 [80.10]"),
        ({"paper": 0.801, "bold": True, "best": True}, "50.00 ±2.00 (p 0.10) [80.10*]"),
        ({"low": math.nan, "high": math.nan}, "50.00 interval unknown"),
    ],
)
def test_a_cell_says_score_interval_and_paper(changes, text):
    assert cell_text(cell(0.1, **changes)) == text


def test_cells_stand_in_their_columns_and_gaps_stay_empty():
    table = table_of(row_of(cell(0.1, score=0.6)), row_of(cell(0.0), cell(0.1), label="other"))
    (label, cells), (_, whole) = aligned_rows(table)
    assert label == "own_task" and cells[0] is None and cells[1].score == 0.6 and None not in whole
    assert cell_text(None) == ""
    assert "| own_task |  | 60.00 ±2.00 |" in markdown(table)


def test_markdown_is_a_rectangle_with_its_notes_below():
    lines = markdown(table_of(row_of(cell(0.0), cell(0.1, best=True)), row_of(cell(0.0)))).splitlines()
    assert lines[0] == "**small & new**" and lines[-1] == "- 100 # notes"
    assert {line.count("|") for line in lines if line.startswith("|")} == {4}
    assert "**50.00 ±2.00 (p 0.10)**" in lines[4]


def test_latex_escapes_what_it_would_read_otherwise():
    text = latex(table_of(row_of(cell(0.0, best=True), label=r"a_b\c {50 %} & #1 $")))
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert r"a\_b\textbackslash" in body and r"50 \%" in body and r"\& \#1 \$" in body
    assert r"\textbf{50.00 $\pm$2.00 (p 0.10)}" in body
    assert body.count("&") - body.count(r"\&") == 2 and body.strip().endswith(r"\\")
    assert r"\begin{tabular}{lrr}" in text and text.rstrip().endswith("% 100 # notes")


def test_csv_is_tidy_and_keeps_more_digits_than_people_see(tmp_path):
    table = table_of(row_of(cell(0.0, score=1 / 3), cell(0.1, paper=0.75)))
    export(table, tmp_path / "t.csv")
    read = pd.read_csv(tmp_path / "t.csv")
    assert len(read) == 2 and list(read["task"]) == ["own_task"] * 2 and set(read["metric"]) == {"accuracy"}
    assert read.loc[0, "score"] == 1 / 3 and math.isnan(read.loc[0, "paper"]) and read.loc[1, "paper"] == 0.75
