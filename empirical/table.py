"""A sweep's table beside the paper's: one learning rate a cell, intervals, and how probably the best cell is the best.

kdshift empirical table table2-mnli --results results
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from empirical.grid import Sweep
from empirical.paper import TABLES, PaperRow, PaperTable
from empirical.resample import bootstrap_row
from empirical.results import read_predictions, sweep_frame
from theory.curve import ShiftErrorCurve
from theory.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

CELL = ["task", "mode", "teacher", "student", "augmenter", "amount", "degree", "data_fraction", "data_size"]
ROW = ["task", "mode", "teacher", "student", "augmenter", "amount", "data_fraction", "data_size"]
DRAWS = 1000


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


def select_learning_rate(frame: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """The finished runs of `frame` at one learning rate a cell, the one with the best mean over seeds.

    protocol: "validation" compares validation scores (nothing is chosen on the test split); "paper" compares the
    evaluation set's own scores, as section 5 does. Rates that miss seeds which another rate has are not compared.
    """
    done = frame[frame["status"] == "finished"]
    judge = "validation" if protocol == "validation" else "score"
    means = done.groupby([*CELL, "learning_rate"], dropna=False)[judge].agg(["mean", "count"]).reset_index()
    complete = means["count"] == means.groupby(CELL, dropna=False)["count"].transform("max")
    ranked = means[complete].sort_values(["mean", "learning_rate"], ascending=[False, True], kind="stable")
    chosen = ranked.drop_duplicates(CELL)[[*CELL, "learning_rate"]]
    return done.merge(chosen, on=[*CELL, "learning_rate"], how="inner")


class CurveKey(NamedTuple):
    """Which curve of a sweep: everything of a row of its table."""

    task: str
    mode: str
    teacher: str
    student: str
    augmenter: str
    amount: str
    data_size: float


def labelled_curves(frame: pd.DataFrame, protocol: str = "validation") -> dict[CurveKey, ShiftErrorCurve]:
    """Error against degree by task, mode, models, augmenter, amount and data size, ordered so.

    The 0 % runs belong to every augmenter's curve. Seeds that every degree of a curve has are its paired replicates
    (at least two); with fewer the standard error is that of the test examples, binomial. Curves of fewer than two
    degrees, and of metrics without that standard error and replicates, are left out.
    """
    selected = select_learning_rate(frame, protocol)
    found: dict[CurveKey, ShiftErrorCurve] = {}
    for keys, members in _with_vanilla(selected, [name for name in ROW if name != "data_fraction"]):
        curve = _curve(members, float(keys[-1]))
        if curve is not None:
            found[CurveKey(*keys)] = curve
    return dict(sorted(found.items()))


def curves(frame: pd.DataFrame, protocol: str = "validation") -> list[ShiftErrorCurve]:
    """The curves of `labelled_curves`, in its order (section 5.1 compares them by data size)."""
    return list(labelled_curves(frame, protocol).values())


def _with_vanilla(frame: pd.DataFrame, keys: list[str]) -> list[tuple[tuple[Any, ...], pd.DataFrame]]:
    """The rows of a table with their members: each augmenter's runs and the 0 % runs that it shares.

    0 % runs without any augmented companion are a row of their own.
    """
    import pandas as pd

    shared = [name for name in keys if name not in ("augmenter", "amount", "teacher")]
    vanilla = frame[frame["augmenter"] == "none"]
    groups: list[tuple[tuple[Any, ...], pd.DataFrame]] = []
    used: set[Any] = set()
    for key, members in frame[frame["augmenter"] != "none"].groupby(keys, dropna=False, sort=False):
        named = dict(zip(keys, key, strict=True))
        match = np.ones(len(vanilla), dtype=bool)
        for name in shared:
            column = vanilla[name]
            match &= (column.isna() if named[name] != named[name] else column == named[name]).to_numpy()
        match &= vanilla["teacher"].isin([named["teacher"], "none"]).to_numpy()
        used |= set(vanilla.index[match])
        groups.append((key, pd.concat([vanilla[match], members])))
    alone = vanilla[~vanilla.index.isin(used)]
    return groups + list(alone.groupby(keys, dropna=False, sort=False))


def _curve(members: pd.DataFrame, data_size: float) -> ShiftErrorCurve | None:
    wide = members.pivot_table(index=["seed", "data_seed"], columns="degree", values="error").dropna()
    if members["degree"].nunique() < 2 or not data_size > 0:
        return None
    if len(wide) >= 2 and wide.shape[1] == members["degree"].nunique():
        return ShiftErrorCurve.from_replicates(wide.columns.to_numpy(), wide.to_numpy(), data_size, "degree")
    by_degree = members.groupby("degree")
    error = by_degree["error"].mean()
    spread = by_degree["error_se"].mean()
    if spread.isna().any():
        return None
    return ShiftErrorCurve(
        shift=error.index.to_numpy(dtype=float),
        error=error.to_numpy(),
        error_se=spread.to_numpy(),
        data_size=data_size,
        shift_name="degree",
    )


def result_table(sweep: Sweep, root: Path, *, draws: int = DRAWS, seed: int = 0) -> ResultTable:
    """The table of a sweep's finished runs beside the paper's. Raises InputError when no run is finished yet."""
    frame = sweep_frame(sweep, root)
    selected = select_learning_rate(frame, sweep.protocol)
    if not len(selected):
        raise InputError("table", sweep.name, f"a sweep with finished runs in {root}")
    paper = TABLES.get(sweep.table or "")
    by_method = selected["amount"].isin(["none", "online"]).all() is np.False_
    keys = ["task", "mode", "teacher", "student", "data_fraction", "data_size"] if by_method else ROW
    rng = np.random.default_rng(seed)
    groups = list(selected.groupby(keys, dropna=False, sort=False)) if by_method else _with_vanilla(selected, keys)
    rows = tuple(
        _row(dict(zip(keys, key, strict=True)), members, root, paper, by_method, rng, draws) for key, members in groups
    )
    columns = tuple(dict.fromkeys(cell.column for row in rows for cell in row.cells))
    if not by_method:
        columns = tuple(sorted(columns, key=lambda name: float(name.split()[0])))
    notes = _notes(sweep, selected, paper)
    left, failed = int((frame["status"] == "left").sum()), int((frame["status"] == "failed").sum())
    title = sweep.title + (f" - the paper's {paper.number}" if paper else "")
    return ResultTable(title=title, columns=columns, rows=_short(rows), notes=notes, left=left, failed=failed)


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
    runs = [[read_predictions(root / name) for name in cell["run"]] for _, cell in groups]
    label_N = runs[0][0][0]
    predicted = [[predicted_N for _, predicted_N in cell] for cell in runs]
    classes = 1 + max(int(array.max()) for array in (label_N, *(run for cell in predicted for run in cell)))
    metric = str(members["metric"].iloc[0])
    boot = bootstrap_row(metric, label_N, predicted, classes, rng=rng, draws=draws)
    low, high = boot.interval()
    best = int(np.argmax(boot.score_C))
    printed = _paper_row(paper, keys)
    cells = []
    for at, (key, cell) in enumerate(groups):
        degree = float(key[-1])
        number, bold = _printed(paper, printed, degree)
        cells.append(Cell(
            column=_column(key, by_method), degree=degree, score=float(boot.score_C[at]), low=float(low[at]),
            high=float(high[at]), probability=float(boot.probability_best()[at]), seeds=int(boot.seeds_C[at]),
            learning_rate=float(cell["learning_rate"].iloc[0]), best=at == best, paper=number, bold=bold,
        ))  # fmt: skip
    return Row(label=printed.label if printed else "", metric=metric, cells=tuple(cells), keys=keys)


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
    return f"{value:g} examples" if name == "data_size" else str(value)


def _notes(sweep: Sweep, selected: pd.DataFrame, paper: PaperTable | None) -> tuple[str, ...]:
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
    notes.append("intervals: 95 %, bootstrap over seeds and test examples; p: how often the cell is its row's best")
    return (*notes, *(f"the paper: {note}" for note in (paper.notes if paper else ())))
