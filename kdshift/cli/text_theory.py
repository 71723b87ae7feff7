"""`kdshift empirical excess | terms`: what theory says of a bank's texts, beside what students do on them."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from kdshift.cli.bank import Results, Source
from kdshift.cli.lists import WholeNumbers, Words
from kdshift.cli.output import Json, emit_json, emit_table

if TYPE_CHECKING:
    from empirical.bank.study_run import StudyRun

Augmenters = Annotated[Words | None, Parameter(name="--augmenter", help="of the study's; all unless given")]
Sizes = Annotated[WholeNumbers | None, Parameter(name="--data-size", help="of the study's; all up to 880 unless given")]
Out = Annotated[Path | None, Parameter(help="where the tables go; a folder of RESULTS unless given")]
LARGEST = 880


def excess(
    preset: Source = "curves-tweets",
    /,
    *,
    augmenter: Augmenters = None,
    data_size: Sizes = None,
    replicates: Annotated[int, Parameter(help="students at most so many a size")] = 16,
    curves: Annotated[
        Path | None, Parameter(help="folder of a finished `empirical curves`: compare with its students too")
    ] = None,
    results: Results = Path("results"),
    out: Out = None,
    json: Json = False,
) -> None:
    """The calculated distance of ridge students on a bank, degree by degree, against students that are fitted.

    The calculation sees the pool's texts, copies and answers and validation originals; students of disjoint subsets
    are measured on test originals. The same command goes on where it was stopped.
    """
    import pandas as pd

    from empirical.bank.excess import ExcessStudy, against_students, agreement, sentence
    from empirical.bank.study_table import TABLE
    from empirical.files import write_atomically, write_frame
    from kdshift.cli.bank import opened

    began = time.perf_counter()
    with opened(preset, results) as run:
        names, sizes = _chosen(run, augmenter, data_size)
        _complete(run)
        folder = results / "excess" if out is None else out
        parts = _parts(run, results, "excess", replicates, *names, *map(str, sizes))
        study = ExcessStudy(run, names, sizes, replicates, parts, progress=run.progress)
        table = study.table()
        found = agreement(table)
        reading = [sentence(found)]
        write_frame(table, folder / "excess.parquet")
        write_frame(found, folder / "agreement.parquet")
        others = None
        if curves is not None:
            others = against_students(table, pd.read_parquet(curves / TABLE))
            write_frame(others, folder / "students.parquet")
            reading += [f"{student}: {sentence(part)}" for student, part in others.groupby("student")]
        write_atomically(folder / "reading.txt", "\n".join(reading) + "\n")
    if json:
        payload = {"curves": found.to_dict("records"), "reading": reading, "folder": str(folder)}
        payload["students"] = [] if others is None else others.to_dict("records")
        return emit_json({**payload, "seconds": round(time.perf_counter() - began, 1)})
    rows = [
        [f"{row.augmenter}, n = {row.data_size}, penalty {row.penalty}", f"{row.best_predicted:.0%}",
         f"{row.best_measured:.0%}", row.steps, f"{row.rank:.2f}", f"{row.predicted_over_measured:.2f}"]
        for row in found.itertuples()
    ]  # fmt: skip
    columns = ["curve", "calculated best", "measured best", "steps", "rank", "level"]
    emit_table("Ridge students on embeddings: calculated and measured", columns, rows, "\n".join(reading))


def terms(
    preset: Source = "curves-tweets",
    /,
    *,
    augmenter: Augmenters = None,
    data_size: Sizes = None,
    replicates: Annotated[int, Parameter(help="samples at most so many a size")] = 4,
    results: Results = Path("results"),
    out: Out = None,
    json: Json = False,
) -> None:
    """The repaired theorem's three terms on text: student's fit, distance to the population, teacher's unreliability.

    By augmenter, degree and data size, with what they bound beside them, and how each orders the degrees. The same
    command goes on where it was stopped.
    """
    from empirical.files import write_atomically, write_frame
    from empirical.shift.three_terms import ThreeTerms, ranks, told
    from kdshift.cli.bank import opened

    began = time.perf_counter()
    with opened(preset, results) as run:
        names, sizes = _chosen(run, augmenter, data_size)
        _complete(run)
        folder = results / "terms" if out is None else out
        parts = _parts(run, results, "terms", replicates)
        table = ThreeTerms(run, names, sizes, replicates, parts, progress=run.progress).table()
        ranked = ranks(table)
        write_frame(table, folder / "terms.parquet")
        write_frame(ranked, folder / "ranks.parquet")
        reading = told(ranked)
        write_atomically(folder / "reading.txt", reading + "\n")
    if json:
        payload = {"ranks": ranked.to_dict("records"), "reading": reading, "folder": str(folder)}
        return emit_json({**payload, "seconds": round(time.perf_counter() - began, 1)})
    columns = ["student_fit", "population_l1", "teacher_unreliability", "sum", "energy", "distance", "error"]
    means = table.groupby(["augmenter", "data_size", "degree"], sort=False)[columns].mean()
    rows = [
        [f"{name}, n = {size}", f"{degree:.0%}", *(f"{value:.3f}" for value in values)]
        for (name, size, degree), values in zip(means.index, means.to_numpy(), strict=True)
    ]
    headings = ["sample", "degree", "student", "L1 to population", "teacher", "sum", "energy", "distance", "error"]
    emit_table("The theorem's terms on text, and the error that they bound", headings, rows, reading)


def _chosen(
    run: StudyRun, augmenter: tuple[str, ...] | None, data_size: tuple[int, ...] | None
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Augmenters and data sizes, checked before any work."""
    names = augmenter or tuple(shift.augmenter for shift in run.study.shifts)
    sizes = data_size or tuple(size.data_size for size in run.study.sizes if size.data_size <= LARGEST)
    for name in names:
        run.study.shift_of(name)
    for size in sizes:
        run.study.size_of(size)
    return names, sizes


def _complete(run: StudyRun) -> None:
    """The bank has what the study names."""
    if not run.make_banks():
        raise KeyboardInterrupt


def _parts(run: StudyRun, results: Path, verb: str, replicates: int, *what: str) -> Path:
    """Where finished parts are kept: they depend on the study and on these choices."""
    digest = hashlib.sha256(" ".join((str(replicates), *what)).encode()).hexdigest()[:8]
    return results / verb / "parts" / f"{run.folder.name}-{digest}"
