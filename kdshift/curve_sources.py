"""Where evidence comes from: theory, simulation, text and the paper's tables, all as shift-error curves.

A results directory holds `simulate/PRESET/` (from `kdshift simulate run`), `text/` or `sweeps/` (tables of sweeps,
written by `kdshift empirical sweep`), `curves/` or `text/` (light students, `kdshift empirical curves`), `shift/`
(written by `kdshift empirical shift`); whatever is missing is not measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from empirical.bank.exchange import ExchangeRate
from empirical.bank.study_table import NOISE, NONE, TABLE, TWICE, UNLABELLED, WHOLE, read_noise
from empirical.bank.summary import curve_of, exchange_of, groups, part_name
from empirical.paper import TABLES, PaperTable
from empirical.tables.table import labelled_curves
from kdshift.source import CurveGroup, Source
from simulate.tau_curves import CurveKey, read_curves
from theory.errors import InputError
from theory.inference.curve import ShiftErrorCurve
from theory.inference.evaluation import MEANS, SINGLE, bounded_covariance
from theory.replacing import read_frame
from theory.risk import mean_risk_bound

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

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


def paper_curves(table: PaperTable) -> dict[tuple[str, str], list[ShiftErrorCurve]]:
    """A table's rows as curves, by (augmenter, task) of each row.

    The paper prints one run a cell, so the standard error is that of an accuracy on its evaluation set alone (a
    Matthews correlation is given the same size of error). The cells of a task share that set: what it adds to a
    difference is bounded (`theory.inference.evaluation`), seeds show only in how rows differ.
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
            evaluation=task,
            test_covariance=bounded_covariance(1 - score, evaluated, SINGLE),
        )
        curves.setdefault((str(row.match.get("augmenter", "knn")), task), []).append(curve)
    return curves


def paper_source() -> Source:
    """The paper's tables 2-5 and 8."""
    curves: dict[CurveGroup, list[ShiftErrorCurve]] = {}
    for name, table in TABLES.items():
        supervision = "copied_label" if name == "table3" else "teacher"
        for (variant, task), found in paper_curves(table).items():
            known = curves.setdefault(CurveGroup(supervision=supervision, variant=variant, task=task), [])
            sizes = {curve.data_size for curve in known}
            known.extend(curve for curve in found if curve.data_size not in sizes)
    return Source(name="paper", command="kdshift empirical table table2-mnli", curves=curves)


def text_source(frame: pd.DataFrame, command: str = "kdshift empirical sweep demo-full") -> Source:
    """The curves of sweeps' tables (`empirical.sweeps.results.sweep_frame`), a task each pair of task and student."""
    curves: dict[CurveGroup, list[ShiftErrorCurve]] = {}
    for key, curve in labelled_curves(frame).items():
        taught = key.mode == "distill"
        setting = CurveGroup(
            supervision="teacher" if taught else "copied_label",
            variant=key.augmenter,
            amount=key.amount,
            task=f"{key.task} {key.student}",
            teacher=key.teacher if taught else "",
        )
        curves.setdefault(setting, []).append(curve)
    return Source(name="text", command=command, curves=curves)


def light_source(
    folders: Sequence[Path], outcome: str = "distance", reference: tuple[str, float] = (NONE, 0.0)
) -> Source:
    """The curves of light students on banks (folders of `kdshift empirical curves`), a task each student.

    Of the teacher that was trained on all of the data, as the paper's is; what a teacher of the student's own n texts
    gives (the study's other arm) is no distillation of its kind.

    outcome: `distance` to the teacher on held-out originals, or `error`, the share of wrong labels. What the test split
    adds was measured; of errors in tables without it, it is a stated bound. Replicates of different data sizes are
    different texts; at one size, all arms share them. Sizes with one replicate are left out. amount: `online` for the
    copies that a size has of itself, `4x` for arms with four. reference: augmenter and amount of what stands at degree
    0, real unlabelled texts, for instance; curves without it are left out.
    """
    curves: dict[CurveGroup, list[ShiftErrorCurve]] = {}
    for folder in folders:
        for lead, frame, part in _parts(folder):
            known = part if outcome == "distance" or (part and "accuracy" in part) else None
            shifted = frame[~frame["augmenter"].isin((NONE, TWICE, UNLABELLED))]
            if not ((frame["augmenter"] == reference[0]) & (frame["amount"] == reference[1])).any():
                continue
            for augmenter, amount in sorted(set(zip(shifted["augmenter"], shifted["amount"], strict=True))):
                scored = frame.assign(error=1 - frame["accuracy"])
                curve = curve_of(scored, augmenter, outcome, known, amount=amount, reference=reference)
                if curve.replicates is None:
                    continue
                if outcome == "error" and known is None and "n_test" in frame:
                    shared = bounded_covariance(curve.error, float(frame["n_test"].min()), MEANS)
                    curve = replace(curve, test_covariance=shared)
                names = tuple((folder.name, curve.data_size, replicate) for replicate in curve.names)
                setting = CurveGroup(
                    supervision="teacher" if lead["mode"] == "distill" else "copied_label",
                    variant=augmenter,
                    amount=f"{amount:g}x" if amount else "online",
                    task=str(lead["student"]),
                    teacher=WHOLE if lead["mode"] == "distill" else "",
                )
                curves.setdefault(setting, []).append(replace(curve, replicate_ids=names, evaluation=folder.name))
    return Source(name="text", command="kdshift empirical curves", curves=curves)


