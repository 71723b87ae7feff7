"""`kdshift simulate run | distance`: the Gaussian mixture and its Monte Carlo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

from kdshift.cli.lists import Numbers, WholeNumbers, Words
from kdshift.cli.output import emit_json, emit_table
from kdshift.cli.progress import shown

if TYPE_CHECKING:
    from simulate.counterexample import CounterexampleConfig
    from simulate.findings import Finding
    from simulate.predictions import Reading

app = cyclopts.App(name="simulate", help="The Gaussian mixture and its Monte Carlo.")

Json = Annotated[bool, Parameter(negative="", help="Print one JSON object on standard output.")]
Text = str | None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Grid:
    """What of a preset or file is replaced; an axis takes a value or a list.

    Parameters
    ----------
    dimension
        d of x.
    data_size
        n, original examples.
    tau
        Variance of the augmentation, >= 0 (0: no augmented data).
    supervision
        teacher, copied_label.
    augmented_size
        m: a count, a multiple of n such as 8x, or online (every example fresh).
    truth
        linear, smooth, checkerboard, radial, network.
    teacher
        exact, bounded, trusted, learned.
    teacher_epsilon
        Sup of abs(g - f) where the teacher is trusted.
    trust_radius
        R: the teacher is trusted for norm(x) <= R.
    outside
        What a trusted teacher says beyond R: half, flipped, field.
    kernel
        isotropic, subspace, heavy_tailed; keeping the population: preserving, replacement, neighbour_replacement.
    student
        ridge, logistic, mlp, knn.
    penalty
        Of ridge and logistic students: validation (each chooses its own), or a number.
    replicates
        Replicates of every cell.
    target_se
        Go on until every standard error of the error is below this.
    max_replicates
        Budget of replicates a cell with --target-se.
    seed
        Seed of everything that is drawn.
    device
        torch device, such as cpu or cuda.
    """

    dimension: Annotated[WholeNumbers | None, Parameter(name=["--dimension", "-d"])] = None
    data_size: Annotated[WholeNumbers | None, Parameter(name=["--data-size", "-n"])] = None
    tau: Annotated[Numbers | None, Parameter(name=["--tau", "-t"])] = None
    supervision: Words | None = None
    augmented_size: Annotated[Words | None, Parameter(name=["--augmented-size", "-m"])] = None
    truth: Words | None = None
    teacher: Words | None = None
    teacher_epsilon: Numbers | None = None
    trust_radius: Numbers | None = None
    outside: Words | None = None
    kernel: Words | None = None
    student: Words | None = None
    penalty: Words | None = None
    replicates: int | None = None
    target_se: float | None = None
    max_replicates: int | None = None
    seed: int | None = None
    device: Text = None

    def given(self) -> dict[str, Any]:
        """The options that were given, axes as lists of values."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


@app.command
def run(
    preset: str = "inverted-u",
    /,
    *,
    grid: Grid = Grid(),
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    workers: Annotated[int, Parameter(name=["--workers", "-w"])] = 2,
    engine: Literal["threads", "processes"] = "threads",
    cluster: Text = None,
    list_presets: Annotated[bool, Parameter(name="--list", negative="")] = False,
    json: Json = False,
) -> None:
    """Run a grid of simulated distillations: a table, a figure with intervals and a verdict.

    Options that name an axis take a value or a list 2,5,10 (numbers also a geometric range first:last:count) and
    replace that of the preset or file. Run again, finished cells are not computed again.

    Parameters
    ----------
    preset
        A preset (see --list) or a TOML file.
    out
        Directory of the results; results/simulate/PRESET unless given.
    workers
        Blocks of replicates computed at a time.
    engine
        Threads or processes.
    cluster
        Compute on the Ray cluster at this address (auto, ray://host:port).
    list_presets
        List the presets.
    """
    from simulate.experiment_config import presets, read_values
    from theory.errors import InputError

    if list_presets:
        return _list(presets(), json)
    given, values = grid.given(), read_values(preset)
    out = out or Path("results/simulate") / Path(preset).stem
    if any(path.exists() and not path.is_dir() for path in (out, *out.parents)):
        raise InputError("--out", str(out), "a directory, new or of the same experiment, and no file")
    if values.get("kind") == "counterexample":
        return _counterexample(values, given, out, json)
    if "kind" in values:
        return _study(values, given, preset, out, json)
    if not _experiment({**values, **given}, preset, out, workers, "cluster" if cluster else engine, cluster, json):
        raise SystemExit(1)


