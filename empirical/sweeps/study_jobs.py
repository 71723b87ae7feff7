"""A study by several processes: one a GPU or so many as asked for, a Ray cluster, SLURM jobs; resumed like any sweep.

    kdshift empirical curves curves-tweets --workers 2
    kdshift empirical bank curves-full --cluster auto

What is made is kept in files that appear whole, so every unit may be tried again by whoever comes next.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from empirical.bank.making import make_bank
from empirical.bank.plan import Unit
from empirical.bank.study import Study
from empirical.bank.study_run import Part, StudyRun, parts
from empirical.bank.study_table import SAME, WHOLE
from empirical.runs.study_teachers import open_study
from empirical.sweeps.engines import STOP, Engine
from empirical.teachers.answers import Answers, Asked
from theory.progress_report import Progress


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How a process gets at a study: its settings and where its files are. The teacher must be there already."""

    study: Study
    name: str
    results: Path

    def __call__(self) -> StudyRun:
        return open_study(self.study, self.name, self.results, stop=STOP.is_set)


Opens = Callable[[], StudyRun]


@dataclass(frozen=True, kw_only=True)
class Fill:
    """Work of a process: copies and answers of some units. apart: write answers to a store of this machine's own."""

    opens: Opens
    apart: bool

    def __call__(self, units: tuple[Unit, ...]) -> Asked:
        run = _opened(self.opens)
        if self.apart:
            run.bank.answers = own_store(run)
        before = Asked(asked=run.bank.count.asked, kept=run.bank.count.kept)
        make_bank(run.bank, run.teacher, stop=STOP.is_set, units=units)
        count = run.bank.count
        return Asked(asked=count.asked - before.asked, kept=count.kept - before.kept)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Work of a process: the students of some parts."""

    opens: Opens

    def __call__(self, some: tuple[Part, ...]) -> None:
        run = _opened(self.opens)
        for part in some:
            if not STOP.is_set():
                run.fit(part)


@lru_cache(maxsize=1)
def _opened(opens: Opens) -> StudyRun:
    """A study as this process has opened it last."""
    return opens()


def groups_of(study: Study) -> list[tuple[Unit, ...]]:
    """Everything to make for a study, in groups that a process makes at once: a block of texts by one augmenter.

    Where two sizes want the same copies of a block, the one that wants more of them counts.
    """
    largest: dict[tuple[str, str], Unit] = {}
    for plan in study.banks():
        for unit in plan.units():
            key = (unit.shift.name, unit.name)
            if key not in largest or largest[key].size < unit.size:
                largest[key] = unit
    groups: dict[tuple[int, str], list[Unit]] = {}
    for unit in largest.values():
        groups.setdefault((unit.block, unit.shift.name), []).append(unit)
    return [tuple(group) for group in groups.values()]


def make_study_bank(run: StudyRun, opens: Opens, engine: Engine, progress: Progress | None = None) -> bool:
    """Make and answer a study's bank on an engine; whether it came to its end. What failed in a process is raised.

    Local processes share the store of answers. Machines of a cluster keep one each, as SQLite's log wants one machine;
    it is folded into the common one at the end, with what machines that were killed have left.
    """
    apart = engine.kind != "local"
    fold_stores(run)
    groups = groups_of(run.study)
    done = 0
    for _, outcome in engine.run(Fill(opens=opens, apart=apart), groups, run.folder / "jobs"):
        if isinstance(outcome, BaseException):
            raise outcome
        run.bank.count.asked += outcome.asked
        run.bank.count.kept += outcome.kept
        done += 1
        if progress is not None:
            progress("answers, blocks", done, len(groups))
    fold_stores(run)
    if STOP.is_set() or done < len(groups):
        return False
    answers = run.bank.store(run.teacher)
    for name in run.bank.pool.sets():
        run.bank.original_logits(name, run.teacher, answers)
    return True


def fit_parts(run: StudyRun, opens: Opens, engine: Engine, progress: Progress | None = None) -> bool:
    """Fit a study's parts on an engine, its bank being there; whether all are. What failed in a process is raised."""
    left = [part for part in parts(run.study) if not run.file(part).exists()]
    units: list[tuple[Part, ...]] = [(part,) for part in left if part.teacher_arm == WHOLE]
    # Parts that share teachers of their own go together: two processes must not train one teacher.
    for size in run.study.sizes:
        same = tuple(part for part in left if part.teacher_arm == SAME and part.size == size)
        units += [same] if same else []
    for done, (_, outcome) in enumerate(engine.run(Fit(opens=opens), units, run.folder / "jobs"), start=1):
        if isinstance(outcome, BaseException):
            raise outcome
        if progress is not None:
            progress("light students", done, len(units))
    return all(run.file(part).exists() for part in parts(run.study))


def own_store(run: StudyRun) -> Path:
    """The folder of this machine's own store of answers."""
    return _common(run) / f"of-{socket.gethostname()}"


def _common(run: StudyRun) -> Path:
    return run.bank.answers or run.bank.root / "answers"


def fold_stores(run: StudyRun) -> None:
    """Fold what machines have answered apart into the common store."""
    for folder in sorted(_common(run).glob("of-*")):
        store = Answers(folder, run.teacher.key, len(run.teacher.labels))
        run.bank.store(run.teacher).absorb(store)
        store.close()
