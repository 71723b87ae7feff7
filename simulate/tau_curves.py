"""Tables -> curves: error against tau with every replicate, best tau with its interval, the power law, theory beside.

All simulation results leave this package as `theory.inference.curve.ShiftErrorCurve`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from theory.errors import InputError
from theory.inference.curve import Optimum, ShiftErrorCurve
from theory.inference.power_law import PowerLaw, power_law
from theory.replacing import read_frame
from theory.risk import best_tau


class CurveKey(NamedTuple):
    """What is the same along one curve: everything but tau."""

    supervision: str
    data_size: int
    dimension: int
    amount: str
    student: str
    truth: str
    teacher: str
    teacher_epsilon: float
    trust_radius: float
    outside: str
    kernel: str
    penalty: str

    def label(self, varying: tuple[str, ...]) -> str:
        """The named fields as text, for panels and messages."""
        return ", ".join(f"{_words(name)} {_number(getattr(self, name))}" for name in varying) or "all cells"


def _words(name: str) -> str:
    return {"supervision": "labels:", "amount": "m ="}.get(name, name.replace("_", " "))


def _number(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return {"teacher": "teacher's", "copied_label": "copied"}.get(text, text)


Curves = dict[CurveKey, ShiftErrorCurve]


def curves(table: pd.DataFrame, replicates: pd.DataFrame | None = None, measure: str = "error") -> Curves:
    """One curve a combination of everything but tau, failed cells left out, in the order of the table.

    Parameters
    ----------
    table : the tidy table of `run_experiment`
    replicates : its `replicates.parquet`; with it, curves carry (R, T) replicates paired across tau by common random
        numbers, and intervals of optima are bootstrapped over them
    measure : the column to read (`error`, `squared_error`, `misclassification`)
    """
    done = table[table["status"] == "done"]
    result: Curves = {}
    keys = list(CurveKey._fields)
    long = None if replicates is None else dict(iter(replicates.groupby(keys, sort=False)))
    for values, group in done.groupby(keys, sort=False):
        key = CurveKey._make(values)
        group = group.sort_values("tau")
        if long is None:
            result[key] = ShiftErrorCurve(
                shift=group["tau"].to_numpy(float),
                error=group[measure].to_numpy(float),
                error_se=group[f"{measure}_se"].to_numpy(float),
                data_size=float(key.data_size),
            )
        else:
            wide = long[values].pivot(index="replicate", columns="tau", values=measure)
            result[key] = ShiftErrorCurve.from_replicates(wide.columns.to_numpy(float), wide.to_numpy(), key.data_size)
    return result


def read_curves(out: Path, measure: str = "error") -> Curves:
    """The curves of a results directory; InputError if it holds no finished experiment."""
    for name in ("table", "replicates"):
        if not (out / f"{name}.parquet").is_file():
            raise InputError("results", str(out), f"a directory with {name}.parquet (kdshift simulate run --out)")
    return curves(read_frame(out / "table.parquet"), read_frame(out / "replicates.parquet"), measure)


def select(found: Mapping[CurveKey, ShiftErrorCurve], **wanted: Any) -> Curves:
    """The curves whose key has these values."""
    return {k: c for k, c in found.items() if all(getattr(k, name) == value for name, value in wanted.items())}


def groups(found: Mapping[CurveKey, ShiftErrorCurve]) -> dict[CurveKey, list[ShiftErrorCurve]]:
    """Curves that differ in the data size alone, smallest first; each group's key has data_size 0."""
    result: dict[CurveKey, list[tuple[int, ShiftErrorCurve]]] = {}
    for key, curve in found.items():
        result.setdefault(key._replace(data_size=0), []).append((key.data_size, curve))
    return {key: [curve for _, curve in sorted(members, key=lambda pair: pair[0])] for key, members in result.items()}


def varying(found: Mapping[CurveKey, ShiftErrorCurve]) -> tuple[str, ...]:
    """Fields of the key, data size aside, that take more than one value."""
    names = [name for name in CurveKey._fields if name != "data_size"]
    return tuple(name for name in names if len({getattr(key, name) for key in found}) > 1)


def fit_power_law(group: list[ShiftErrorCurve]) -> tuple[list[Optimum], PowerLaw | None]:
    """The optima over tau > 0 of one group and the power law through them; None with fewer than two data sizes."""
    optima = [curve.only(curve.names, curve.shift[curve.shift > 0]).optimum() for curve in group]
    return optima, power_law(optima) if len({best.data_size for best in optima}) > 1 else None


def theory_exponent(dimension: int) -> float:
    """-2/(d + 4): the exponent of the best tau in n in the repaired theorem (its trust radius infinite)."""
    return -2.0 / (dimension + 4)


def theory_best_tau(key: CurveKey, data_size: float) -> float:
    """Best tau of the repaired risk bound at the same d, n, trust radius and teacher error.

    NaN where it is vacuous, and for copied labels, learned teachers and kernels that the theorem does not speak of.
    """
    if key.supervision == "copied_label" or key.teacher == "learned" or key.kernel != "isotropic":
        return float("nan")
    radius = key.trust_radius if key.teacher == "trusted" else np.inf
    epsilon = 0.0 if key.teacher == "exact" else key.teacher_epsilon
    return float(best_tau(data_size, key.dimension, radius, epsilon))


def optima_table(found: Mapping[CurveKey, ShiftErrorCurve]) -> pd.DataFrame:
    """A row a curve: best tau with its interval, its error, and theory's best tau for the same setting."""
    rows = []
    for key, curve in found.items():
        best = curve.optimum()
        row = {**key._asdict(), "best_tau": best.shift, "best_tau_low": best.low, "best_tau_high": best.high}
        row |= {"error": best.error, "error_se": best.error_se, "at_edge": best.at_edge}
        rows.append({**row, "theory_best_tau": theory_best_tau(key, key.data_size)})
    return pd.DataFrame(rows)