def _list(names: list[str], json: bool) -> None:
    from simulate.experiment_config import read_values

    if json:
        return emit_json({"presets": names})
    emit_table("Presets of simulate run", ["preset", "title"], [(n, read_values(n).get("title", "")) for n in names])


def _experiment(
    values: dict[str, Any], preset: str, out: Path, workers: int, engine: Any, cluster: str | None, json: bool
) -> bool:
    """Run it and print what was found; False if every cell failed."""
    import time

    from simulate.error_figures import experiment_figure
    from simulate.experiment import run_experiment
    from simulate.experiment_config import make_config
    from simulate.findings import decide
    from simulate.readings import read_against_theory
    from simulate.tau_curves import optima_table, read_curves
    from theory.errors import InputError

    if workers < 1:
        raise InputError("workers", workers, "a whole number >= 1")
    config = make_config(values)
    begin = time.perf_counter()
    with shown() as progress:
        table = run_experiment(config, out, workers=workers, progress=progress, engine=engine, cluster=cluster)
    failed = table[table["status"] == "failed"]
    found = read_curves(out)
    verdict = None
    if found:
        experiment_figure(found, config.title).savefig(out / "figure.png", dpi=120)
        verdict = decide(config.verdict, found) if config.verdict and failed.empty else None
    if verdict:
        (out / "verdict.txt").write_text(verdict.line() + "\n", encoding="utf-8")
    reading = read_against_theory(config.reading, found, config) if config.reading and failed.empty else None
    if reading:
        reading.write(out)
    optima = optima_table(found)
    if json:
        payload = {"preset": preset, "out": str(out), "cells": len(table), "failed": len(failed)}
        payload |= {"verdict": vars(verdict) if verdict else None, "optima": optima.to_dict("records")}
        payload |= _reading_record(reading)
        emit_json({**payload, "seconds": time.perf_counter() - begin})
        return len(failed) < len(table)
    _show(config.title, optima, verdict)
    if reading:
        _show_reading(config.title, reading)
    for reason in sorted(set(failed["reason"])):
        print(f"failed: {int((failed['reason'] == reason).sum())} of {len(table)} cells: {reason}")
    print(f"{len(table)} cells in {out}: table.parquet, replicates.parquet, config.toml, figure.png")
    return len(failed) < len(table)


def _show(title: str, optima: Any, verdict: Finding | None) -> None:
    names = ["supervision", "data_size", "amount", "student", "truth", "teacher", "trust_radius", "kernel"]
    shown = [n for n in names if n == "data_size" or (len(optima) and optima[n].nunique() > 1)]
    rows = [
        (
            *(row[n] for n in shown),
            row["best_tau"],
            f"[{row['best_tau_low']:.3g}, {row['best_tau_high']:.3g}]" + (" edge" if row["at_edge"] else ""),
            row["theory_best_tau"],
            row["error"],
            row["error_se"],
        )
        for row in optima.to_dict("records")
    ]
    emit_table(title, [*shown, "best tau", "95 % interval", "theory", "error", "se"], rows)
    if verdict:
        print(verdict.line())


def _reading_record(reading: Reading | None) -> dict[str, Any]:
    if reading is None:
        return {"sentence": None, "predictions": None}
    return {"sentence": reading.sentence, "predictions": reading.frame().to_dict("records")}


def _show_reading(title: str, reading: Reading) -> None:
    rows = [
        (p.quantity, p.theory, p.predicted, p.measured, f"[{p.low:.3g}, {p.high:.3g}]", p.outcome, p.note)
        for p in reading.predictions
    ]
    columns = ["quantity", "theory", "predicted", "measured", "95 % interval", "outcome", "note"]
    emit_table(f"{title}: predicted and measured", columns, rows)
    print(reading.sentence)


