"""The paper's numbers: as many as it prints, bold where it is, and every note of ours checked by arithmetic."""

from __future__ import annotations

import math

import pytest

from empirical.paper import (
    CHATGPT_SECONDS_A_TEXT,
    TABLE_1_COPIES,
    TABLE_1_MINUTES,
    TABLE_1_ORIGINALS,
    TABLE_7_SIZES,
    TABLES,
)
from empirical.sweeps.definition import load_sweep


@pytest.mark.parametrize(("name", "cells"), [("table2-mnli", 36), ("table2-qnli", 36), ("table3", 20), ("table4", 20),
                                             ("table5", 25), ("table8", 11)])  # fmt: skip
def test_as_many_cells_as_printed_and_as_many_in_the_preset(name, cells):
    table = TABLES[name]
    assert table.cells() == cells == len(load_sweep(name).cells())
    assert all(len(row.scores) == len(table.degrees) for row in table.rows)


def attainable(percent: float, examples: int) -> bool:
    """Whether an accuracy on so many examples can print as `percent`, rounded or cut to two digits."""
    near = round(percent / 100 * examples)
    shares = [100 * count / examples for count in range(max(0, near - 1), near + 2)]
    return any(
        abs(round(share, 2) - percent) < 1e-9 or abs(math.floor(100 * share) / 100 - percent) < 1e-9 for share in shares
    )


def test_five_cells_of_qnli_are_no_accuracy_of_one_run():
    numbers = [number for row in TABLES["table2-qnli"].rows for number in row.scores if number is not None]
    off = [number for number in numbers if not attainable(number, 5463)]
    assert sorted(off) == [83.44, 84.32, 85.51, 86.04, 87.45]


def test_rte_mrpc_and_gad_print_what_one_run_cannot_score():
    by_task = {row.match["task"]: row.scores for row in TABLES["table4"].rows}
    assert not any(attainable(number, 277) for number in by_task["rte"])
    assert not any(attainable(number, 408) for number in by_task["mrpc"])
    gad = [*TABLES["table8"].rows[0].scores, *TABLES["table8"].baselines.values()]
    assert [number for number in gad if attainable(number, 534)] == [79.59, 78.08] and len(gad) == 11


def test_bold_is_the_best_except_where_a_note_says_otherwise():
    odd = {
        (name, row.label)
        for name, table in TABLES.items()
        for row in table.rows
        if row.bold != (row.best(table.degrees),)
    }
    assert odd == {("table2-qnli", "6 %"), ("table3", "1 %"), ("table3", "2 %"), ("table3", "10 %")}
    for row in TABLES["table3"].rows:
        augmented = max(row.scores[1:])
        assert row.scores[TABLES["table3"].degrees.index(row.bold[0])] == augmented


def test_the_notes_agree_with_the_numbers():
    mnli = [row.scores for row in TABLES["table2-mnli"].rows]
    assert mnli[3][1] - mnli[3][3] == pytest.approx(0.06)
    assert [round(max(row) - row[1], 1) for row in mnli[:2]] == [1.7, 1.4]
    assert [round(max(row.scores) - row.scores[1], 1) for row in TABLES["table2-qnli"].rows] == [4.1, 2.9, 2.6, 1.2]
    ten = TABLES["table3"].rows[2].scores
    assert max(ten) - min(ten) == pytest.approx(0.10)
    assert 100 * math.sqrt(0.752 * 0.248 / 9815) == pytest.approx(0.44, abs=0.005)
    gad = dict(zip(TABLES["table8"].degrees, TABLES["table8"].rows[0].scores, strict=True))
    student = TABLES["table8"].baselines["student, fine-tuned"]
    assert gad[0.8] < student < gad[0.7]
    assert 100 * math.sqrt(0.8067 * 0.1933 / 534) == pytest.approx(1.7, abs=0.05)
    assert sum(0.3 in row.bold for row in TABLES["table2-mnli"].rows) == 2
    assert sum(0.3 in row.bold for row in TABLES["table2-qnli"].rows) == 0


def test_tables_that_share_cells_print_the_same_numbers():
    assert TABLES["table5"].rows[0].scores == TABLES["table2-mnli"].rows[0].scores


def test_table_1_is_the_time_of_augmentation_alone():
    """Its three kNN rows are one speed, and the online row 820.5 copies at it: no training is in them."""
    a_copy = TABLE_1_MINUTES["knn", "8x"] / TABLE_1_COPIES["8x"]
    assert round(a_copy * TABLE_1_COPIES["online"]) == TABLE_1_MINUTES["knn", "online"]
    assert CHATGPT_SECONDS_A_TEXT * TABLE_1_ORIGINALS / 60 == pytest.approx(
        TABLE_1_MINUTES["ground-truth", "1x"], abs=3
    )


def test_table_1_and_table_7():
    assert TABLE_1_MINUTES["knn", "8x"] == 2 * TABLE_1_MINUTES["knn", "4x"]
    assert TABLE_1_MINUTES["back-translation", "8x"] == 2 * TABLE_1_MINUTES["back-translation", "4x"]
    for train, test in (TABLE_7_SIZES[name] for name in ("aimed", "bioinfer", "lll", "gad")):
        assert test / (train + test) == pytest.approx(0.1, abs=0.003)
