"""`kdshift empirical signals`: does anything that a teacher's answers alone say rank degrees as light students do?"""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from kdshift.cli.output import Json, emit_json, emit_table, log_to_stderr

COMMITTED = Path("notebooks/results")
NAMES = ("table.parquet", "ranking.json")


def signals(
    preset: Annotated[str, Parameter(help="a study whose bank and curves there are")] = "curves-tweets",
    /,
    *,
    results: Annotated[Path, Parameter(help="results directory with the study's teacher and bank")] = Path("results"),
    curves: Annotated[Path, Parameter(help="the study's table of light students")] = (
        COMMITTED / "text" / "curves" / "curves.parquet"
    ),
    shift: Annotated[Path, Parameter(help="measured shifts, for tau (`kdshift empirical shift --out`)")] = (
        COMMITTED / "shift" / "shift.parquet"
    ),
    out: Annotated[Path | None, Parameter(help="folder for table.parquet and ranking.json")] = None,
    json: Json = False,
) -> None:
    """Signals of a degree that need no training, and how they rank degrees beside light students' distance.

    T. stddev, entropy, how far the teacher's answer moves, two teachers' disagreement, the effective tau. 1: as the
    students do; `within`: among the degrees of one augmenter, which is what a choice needs.
    """
    import pandas as pd

    from empirical.bank.degree_signals import SIGNALS, outcomes_beside, with_tau
    from empirical.bank.degree_signals import signals as measured
    from empirical.bank.signal_ranking import rank_signals
    from empirical.bank.study import load_study
    from empirical.files import writable, write_atomically, write_frame
    from empirical.runs.study_teachers import open_study
    from kdshift.cli.progress import shown
    from theory.errors import InputError

    log_to_stderr()
    for argument, path in (("--curves", curves), ("--shift", shift)):
        if not path.is_file():
            raise InputError(argument, str(path), "a table that `kdshift empirical curves` or `shift` wrote")
    with shown() as progress, writable(results):
        study = load_study(preset)
        run = open_study(study, Path(preset).stem, results, progress)
        table = with_tau(measured(study, run.bank, run.teacher, progress), pd.read_parquet(shift))
    table = outcomes_beside(table, pd.read_parquet(curves))
    ranking = [
        {"student": student, **asdict(found)}
        for student, frame in table.groupby("student")
        for found in rank_signals(frame, list(SIGNALS))
    ]
    found = {"preset": preset, "teacher_calls": run.bank.count.asked, "cells": len(table), "ranking": ranking}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_frame(table, out / NAMES[0])
        write_atomically(out / NAMES[1], json_format.dumps(found, indent=1) + "\n")
    if json:
        emit_json(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    def between(row: dict[str, Any], name: str) -> str:
        return f"{row[name]:.2f} [{row[name + '_low']:.2f}, {row[name + '_high']:.2f}]"

    columns = ["student", "signal", "cells", "across", "within", "lost by lowest", "by highest", "by 30 %"]
    rows = [
        [
            row["student"],
            row["signal"],
            row["cells"],
            between(row, "across"),
            between(row, "within"),
            *(f"{row[name]:.4f}" for name in ("regret", "regret_high", "regret_rule")),
        ]
        for row in found["ranking"]
    ]
    note = (
        "Spearman's correlation of a signal with the students' distance over the cells of a data size (across), over\n"
        "the degrees of an augmenter (within), with 95 % bootstrap intervals; lost: distance against the best degree"
    )
    emit_table("Degree without training", columns, rows, note)
