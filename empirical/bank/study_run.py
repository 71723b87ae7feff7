"""A study run to its table: sizes x students x modes x teacher arms, each part kept as soon as it is there.

    kdshift empirical curves curves-demo

A killed run goes on with the first part that is missing; the finished table is the same bytes either way.
Shapes: N test texts, A arms of a part.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from empirical.bank.arms import Arm, BankTargets, Bench, SubsetTargets, Targets, arms, checked_arms
from empirical.bank.light import BY_TEXT, Job, Row
from empirical.bank.making import Bank, make_bank
from empirical.bank.plan import BankPlan
from empirical.bank.pool import replicates
from empirical.bank.student_kinds import fit_students, inputs_of
from empirical.bank.study import Check, Size, Study
from empirical.bank.study_table import CHECKS, DISJOINT, MADE, NOISE, SAME, TABLE, WHOLE
from empirical.files import write_atomically, write_frame
from empirical.tasks.load import Task
from empirical.teachers.answering import Answering
from theory.progress_report import Progress

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

ARM = ("augmenter", "degree", "amount")
SubsetTeacher = Callable[[NDArray[np.int64], int], Answering]


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is fitted and kept together: one student in one mode at one size, under one kind of teacher."""

    student: str
    mode: str
    size: Size
    teacher_arm: str
    check: Check | None = None

    @property
    def name(self) -> str:
        """The part's file name."""
        return f"{self.student}-{self.mode}-{self.size.data_size}-{self.teacher_arm}"


def parts(study: Study) -> Iterator[Part]:
    """A study's parts, the cheap and telling ones first."""
    for teacher_arm in (WHOLE, SAME):
        for size in study.sizes:
            if teacher_arm == SAME and size.data_size not in study.same_teacher:
                continue
            for student in study.students:
                yield Part(student=student, mode="distill", size=size, teacher_arm=teacher_arm)
            for student in study.finetune:
                yield Part(student=student, mode="finetune", size=size, teacher_arm=teacher_arm)
        for check in study.checks if teacher_arm == WHOLE else ():
            (size,) = (size for size in study.sizes if size.data_size == check.data_size)
            yield Part(student=check.student, mode="distill", size=size, teacher_arm=WHOLE, check=check)