def _study(values: dict[str, Any], given: dict[str, Any], preset: str, out: Path, json: bool) -> None:
    import time

    from simulate.studies.kinds import make_study_config, run_study
    from theory.errors import InputError

    config = make_study_config(values)
    for name in given:
        if name not in type(config).model_fields:
            raise InputError(f"--{name.replace('_', '-')}", given[name], "not an option of this preset")
    config = make_study_config({**values, **given})
    begin = time.perf_counter()
    with shown() as progress:
        table, reading = run_study(config, out, progress)
    if json:
        payload = {"preset": preset, "out": str(out), "rows": len(table), **_reading_record(reading)}
        return emit_json({**payload, "seconds": time.perf_counter() - begin})
    _show_reading(config.title, reading)
    print(f"{len(table)} rows in {out}: table.parquet, predictions.parquet, reading.txt, config.toml, figure.png")


def _counterexample(values: dict[str, Any], given: dict[str, Any], out: Path, json: bool) -> None:
    from simulate.counterexample import counterexample_figure, decide, make_config, run_counterexample
    from theory.errors import InputError

    for name in given:
        if name not in ("replicates", "seed"):
            raise InputError(f"--{name.replace('_', '-')}", given[name], "not an option of this preset")
    config: CounterexampleConfig = make_config({**values, **given})
    with shown() as progress:
        table = run_counterexample(config, out, progress)
    counterexample_figure(table).savefig(out / "figure.png", dpi=120)
    verdict = decide(table)
    (out / "verdict.txt").write_text(verdict.line() + "\n", encoding="utf-8")
    if json:
        return emit_json({"out": str(out), "verdict": vars(verdict), "settings": table.to_dict("records")})
    columns = ["d", "epsilon", "tau", "n", "measured L1", "se", "least of any set"]
    names = ["dimension", "epsilon", "tau", "data_size", "l1_distance", "l1_distance_se", "certain_lower_bound"]
    emit_table(config.title, columns, [[row[name] for name in names] for row in table.to_dict("records")])
    print(verdict.line())


@app.command
def distance(
    *,
    dimension: Annotated[int, Parameter(name=["--dimension", "-d"])] = 2,
    data_size: Annotated[int, Parameter(name=["--data-size", "-n"])] = 500,
    tau: Annotated[float, Parameter(name=["--tau", "-t"])] = 0.1,
    replicates: int = 20,
    points: int = 20_000,
    printed: Annotated[bool, Parameter(negative="")] = False,
    seed: int = 0,
    device: str = "cpu",
    json: Json = False,
) -> None:
    """The measured L1 distance of the augmented mixture from P, beside the repaired bounds.

    Parameters
    ----------
    dimension
        d, a whole number >= 1.
    data_size
        n, original examples in each training set.
    tau
        Variance of the augmentation, > 0.
    replicates
        Independent training sets, at least 2.
    points
        Importance-sampling points for each training set.
    printed
        The mixture as printed (factor tau^(-1/2)), whose mass is not 1.
    seed
        Seed of everything that is drawn.
    device
        torch device.
    """
    from simulate.distance import measure_distance

    setting = {"dimension": dimension, "data_size": data_size, "tau": tau, "seed": seed, "points": points}
    setting["printed"] = printed
    with shown() as progress:
        found = measure_distance(
            dimension=dimension,
            data_size=data_size,
            tau=tau,
            replicates=replicates,
            seed=seed,
            points=points,
            printed=printed,
            device=device,
            progress=progress,
        )
    values = {"l1_distance": found.l1_distance, "l1_distance_se": found.l1_distance_se}
    values |= {"mean_bound": found.mean_bound, "lower_bound": found.lower_bound}
    if json:
        return emit_json({"setting": setting, **values, "replicates": replicates, "seconds": found.seconds})
    words = ["measured mean", "its standard error", "repaired upper bound of the mean", "lower bound of the mean"]
    rows = list(zip(words, values.values(), strict=True))
    note = "the bounds hold for the normalised mixture" if printed else None
    emit_table(f"L1 distance to P, {replicates} training sets", ["quantity", "value"], rows, note)
