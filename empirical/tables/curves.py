"""Curves from a sweep's table: one learning rate a cell, error against degree at each data size (section 5.1).

kdshift empirical table PRESET; kdshift compare
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from theory.inference.curve import ShiftErrorCurve
from theory.inference.evaluation import MEANS, SINGLE, bounded_covariance

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
CELL = ["task", "mode", "teacher", "student", "augmenter", "amount", "degree", "data_fraction", "data_size"]
ROW = ["task", "mode", "teacher", "student", "augmenter", "amount", "data_fraction", "data_size"]


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


class RowKey(NamedTuple):
    """Which curve of a sweep: everything of a row of its table."""

    task: str
    mode: str
    teacher: str
    student: str
    augmenter: str
    amount: str
    data_size: float


def labelled_curves(frame: pd.DataFrame, protocol: str = "validation") -> dict[RowKey, ShiftErrorCurve]:
    """Error against degree by task, mode, models, augmenter, amount and data size, ordered so.

    The 0 % runs belong to every augmenter's curve. A curve's replicates are the (seed, data seed) that all of its
    degrees have; degrees that lack replicates which the others have are left out while three remain, so that three
    replicates of five degrees are not cut to two of nine. A curve of one replicate has the standard error of the test
    examples. All carry the test split's name and what it adds (`theory.inference.evaluation`: a bound, for tables are
    kept without predictions). Curves of fewer than two degrees, and single runs without a standard error, are left out.
    """
    selected = select_learning_rate(frame, protocol)
    found: dict[RowKey, ShiftErrorCurve] = {}
    for keys, members in with_vanilla(selected, [name for name in ROW if name != "data_fraction"]):
        curve = _curve(members, float(keys[-1]))
        if curve is not None:
            found[RowKey(*keys)] = curve
    return dict(sorted(found.items()))


def curves(frame: pd.DataFrame, protocol: str = "validation") -> list[ShiftErrorCurve]:
    """The curves of `labelled_curves`, in its order (section 5.1 compares them by data size)."""
    return list(labelled_curves(frame, protocol).values())


def with_vanilla(frame: pd.DataFrame, keys: list[str]) -> list[tuple[tuple[Any, ...], pd.DataFrame]]:
    """The rows of a table with their members: each augmenter's runs and the 0 % runs that it shares.

    0 % runs without any augmented companion are a row of their own.
    """
    import pandas as pd

    shared = [name for name in keys if name not in ("augmenter", "amount", "teacher")]
    vanilla = frame[frame["augmenter"] == "none"]
    groups: list[tuple[tuple[Any, ...], pd.DataFrame]] = []
    used: set[Any] = set()
    for key, members in frame[frame["augmenter"] != "none"].groupby(keys, dropna=False, sort=False):
        # A merge takes NaN for equal to NaN, as the grouping does; a comparison would not.
        own = vanilla.reset_index(names="place").merge(members[shared].head(1), on=shared)
        own = own[own["teacher"].isin([members["teacher"].iloc[0], "none"])]
        used |= set(own["place"])
        groups.append((key, pd.concat([vanilla.loc[own["place"]], members])))
    alone = vanilla[~vanilla.index.isin(used)]
    return groups + list(alone.groupby(keys, dropna=False, sort=False))


def _curve(members: pd.DataFrame, data_size: float) -> ShiftErrorCurve | None:
    if not data_size > 0:
        return None
    wide = _complete(members.pivot_table(index=["seed", "data_seed"], columns="degree", values="error"))
    if wide.shape[1] < 2 or not len(wide):
        return None
    kept = members[members["degree"].isin(wide.columns)]
    rows, shift = wide.to_numpy(dtype=float), wide.columns.to_numpy(dtype=float)
    spread = rows.std(axis=0, ddof=1) / math.sqrt(len(rows)) if len(rows) > 1 else _test_error(kept)
    if np.isnan(spread).any():
        return None
    return ShiftErrorCurve(
        shift=shift,
        error=rows.mean(axis=0),
        error_se=spread,
        data_size=data_size,
        shift_name="degree",
        replicates=rows if len(rows) > 1 else None,
        replicate_ids=tuple(wide.index) if len(rows) > 1 else None,
        evaluation=str(members["task"].iloc[0]),
        test_covariance=_shared_noise(kept, rows),
    )


def _test_error(members: pd.DataFrame) -> Floats:
    """The standard error over test examples of single runs, (S,); NaN where it is not known."""
    return members.groupby("degree")["error_se"].mean().to_numpy(dtype=float)


def _shared_noise(members: pd.DataFrame, rows_RS: Floats) -> Floats | None:
    """What the test split adds to all replicates alike, bounded; None where its size is not known."""
    error = rows_RS.mean(axis=0)
    examples = float(members["n_test"].min()) if "n_test" in members else math.nan
    if not examples > 0 or np.any((error < 0) | (error > 1)):
        return None
    return bounded_covariance(error, examples, SINGLE if len(rows_RS) == 1 else MEANS)


def _complete(wide: pd.DataFrame) -> pd.DataFrame:
    """The largest table without gaps: all replicates of the degrees that have them, if at least three degrees do.

    Degrees are dropped for more replicates, never the smallest one: Student's interval of two is three times as wide.
    """
    least = wide.columns[0] if len(wide.columns) else None
    for count in range(len(wide), 1, -1):
        rows = wide[wide[least].notna()].assign(have=lambda table: table.notna().sum(axis=1))
        rows = rows.sort_values("have", ascending=False, kind="stable").drop(columns="have").head(count)
        columns = rows.columns[rows.notna().all()]
        if len(rows) == count and len(columns) >= min(3, wide.shape[1]) and least in columns:
            return rows[columns].sort_index()
    single = wide.dropna().head(1)
    return single if len(single) else wide.loc[wide.notna().sum(axis=1).nlargest(1).index].dropna(axis=1)