@dataclass
class StudyRun:
    """A study in its folder.

    bank: made for the study's task and tokenizer; its plan is replaced by what each size needs.
    teacher: who answers. subset_teacher: function from a replicate's places in the pool and its number to the teacher
    that was trained on them; None where the study has no such arm. folder: the study's own. runtime: how a teacher
    that PyTorch does not run differs from its network (`OnnxAnswers.compared`). trained: the teacher's own folder.
    """

    study: Study
    bank: Bank
    teacher: Answering
    embeddings: NDArray[np.float32]
    folder: Path
    subset_teacher: SubsetTeacher | None = None
    progress: Progress | None = None
    stop: Callable[[], bool] | None = None
    runtime: dict[str, Any] | None = None
    trained: Path | None = None

    def run(self) -> pd.DataFrame | None:
        """The study's table, made as far as it is not there yet; None if `stop` ended it before."""
        if self.table is not None:
            return self.table
        if not self.make_banks():
            return None
        self.folder.mkdir(parents=True, exist_ok=True)
        work = list(parts(self.study))
        for done, part in enumerate(work):
            self._say(done, len(work))
            self.fit(part)
            if self.stop is not None and self.stop():
                return None
        self._say(len(work), len(work))
        self._join(work)
        return self.table

    def _say(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress("light students", done, total)

    @property
    def table(self) -> pd.DataFrame | None:
        """The finished table, or None."""
        import pandas as pd

        path = self.folder / TABLE
        return pd.read_parquet(path) if path.exists() else None

    def make_banks(self) -> bool:
        """Make and answer what every size needs; whether it came to its end."""
        for plan in self.study.banks():
            if not make_bank(self._bank(plan), self.teacher, self.progress, self.stop):
                return False
        return True

    def _bank(self, plan: BankPlan) -> Bank:
        return replace(self.bank, plan=plan)

    def file(self, part: Part) -> Path:
        """A part is kept by what decides it, beside all studies: a study that grows finds what it had."""
        others = {"title", "pool", "copies", "shifts", "sizes", "students", "finetune", "amounts", "checks"}
        others |= {"same_teacher", "runtime", "skip"}  # the teacher's key names what runs it; the plan has `skip`
        if part.teacher_arm == WHOLE:
            others |= {"same_teacher_train", "same_replicates"}
        own = self.study.model_dump(mode="json", exclude=others)
        check = None if part.check is None else part.check.model_dump(mode="json")
        size = {**self.study.bank_of(part.size).used(), **self._own(part)}
        digest = digest_of(own, part.name, part.size.data_size, size, check, self.bank.task, self.teacher.key)
        return self.folder.parent / "parts" / f"{part.name}-{digest}.parquet"

    def _own(self, part: Part) -> dict[str, Any]:
        """What a part has of itself beside its size's bank; empty without, so that parts kept before are found."""
        own: dict[str, Any] = {} if part.size.splits is None else {"splits": part.size.splits}
        if part.check is None and (amounts := list(self.study.amounts_of(part.size))):
            own["amounts"] = [amount.model_dump(mode="json") for amount in amounts]
        return own

    @cached_property
    def _benches(self) -> dict[tuple[str, Size], Bench]:
        return {}

    def _bench(self, student: str, size: Size) -> Bench:
        """The bank of a size as a student sees it; the last one stays in memory for the next part."""
        key = (student, size)
        if key not in self._benches:
            for other in [other for other in self._benches if other[1] != size]:
                del self._benches[other]
            bank = self._bank(self.study.bank_of(size))
            self._benches[key] = Bench(bank, bank.plan, inputs_of(student, bank, self.embeddings))
        return self._benches[key]

    def fit(self, part: Part) -> None:
        """Fit a part's students and keep their rows, if they are not there."""
        import pandas as pd

        if self.file(part).exists():
            return

        began = time.perf_counter()
        bench = self._bench(part.student, part.size)
        jobs = [
            Job(arm=arm, replicate=number, own_N=own_N, targets=targets)
            for number, own_N, targets in self._replicates(part, bench.bank)
            for arm in self._arms(part)
            if arm.shift is None or own_N[-1] < bench.plan.reach(arm.shift)
        ]
        rows = fit_students(part.student, jobs, bench, self.study, part.check)
        noise = covariance(rows)
        frame = pd.DataFrame([{key: value for key, value in row.items() if key != BY_TEXT} for row in rows])
        frame["split"] = frame["replicate"] // 2 if part.size.splits else DISJOINT
        lead: dict[str, str | int] = {
            "task": self.bank.task.name,
            "teacher": self.teacher.name,
            "teacher_arm": part.teacher_arm,
            "student": part.student,
            "data_size": part.size.data_size,
            "n_test": len(rows[0][BY_TEXT]["distance"]),
            "skip": self.study.skip,
        }
        for place, (column, value) in enumerate(lead.items()):
            frame.insert(place, column, value)
        made = {"students": len(jobs), "seconds": round(time.perf_counter() - began, 1)}
        write_atomically(self.file(part).with_suffix(".json"), json.dumps({"noise": noise, "made": made}))
        write_frame(frame, self.file(part))

    def _arms(self, part: Part) -> list[Arm]:
        if part.check is not None:
            return list(checked_arms(self.study, part.check))
        chosen = [arm for arm in arms(self.study, part.student, part.size) if arm.mode == part.mode]
        room = (part.size.pool or self.study.pool) + self.study.reserve - part.size.data_size
        fits = [arm for arm in chosen if arm.amount * part.size.data_size <= room]
        # A teacher of n texts is asked about nothing but those and their copies.
        return [arm for arm in fits if part.teacher_arm == WHOLE or arm.amount == 0]

    def _replicates(self, part: Part, bank: Bank) -> Iterator[tuple[int, NDArray[np.int64], Targets]]:
        subsets = replicates(part.size.pool or self.study.pool, part.size.data_size, part.size.splits)
        if part.teacher_arm == WHOLE:
            targets = BankTargets(bank, self.teacher, bank.store(self.teacher))
            for number, own_N in enumerate(subsets[: None if part.check is None else part.check.replicates]):
                yield number, own_N, targets
            return
        assert self.subset_teacher is not None, "an arm with teachers of their own needs someone to train them"
        for number, own_N in enumerate(subsets[: self.study.same_replicates]):
            teacher = self.subset_teacher(own_N, number)
            yield number, own_N, SubsetTargets(bank, teacher, bank.store(teacher))

    def _join(self, work: list[Part]) -> None:
        """The parts as one table (checks as another), their notes as two files beside it; the table comes last."""
        import pandas as pd

        checks = [pd.read_parquet(self.file(part)) for part in work if part.check is not None]
        frames = [pd.read_parquet(self.file(part)) for part in work if part.check is None]
        notes = {part.name: json.loads(self.file(part).with_suffix(".json").read_text()) for part in work}
        noise = {name: note["noise"] for name, note in notes.items()}
        write_atomically(self.folder / NOISE, json.dumps(noise) + "\n")
        made = {name: note["made"] for name, note in notes.items()}
        write_atomically(self.folder / MADE, json.dumps(made, indent=1) + "\n")
        if checks:
            write_frame(pd.concat(checks, ignore_index=True), self.folder / CHECKS)
        write_frame(pd.concat(frames, ignore_index=True), self.folder / TABLE)


def covariance(rows: list[Row]) -> dict[str, Any]:
    """The covariances of the arms' means that come from drawing the test texts, which replicates share.

    Returns the arms (augmenter, degree, amount), in order, and matrices of shape (A, A): `covariance`, of the
    distances, and `accuracy`, where the rows have it by text.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in ARM), []).append(row[BY_TEXT])
    found: dict[str, Any] = {"arms": [list(arm) for arm in groups]}
    for name, outcome in (("covariance", "distance"), ("accuracy", "accuracy")):
        if outcome not in rows[0][BY_TEXT]:
            continue
        mean_AN = np.stack([np.mean([row[outcome] for row in group], axis=0) for group in groups.values()])
        found[name] = (np.atleast_2d(np.cov(mean_AN)) / mean_AN.shape[1]).round(10).tolist()
    return found


def study_folder(study: Study, task: Task, teacher: str, root: Path, name: str) -> Path:
    """Where a study's results live: its name and a digest of all that decides them."""
    unused = {"title"} if study.skip else {"title", "skip"}
    return root / f"{name}-{digest_of(study.model_dump(mode='json', exclude=unused), task, teacher)}"


def digest_of(*what: Any) -> str:
    """Twelve hexadecimal digits that name settings, tasks (by their texts and labels) and teachers (by their keys)."""
    plain = [
        [split.digest() for split in (one.train, one.validation, one.test)] if isinstance(one, Task) else one
        for one in what
    ]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]