def _parts(folder: Path) -> Iterator[tuple[dict[str, Any], pd.DataFrame, dict[str, Any] | None]]:
    """The parts of a study that the whole split's teacher taught: what each is, its rows, what test texts add to it."""
    noise = read_noise(folder) if (folder / NOISE).is_file() else {}
    table = read_frame(folder / TABLE)
    for lead, frame in groups(table[table["teacher_arm"] == WHOLE]):
        yield lead, frame, noise.get(part_name(lead))


def exchange_rates(folders: Sequence[Path]) -> dict[tuple[str, str, int], ExchangeRate]:
    """What the studies in these folders say augmentation is worth in real texts: by student, augmenter and data size.

    Of the whole split's teacher and of sizes with several replicates; the first study with a cell counts.
    """
    rates: dict[tuple[str, str, int], ExchangeRate] = {}
    for folder in folders:
        for lead, frame, part in _parts(folder):
            shifted = set(frame["augmenter"]) - {NONE, TWICE, UNLABELLED}
            for augmenter in sorted(shifted) if lead["mode"] == "distill" else ():
                found = exchange_of(frame, augmenter, part)
                if found is not None and found.replicates > 1:
                    rates.setdefault((str(lead["student"]), augmenter, int(lead["data_size"])), found)
    return rates


def simulation_source(found: Mapping[CurveKey, ShiftErrorCurve], command: str) -> Source:
    """The curves of one simulated experiment by supervision, kernel, amount and truth (the `task`, with the penalty
    where an experiment has several).

    Where an experiment has one amount only, it goes by the name "online", as in the other sources.
    """
    single = len({key.amount for key in found}) == 1
    penalties = {key.penalty for key in found}
    curves: dict[CurveGroup, list[ShiftErrorCurve]] = {}
    for key, curve in found.items():
        amount = "online" if single else key.amount
        task = key.truth if len(penalties) == 1 else f"{key.truth}, penalty {key.penalty}"
        setting = CurveGroup(supervision=key.supervision, variant=key.kernel, amount=amount, task=task)
        curves.setdefault(setting, []).append(curve)
    return Source(name="simulation", command=command, curves=curves, variant="isotropic")


