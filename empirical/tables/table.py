"""A sweep's table beside the paper's: one learning rate a cell, intervals, and how probably the best cell is the best.

kdshift empirical table table2-mnli --results results
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.paper import TABLE_1_MINUTES, TABLES, PaperRow, PaperTable
from empirical.runs.layout import RunFiles, SweepFiles
from empirical.runs.record import read_predictions
from empirical.sweeps.definition import Sweep
from empirical.sweeps.results import sweep_frame
from empirical.tables.bootstrap import RowBootstrap, bootstrap_row, normal_row
from empirical.tables.curves import CELL, ROW, RowKey, curves, labelled_curves, select_learning_rate, with_vanilla
from theory.errors import InputError
from theory.replacing import read_frame

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 1000
TABLE_1 = "table1"  # what sweeps of Figures 2 and 3 name: a table of minutes, not of scores


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of a table: the mean score over seeds, its 95 % interval, how probably it is its row's best.

    paper: the number the paper prints there, as a share (None where it prints none). bold: printed bold there.
    """

    column: str
    degree: float
    score: float
    low: float
    high: float
    probability: float
    seeds: int
    learning_rate: float
    best: bool
    paper: float | None = None
    bold: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a results table: one setting. keys: what of the configuration tells it from the other rows."""

    label: str
    metric: str
    cells: tuple[Cell, ...]
    keys: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ResultTable:
    """A sweep's table. notes: how it was made, and where the paper disagrees with itself; left: runs not finished."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    left: int
    failed: int

    def tidy(self) -> pd.DataFrame:
        """One line a cell: the row's keys, the cell's numbers, the paper's number."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"row": row.label, **row.keys, "metric": row.metric, **vars(cell)}
                for row in self.rows
                for cell in row.cells
            ]
        )


def result_table(sweep: Sweep, root: Path, *, draws: int = DRAWS, seed: int = 0) -> ResultTable:
    """The table of a sweep's finished runs beside the paper's. Raises InputError when no run is finished yet.

    Where no run's directory is under `root`, the sweep's saved table is read (a table that was kept without its runs).
    """
    frame = sweep_frame(sweep, root)
    saved = SweepFiles.of(sweep.name, root).table
    kept = bool((frame["status"] != "left").any()) or not saved.is_file()
    if not kept:
        frame = read_frame(saved, "a sweep's table, as `sweep` writes it")
    selected = select_learning_rate(frame, sweep.protocol)
    if not len(selected):
        raise InputError("table", sweep.name, f"a sweep with finished runs in {root}")
    paper = TABLES.get(sweep.table or "")
    by_method = _is_by_method(selected)
    keys = ["task", "mode", "teacher", "student", "data_fraction", "data_size"] if by_method else ROW
    rng = np.random.default_rng(seed)
    groups = list(selected.groupby(keys, dropna=False, sort=False)) if by_method else with_vanilla(selected, keys)
    rows = tuple(
        _row(dict(zip(keys, key, strict=True)), members, root, paper, by_method, rng, draws) for key, members in groups
    )
    columns = tuple(dict.fromkeys(cell.column for row in rows for cell in row.cells))
    if not by_method:
        columns = tuple(sorted(columns, key=lambda name: float(name.split()[0])))
    notes = _notes(sweep, selected, paper, kept)
    left, failed = int((frame["status"] == "left").sum()), int((frame["status"] == "failed").sum())
    title = sweep.title + (f" - the paper's {paper.number}" if paper else "")
    return ResultTable(title=title, columns=columns, rows=_short(rows), notes=notes, left=left, failed=failed)


def _is_by_method(selected: pd.DataFrame) -> bool:
    """Whether columns are kinds and amounts of data (Figure 3) rather than degrees: no kind comes in two degrees."""
    degrees = selected[selected["degree"] > 0].groupby(ROW, dropna=False)["degree"].nunique()
    offline = ~selected["amount"].isin(["none", "online"])
    return bool(offline.any()) and int(degrees.max()) == 1


def _row(
    keys: dict[str, Any],
    members: pd.DataFrame,
    root: Path,
    paper: PaperTable | None,
    by_method: bool,
    rng: np.random.Generator,
    draws: int,
) -> Row:
    by = ["augmenter", "amount", "degree"] if by_method else ["degree"]
    groups = [(key, cell.sort_values(["seed", "data_seed"])) for key, cell in members.groupby(by, sort=not by_method)]
    metric = str(members["metric"].iloc[0])
    boot = _bootstrap(metric, [cell for _, cell in groups], root, rng, draws)
    low, high = boot.interval()
    best = int(np.argmax(boot.score_C))
    printed = _paper_row(paper, keys)
    group = str(members["group"].iloc[0])
    baseline = paper.baselines.get(group) if paper is not None and printed is None else None
    cells = []
    for at, (key, cell) in enumerate(groups):
        degree = float(cell["degree"].iloc[0])
        number, bold = (baseline / 100, False) if baseline is not None else _printed(paper, printed, degree)
        cells.append(Cell(
            column=_column(key, by_method), degree=degree, score=float(boot.score_C[at]), low=float(low[at]),
            high=float(high[at]), probability=float(boot.probability_best()[at]), seeds=int(boot.seeds_C[at]),
            learning_rate=float(cell["learning_rate"].iloc[0]), best=at == best, paper=number, bold=bold,
        ))  # fmt: skip
    label = printed.label if printed else group if baseline is not None else ""
    return Row(label=label, metric=metric, cells=tuple(cells), keys=keys)


def _bootstrap(
    metric: str, cells: Sequence[pd.DataFrame], root: Path, rng: np.random.Generator, draws: int
) -> RowBootstrap:
    """From the runs' predictions where they are kept under `root`, else from scores and standard errors."""
    if not all(RunFiles(root / name).predictions.is_file() for cell in cells for name in cell["run"]):
        scores = [cell["score"].to_numpy(dtype=float) for cell in cells]
        spread_C = np.array([cell["error_se"].mean() for cell in cells], dtype=float)
        return normal_row(scores, spread_C, rng=rng, draws=draws)
    runs = [[read_predictions(root / name) for name in cell["run"]] for cell in cells]
    label_N = runs[0][0][0]
    predicted = [[predicted_N for _, predicted_N in cell] for cell in runs]
    classes = 1 + max(int(array.max()) for array in (label_N, *(run for cell in predicted for run in cell)))
    return bootstrap_row(metric, label_N, predicted, classes, rng=rng, draws=draws)


