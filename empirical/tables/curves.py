"""Curves from a sweep's table: one learning rate a cell, error against degree at each data size (section 5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from theory.inference.curve import ShiftErrorCurve

if TYPE_CHECKING:
    import pandas as pd

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
    (at least two); with fewer the standard error is that of the test examples, binomial, and a single complete
    replicate stands alone. Curves of fewer than two
    degrees, and of metrics without that standard error and replicates, are left out.
    """
    selected = select_learning_rate(frame, protocol)
    found: dict[CurveKey, ShiftErrorCurve] = {}
    for keys, members in with_vanilla(selected, [name for name in ROW if name != "data_fraction"]):
        curve = _curve(members, float(keys[-1]))
        if curve is not None:
            found[CurveKey(*keys)] = curve
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
    if len(wide) == 1:  # replicates that lack a degree would tilt the curve by their subset
        seed, data_seed = wide.index[0]
        members = members[(members["seed"] == seed) & (members["data_seed"] == data_seed)]
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