def theory_source(like: Sequence[CurveKey], command: str = "kdshift theory bounds") -> Source:
    """The mean risk bound (theory section 3.5) at the settings of a simulation: exact curves, standard error zero.

    Copied labels have no curve: the theorem's teacher labels every augmented point.
    """
    tau = np.geomspace(1e-3, 3.0, 49)
    curves: dict[CurveGroup, list[ShiftErrorCurve]] = {}
    for key in dict.fromkeys(key._replace(amount="online", kernel="isotropic") for key in like):
        if key.supervision != "teacher" or key.teacher != "trusted":
            continue
        bound = mean_risk_bound(tau, key.data_size, key.dimension, key.trust_radius, key.teacher_epsilon)
        curve = ShiftErrorCurve(
            shift=tau, error=bound, error_se=np.zeros_like(tau), data_size=float(key.data_size), shift_name="tau"
        )
        curves.setdefault(CurveGroup(variant="isotropic"), []).append(curve)
    return Source(name="theory", command=command, curves=curves, variant="isotropic")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The four sources of the claims.

    presets: simulated experiments by preset; text: sweeps, in accuracy; light: light students on a bank, in distance to
    the teacher, and light_error, in accuracy; fresh, fresh_error: of studies that left out the texts of one before them
    (`Study.skip`), which ask again what that one suggested; against_real: as light, with n real
    unlabelled texts at degree 0; exchange: what `exchange_rates` finds; shift: the measured shift, or None.
    """

    theory: Source
    presets: Mapping[str, Source]
    text: Source
    paper: Source
    light: Source = field(default_factory=lambda: Source(name="text", command="kdshift empirical curves"))
    light_error: Source = field(default_factory=lambda: Source(name="text", command="kdshift empirical curves"))
    fresh: Source = field(default_factory=lambda: Source(name="text", command="kdshift empirical curves"))
    fresh_error: Source = field(default_factory=lambda: Source(name="text", command="kdshift empirical curves"))
    against_real: Source = field(default_factory=lambda: Source(name="text", command="kdshift empirical curves"))
    exchange: Mapping[tuple[str, str, int], ExchangeRate] = field(default_factory=dict)
    shift: pd.DataFrame | None = None
    counterexample: pd.DataFrame | None = None

    def simulation(self, preset: str) -> Source:
        """One simulated experiment; without curves where it was not run."""
        return self.presets.get(
            preset, Source(name="simulation", command=f"kdshift simulate run {preset}", variant="isotropic")
        )


MAIN_PRESET = "inverted-u"
AS_MANY = (UNLABELLED, 1.0)
TEXT_COMMAND = "kdshift empirical sweep demo-full"


def tables_of(results: Path) -> dict[str, Path]:
    """Where a results directory keeps its single tables (`text`: the first of its sweeps)."""
    sweeps = sweep_tables(results)
    return {
        "text": sweeps[0] if sweeps else results / "text" / "results.parquet",
        "shift": results / "shift" / "shift.parquet",
        "counterexample": results / "simulate" / "theorem1-counterexample" / "table.parquet",
    }


def sweep_tables(results: Path) -> list[Path]:
    """The tables of all sweeps of a results directory."""
    return sorted(path for folder in ("text", "sweeps") for path in (results / folder).rglob("results.parquet"))


def default_settings(dimension: int = 5, trust_radius: float = 3.0, teacher_epsilon: float = 0.05) -> list[CurveKey]:
    """The settings of the theory's curves where no simulation gives any: the simulation's defaults."""
    shared = {"dimension": dimension, "trust_radius": trust_radius, "teacher_epsilon": teacher_epsilon}
    names = {"amount": "online", "student": "", "truth": "", "teacher": "trusted", "outside": "", "kernel": "isotropic"}
    names["penalty"] = ""
    sizes = (30, 100, 300, 1000, 3000)
    return [CurveKey(supervision="teacher", data_size=size, **shared, **names) for size in sizes]  # type: ignore[arg-type]


def experiment_folders(results: Path) -> list[Path]:
    """The finished simulated experiments of a results directory."""
    return [path.parent for path in sorted((results / "simulate").glob("*/replicates.parquet"))]


def light_folders(results: Path) -> list[Path]:
    """The finished studies of light students of a results directory."""
    return [path.parent for folder in ("curves", "text") for path in sorted((results / folder).rglob(TABLE))]


def is_fresh(folder: Path) -> bool:
    """Whether a finished study left out the texts of one before it; tables kept before that was possible do not say."""
    table = read_frame(folder / TABLE)
    return "skip" in table and bool((table["skip"] > 0).all())


def check_results(results: Path) -> None:
    """Raise InputError if a results directory holds nothing that `load_sources` reads."""
    single = any(path.is_file() for path in tables_of(results).values())
    if not (single or experiment_folders(results) or light_folders(results)):
        raise InputError("--results", str(results), "a directory with simulate/, text/ and shift/ tables")


def load_sources(results: Path) -> Sources:
    """Everything a results directory holds. Raises InputError where there is no such directory."""
    import pandas as pd

    if not results.is_dir():
        raise InputError("--results", str(results), "an existing directory with simulate/, text/ and shift/ tables")
    presets: dict[str, Source] = {}
    like: list[CurveKey] = []
    for folder in experiment_folders(results):
        found = read_curves(folder)
        presets[folder.name] = simulation_source(found, f"kdshift simulate run {folder.name}")
        if folder.name == MAIN_PRESET:
            like = list(found)
    tables = {name: read_frame(path) for name, path in tables_of(results).items() if path.is_file()}
    sweeps = [read_frame(path) for path in sweep_tables(results)]
    folders = light_folders(results)
    fresh = [folder for folder in folders if is_fresh(folder)]
    light = [folder for folder in folders if folder not in fresh]
    if not light:  # the study before it is elsewhere: here it is the first
        light, fresh = fresh, []
    return Sources(
        theory=theory_source(like or default_settings()),
        presets=presets,
        text=text_source(pd.concat(sweeps)) if sweeps else Source(name="text", command=TEXT_COMMAND),
        paper=paper_source(),
        shift=tables.get("shift"),
        counterexample=tables.get("counterexample"),
        light=light_source(light),
        light_error=light_source(light, "error"),
        fresh=light_source(fresh),
        fresh_error=light_source(fresh, "error"),
        against_real=light_source(light, reference=AS_MANY),
        exchange=exchange_rates(light),
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