def _column(key: Sequence[Any], by_method: bool) -> str:
    if not by_method:
        return f"{100 * float(key[-1]):g} %"
    augmenter, amount, _ = key
    return "none" if augmenter == "none" else f"{augmenter} {amount}"


def _paper_row(paper: PaperTable | None, keys: Mapping[str, Any]) -> PaperRow | None:
    for row in paper.rows if paper else ():
        if all(_same(keys.get(name), value) for name, value in row.match.items()):
            return row
    return None


def _same(found: Any, wanted: str | float) -> bool:
    return math.isclose(found, wanted) if isinstance(wanted, float) and isinstance(found, float) else found == wanted


def _printed(paper: PaperTable | None, row: PaperRow | None, degree: float) -> tuple[float | None, bool]:
    if paper is None or row is None:
        return None, False
    for column, number in zip(paper.degrees, row.scores, strict=True):
        if math.isclose(column, degree):
            bold = any(math.isclose(column, at) for at in row.bold)
            return (None if number is None else number / 100), bold
    return None, False


def _short(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Label the rows that the paper does not by the keys in which they differ."""
    differ = [name for name in rows[0].keys if len({str(row.keys[name]) for row in rows}) > 1] if len(rows) > 1 else []
    if "data_fraction" in differ and "data_size" in differ:
        differ.remove("data_size")
    labelled = []
    for row in rows:
        parts = [_key_text(name, row.keys[name]) for name in differ or ["task"]]
        labelled.append(
            row if row.label else Row(label=", ".join(parts), metric=row.metric, cells=row.cells, keys=row.keys)
        )
    return tuple(labelled)


def _key_text(name: str, value: Any) -> str:
    if name == "data_fraction":
        return f"{100 * value:g} %"
    if name == "task":
        return Path(value).stem
    return f"{value:g} examples" if name == "data_size" else str(value)


def _notes(sweep: Sweep, selected: pd.DataFrame, paper: PaperTable | None, kept: bool) -> tuple[str, ...]:
    seeds = selected.groupby(CELL, dropna=False).size()
    notes = []
    if sweep.protocol == "paper":
        notes.append("protocol: paper (the better learning rate on the evaluation set itself: optimistic)")
    else:
        notes.append("protocol: validation (learning rate chosen on the validation split)")
    if seeds.max() == 1:
        notes.append("one seed a cell: the intervals cover the test examples only, not the seeds")
    elif seeds.min() == 1:
        notes.append(f"cells have {seeds.min()} to {seeds.max()} seeds; those of one seed vary over test examples only")
    if not kept:
        notes.append("predictions are not kept here: test examples enter as normal noise, independent in each cell")
    if sweep.table == TABLE_1:
        notes.extend(_minutes(selected))
    notes.extend(_mixtures(selected))
    notes.append("intervals: 95 %, over seeds (Student's) and test examples; p: how often the cell is its row's best")
    return (*notes, *(f"the paper: {note}" for note in (paper.notes if paper else ())))


def _minutes(selected: pd.DataFrame) -> Iterator[str]:
    """Table 1 beside ours: minutes of augmentation there, of whole runs (with the making of their copies) here."""
    for (augmenter, amount), printed in TABLE_1_MINUTES.items():
        runs = selected[(selected["augmenter"] == augmenter) & (selected["amount"] == amount)]
        if len(runs):
            ours = f"{runs['wall_seconds'].mean() / 60:.1f} minutes a run with its augmentation"
            yield f"{augmenter} {amount}: {ours}; the paper's Table 1, augmentation alone: {printed:g}"


def _mixtures(selected: pd.DataFrame) -> Iterator[str]:
    """What the runs of a table should have in common and do not: a sweep went on elsewhere, or was put together."""
    known = selected.reindex(columns=["task", "teacher", "precision", "teacher_hash"]).replace("", None)
    precisions = known["precision"].value_counts()
    if len(precisions) > 1:
        counts = ", ".join(f"{name} ({count} runs)" for name, count in precisions.items())
        yield f"runs of different precision are mixed: {counts}"
    hashes = known.groupby(["task", "teacher"])["teacher_hash"].nunique().reset_index()
    for task, teacher, count in hashes.itertuples(index=False):
        if count > 1:
            yield f"students of {count} differently trained teachers ({teacher}, {_key_text('task', task)}) are mixed"


__all__ = [
    "CELL",
    "Cell",
    "ResultTable",
    "Row",
    "RowKey",
    "curves",
    "labelled_curves",
    "result_table",
    "select_learning_rate",
]  # fmt: skip
