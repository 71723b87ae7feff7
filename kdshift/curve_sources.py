"""Where evidence comes from: theory, simulation, text and the paper's tables, all as shift-error curves.

A results directory holds `simulate/PRESET/` (written by `kdshift simulate run`), `text/` (the table of a sweep, written
by `kdshift empirical sweep`) and `shift/` (written by `kdshift empirical shift`); whatever is missing is not measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from empirical.paper import TABLES, PaperTable
from empirical.tables.table import labelled_curves
from simulate.tau_curves import CurveKey, read_curves
from theory.errors import InputError
from theory.inference.curve import ShiftErrorCurve
from theory.risk import mean_risk_bound

if TYPE_CHECKING:
    import pandas as pd

# Original examples of the paper's tasks, and of the sets its tables are evaluated on (GLUE's dev sets, GAD's test)
TASK_SIZES = {
    "mnli": (392_702, 9_815),
    "qnli": (104_743, 5_463),
    "cola": (8_551, 1_043),
    "mrpc": (3_668, 408),
    "rte": (2_490, 277),
    "qqp": (363_846, 40_430),
    "gad": (4_796, 534),
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a set of curves shares besides the data size.

    supervision: "teacher" (distillation) or "copied_label" (fine-tuning, y' = y).
    variant: the augmenter, or the kernel of a simulation. amount: "online", "4x", "8x", ... task: of texts.
    """

    supervision: str = "teacher"
    variant: str = "knn"
    amount: str = "online"
    task: str = ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """All curves of one source by setting, and the command that made them."""

    name: str
    command: str
    curves: Mapping[Setting, Sequence[ShiftErrorCurve]] = field(default_factory=dict)

    def __call__(
        self, supervision: str = "teacher", variant: str = "knn", amount: str = "online"
    ) -> list[ShiftErrorCurve]:
        """The curves of one setting over all its tasks, by data size; empty where there are none."""
        return [curve for group in self.by_task(supervision, variant, amount) for curve in group]

    def by_task(
        self, supervision: str = "teacher", variant: str = "knn", amount: str = "online"
    ) -> list[list[ShiftErrorCurve]]:
        """The curves of one setting, a list a task (or truth), each by data size."""
        wanted = (supervision, variant, amount)
        return [
            sorted(found, key=lambda curve: curve.data_size)
            for key, found in self.curves.items()
            if (key.supervision, key.variant, key.amount) == wanted
        ]

    def pairs(self, first: Setting, second: Setting) -> list[tuple[ShiftErrorCurve, ShiftErrorCurve]]:
        """Curves of two settings at the same task and data size (the settings' own tasks do not matter)."""
        return [
            (a, b)
            for key in self.curves
            if replace(key, task="") == replace(first, task="")
            for a in self.curves[key]
            for b in self.curves.get(replace(second, task=key.task), ())
            if np.isclose(a.data_size, b.data_size)
        ]


def paper_curves(table: PaperTable) -> dict[tuple[str, str], list[ShiftErrorCurve]]:
    """A table's rows as curves, by (augmenter, task) of each row.

    The paper prints one run a cell, so the standard error is that of an accuracy on its evaluation set alone (a
    Matthews correlation is given the same size of error): seeds would add to it, pairing over texts would take away.
    """
    curves: dict[tuple[str, str], list[ShiftErrorCurve]] = {}
    for row in table.rows:
        task = str(row.match.get("task", "mnli"))
        share = float(row.match.get("data_fraction", 0.01 if table is TABLES["table5"] else 1.0))
        train, evaluated = TASK_SIZES[task]
        shared = row.scores if row.scores[0] is not None else (table.rows[0].scores[0], *row.scores[1:])
        score = np.array(shared, dtype=float) / 100
        curve = ShiftErrorCurve(
            shift=np.array(table.degrees),
            error=1 - score,
            error_se=np.sqrt(score * (1 - score) / evaluated),
            data_size=round(share * train),
            shift_name="degree",
        )
        curves.setdefault((str(row.match.get("augmenter", "knn")), task), []).append(curve)
    return curves


def paper_source() -> Source:
    """The paper's tables 2-5 and 8."""
    curves: dict[Setting, list[ShiftErrorCurve]] = {}
    for name, table in TABLES.items():
        supervision = "copied_label" if name == "table3" else "teacher"
        for (variant, task), found in paper_curves(table).items():
            known = curves.setdefault(Setting(supervision=supervision, variant=variant, task=task), [])
            sizes = {curve.data_size for curve in known}
            known.extend(curve for curve in found if curve.data_size not in sizes)
    return Source(name="paper", command="kdshift empirical table table2-mnli", curves=curves)


def text_source(frame: pd.DataFrame, command: str = "kdshift empirical sweep demo-full") -> Source:
    """The curves of a sweep's table (`empirical.sweeps.results.sweep_frame`), a task each pair of task and student."""
    curves: dict[Setting, list[ShiftErrorCurve]] = {}
    for key, curve in labelled_curves(frame).items():
        supervision = "teacher" if key.mode == "distill" else "copied_label"
        task = f"{key.task} {key.student}"
        setting = Setting(supervision=supervision, variant=key.augmenter, amount=key.amount, task=task)
        curves.setdefault(setting, []).append(curve)
    return Source(name="text", command=command, curves=curves)


