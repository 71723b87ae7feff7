"""`kdshift empirical equal-seconds`: every augmenter at its best degree, for the same seconds of texts and answers."""

from __future__ import annotations

import json as json_format
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from kdshift.cli.lists import WholeNumbers, as_typed
from kdshift.cli.output import Json, emit_json, emit_table, log_to_stderr, number, plain
from theory.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from empirical.bank.equal_seconds import Entrant
    from empirical.bank.study import Check, Size, Study


def equal_seconds(
    preset: Annotated[str, Parameter(help="a study whose shifts are compared: a preset or a TOML file")] = (
        "augmenters-tweets"
    ),
    /,
    *,
    results: Annotated[Path, Parameter(help="results directory: teachers and banks get folders in it")] = Path(
        "results"
    ),
    sizes: Annotated[WholeNumbers | None, Parameter(help="only these data sizes of the preset")] = None,
    out: Annotated[Path | None, Parameter(help="folder for table.parquet and summary.json as well")] = None,
    json: Json = False,
) -> None:
    """Augmenters at equal seconds: distance and accuracy gained over none, texts, seconds, teacher calls.

    Each gets the seconds in which the teacher answers the preset's copies of every original; making texts comes out of
    the same purse. The smallest size chooses each one's degree. The same command goes on where it was stopped.
    """
    from empirical.bank.equal_seconds import entrants, summary
    from empirical.bank.study import load_study
    from empirical.files import writable, write_atomically, write_frame
    from empirical.runs.open_contest import PRICES, open_contest
    from empirical.sweeps.engines import STOP, interruptible
    from kdshift.cli.progress import shown

    began = time.perf_counter()
    log_to_stderr()
    study = _cut(load_study(preset), sizes)
    with interruptible(lambda: None), shown() as progress, writable(results):
        contest, folder = open_contest(study, Path(preset).stem, results, progress, STOP.is_set)
        prices = {entrant.label: contest.prices[entrant.shift.name] for entrant in entrants(study)}
        table = _tables(contest, folder, prices)
    rows = summary(table, prices, contest.answer)
    found = {
        "preset": preset,
        "task": contest.bank.task.name,
        "teacher": contest.teacher.name,
        "answer_seconds": contest.answer,
        "rows": rows,
        "folder": str(folder),
        "seconds": round(time.perf_counter() - began, 1),
    }
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_frame(table, out / "table.parquet")
        write_atomically(out / PRICES, (folder / PRICES).read_text("utf-8"))
        kept = {name: value for name, value in found.items() if name not in ("folder", "seconds")}
        write_atomically(out / "summary.json", json_format.dumps(plain(kept), indent=1, allow_nan=False) + "\n")
    if json:
        emit_json(found)
    else:
        _print(found)


def _cut(study: Study, sizes: WholeNumbers | None) -> Study:
    known = [size.data_size for size in study.sizes]
    if sizes is None:
        return study
    if not set(sizes) <= set(known):
        raise InputError("--sizes", as_typed(sizes), f"some of {', '.join(map(str, known))}")
    return study.model_copy(update={"sizes": tuple(size for size in study.sizes if size.data_size in sizes)})


def _tables(contest: Any, folder: Path, prices: Any) -> Any:
    """The table of every size, student and entrant, each kept once it is there; the first size chooses degrees."""
    import pandas as pd

    from empirical.bank.equal_seconds import summary
    from empirical.files import write_frame

    frames: list[Any] = []

    def add(size: Size, student: str, entrants: Sequence[Entrant], check: Check | None = None) -> None:
        for entrant in (None, *entrants):
            label = "none" if entrant is None else f"{entrant.label.replace(', ', '-')}-{entrant.degrees}"
            path = folder / f"{student}-{_place(contest.study, size, check)}" / f"{label}.parquet"
            if not path.exists():
                write_frame(contest.fit(size, student, entrant, check), path)
            frames.append(pd.read_parquet(path))

    for size in sorted(contest.study.sizes, key=lambda size: size.data_size):
        first = len(frames)
        for student in contest.study.students:
            add(size, student, contest.chosen(size))
        if not contest.best:
            rows = summary(pd.concat(frames[first:], ignore_index=True), prices, contest.answer)
            contest.best = {row["augmenter"]: row["degree"] for row in rows}
        for check in contest.study.checks:
            if check.data_size == size.data_size:
                add(size, check.student, contest.checked(check, size), check)
    return pd.concat(frames, ignore_index=True)


def _place(study: Study, size: Size, check: Check | None) -> str:
    """What of a size, and of a network that is trained on it, decides its parts, as a folder's name."""
    from empirical.bank.study_run import digest_of

    cut = f"-cut-{size.splits}" if size.splits else ""
    own = "" if check is None else "-" + digest_of(check.model_dump(mode="json"))
    plan = study.bank_of(size)
    return f"{size.data_size}-of-{plan.pool}-copies-{plan.copies}{cut}{own}"


def _print(found: dict[str, Any]) -> None:
    columns = ["augmenter", "n", "student", "degree", "gain", "95 %", "accuracy", "texts", "s / 1,000", "calls"]
    rows = [
        [
            row["augmenter"],
            row["data_size"],
            row["student"],
            f"{row['degree']:.0%}",
            f"{row['gain']:.4f}",
            "-" if row["replicates"] < 2 else f"{row['low']:.4f}, {row['high']:.4f}",
            f"{100 * row['accuracy']:.1f}",
            row["further_texts"],
            number(row["seconds_a_thousand"]),
            number(row["calls"]),
        ]
        for row in sorted(found["rows"], key=lambda row: (row["data_size"], row["student"], -row["gain"]))
    ]
    note = (
        "gain: in distance to the teacher over none, simultaneous over the degrees tried; accuracy in points;\n"
        "texts and calls: of one replicate; s / 1,000: making 1,000 texts and the teacher's answers to them"
    )
    emit_table(f"Augmenters at equal seconds: {found['task']}", columns, rows, note)