def simulation_source(found: Mapping[CurveKey, ShiftErrorCurve], command: str) -> Source:
    """The curves of one simulated experiment by supervision, kernel, amount and truth (the `task`).

    Where an experiment has one amount only, it goes by the name "online", as in the other sources.
    """
    single = len({key.amount for key in found}) == 1
    curves: dict[Setting, list[ShiftErrorCurve]] = {}
    for key, curve in found.items():
        amount = "online" if single else key.amount
        setting = Setting(supervision=key.supervision, variant=key.kernel, amount=amount, task=key.truth)
        curves.setdefault(setting, []).append(curve)
    return Source(name="simulation", command=command, curves=curves)


def theory_source(like: Sequence[CurveKey], command: str = "kdshift theory bounds") -> Source:
    """The mean risk bound (theory section 3.5) at the settings of a simulation: exact curves, standard error zero.

    Copied labels have no curve: the theorem's teacher labels every augmented point.
    """
    tau = np.geomspace(1e-3, 3.0, 49)
    curves: dict[Setting, list[ShiftErrorCurve]] = {}
    for key in dict.fromkeys(key._replace(amount="online", kernel="isotropic") for key in like):
        if key.supervision != "teacher" or key.teacher != "trusted":
            continue
        bound = mean_risk_bound(tau, key.data_size, key.dimension, key.trust_radius, key.teacher_epsilon)
        curve = ShiftErrorCurve(
            shift=tau, error=bound, error_se=np.zeros_like(tau), data_size=float(key.data_size), shift_name="tau"
        )
        curves.setdefault(Setting(variant="isotropic"), []).append(curve)
    return Source(name="theory", command=command, curves=curves)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The four sources of the claims.

    presets: simulated experiments by preset; text: a sweep; shift: the measured shift of augmenters, or None.
    """

    theory: Source
    presets: Mapping[str, Source]
    text: Source
    paper: Source
    shift: pd.DataFrame | None = None
    counterexample: pd.DataFrame | None = None

    def simulation(self, preset: str) -> Source:
        """One simulated experiment; without curves where it was not run."""
        return self.presets.get(preset, Source(name="simulation", command=f"kdshift simulate run {preset}"))


MAIN_PRESET = "inverted-u"
TEXT_COMMAND = "kdshift empirical sweep demo-full"


def tables_of(results: Path) -> dict[str, Path]:
    """Where a results directory keeps its single tables."""
    return {
        "text": text_table(results / "text"),
        "shift": results / "shift" / "shift.parquet",
        "counterexample": results / "simulate" / "theorem1-counterexample" / "table.parquet",
    }


def text_table(folder: Path) -> Path:
    """The one sweep's table under `folder`; InputError where there are several."""
    found = sorted(folder.rglob("results.parquet"))
    if len(found) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path in found)
        raise InputError(str(folder), names, "one sweep's results.parquet")
    return found[0] if found else folder / "results.parquet"


def default_settings(dimension: int = 5, trust_radius: float = 3.0, teacher_epsilon: float = 0.05) -> list[CurveKey]:
    """The settings of the theory's curves where no simulation gives any: the simulation's defaults."""
    shared = {"dimension": dimension, "trust_radius": trust_radius, "teacher_epsilon": teacher_epsilon}
    names = {"amount": "online", "student": "", "truth": "", "teacher": "trusted", "outside": "", "kernel": "isotropic"}
    sizes = (30, 100, 300, 1000, 3000)
    return [CurveKey(supervision="teacher", data_size=size, **shared, **names) for size in sizes]  # type: ignore[arg-type]


def load_sources(results: Path) -> Sources:
    """Everything a results directory holds. Raises InputError where there is no such directory."""
    import pandas as pd

    if not results.is_dir():
        raise InputError("--results", str(results), "an existing directory with simulate/, text/ and shift/ tables")
    presets: dict[str, Source] = {}
    like: list[CurveKey] = []
    for folder in sorted((results / "simulate").glob("*")):
        if (folder / "replicates.parquet").is_file():
            found = read_curves(folder)
            presets[folder.name] = simulation_source(found, f"kdshift simulate run {folder.name}")
            if folder.name == MAIN_PRESET:
                like = list(found)
    tables = {name: pd.read_parquet(path) for name, path in tables_of(results).items() if path.is_file()}
    return Sources(
        theory=theory_source(like or default_settings()),
        presets=presets,
        text=text_source(tables["text"]) if "text" in tables else Source(name="text", command=TEXT_COMMAND),
        paper=paper_source(),
        shift=tables.get("shift"),
        counterexample=tables.get("counterexample"),
    )


def side_by_side(sources: Sources) -> dict[str, tuple[Sequence[ShiftErrorCurve], str]]:
    """The side-by-side curves: panel title -> (curves, what the vertical axis measures)."""
    simulation = sources.simulation(MAIN_PRESET)
    shown = {
        "Theory: the repaired risk bound": (sources.theory(variant="isotropic"), "bound on the error, E|h - f|"),
        "Simulation: ridge students": (simulation(variant="isotropic"), "error, E|h - f|"),
        "Text: distilled tweets, kNN": (sources.text(), "test error (1 - accuracy)"),
    }
    return {title: found for title, found in shown.items() if found[0]}
