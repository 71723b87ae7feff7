"""A study by two processes, or by machines with stores of their own, is the study of one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from empirical.bank.study import Size, Study
from empirical.bank.study_run import StudyRun
from empirical.sweeps.engines import Engine
from empirical.sweeps.study_jobs import Fill, fit_parts, fold_stores, groups_of, make_study_bank, own_store
from empirical.teachers.answers import Answers
from tests.empirical.bank.tiny_bank import SHIFTS, Oracle, bank, embeddings

STUDY = Study(
    pool=64, reserve=0, copies=2, shifts=SHIFTS, sizes=(Size(data_size=32), Size(data_size=64, copies=1)),
    finetune=(), steps=20, same_teacher=(32,), same_replicates=2,
)  # fmt: skip


@dataclass(frozen=True)
class Opens:
    """The tiny study, opened in whatever process."""

    folder: Path

    def __call__(self) -> StudyRun:
        teacher = Oracle()
        return StudyRun(study=STUDY, bank=bank(self.folder, pool=64, reserve=0, copies=2), teacher=teacher,
                        embeddings=embeddings(), folder=self.folder / "study",
                        subset_teacher=lambda own_N, number: teacher)  # fmt: skip


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyRun, pd.DataFrame]:
    run = Opens(tmp_path_factory.mktemp("alone"))()
    table = run.run()
    assert table is not None
    return run, table


def test_groups_hold_every_unit_of_every_size_once() -> None:
    groups = groups_of(STUDY)
    names = [(unit.shift.name, unit.name) for group in groups for unit in group]
    wanted = {(unit.shift.name, unit.name) for size in STUDY.sizes for unit in STUDY.bank_of(size).units()}
    assert len(names) == len(set(names)) and set(names) == wanted
    assert all(len({(unit.block, unit.shift.name) for unit in group}) == 1 for group in groups)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_processes_make_the_table_of_one_run(
    tmp_path: Path, alone: tuple[StudyRun, pd.DataFrame], workers: int
) -> None:
    opens, seen = Opens(tmp_path), []
    bank(tmp_path)  # the texts are there before two processes look for them
    run, engine = opens(), Engine(workers=workers)
    assert engine.alone == (workers == 1)
    assert make_study_bank(run, opens, engine, lambda label, done, total: seen.append((label, done, total)))
    assert run.bank.count.asked == alone[0].bank.count.asked  # the same texts, none of them twice
    assert fit_parts(run, opens, engine)
    asked = run.bank.count.asked
    table = run.run()
    assert table is not None and run.bank.count.asked == asked
    pd.testing.assert_frame_equal(table, alone[1], rtol=1e-4)
    assert seen[-1][1:] == (len(groups_of(STUDY)),) * 2


def test_machines_answer_apart_and_are_folded_together(tmp_path: Path, alone: tuple[StudyRun, pd.DataFrame]) -> None:
    opens = Opens(tmp_path)
    run, group = opens(), groups_of(STUDY)[0]
    folder = own_store(run)
    made = Fill(opens=opens, apart=True)(group)
    own = Answers(folder, run.teacher.key, 3)
    assert made.asked == len(own) > 0 and len(run.bank.store(run.teacher)) == 0
    own.close()
    fold_stores(run)
    common = run.bank.store(run.teacher)
    assert len(common) == made.asked
    again = Fill(opens=opens, apart=False)(group)
    assert again.asked == 0 and again.kept == sum(unit.size for unit in group)
    other = Answers(tmp_path / "other", run.teacher.key, 3)
    content = [bytes(16)]
    common.write(content, np.zeros((1, 3), dtype=np.float32))
    other.write(content, np.ones((1, 3), dtype=np.float32))
    common.absorb(other)
    assert np.array_equal(common.read(content), np.zeros((1, 3)))


def test_what_fails_in_a_process_is_told(tmp_path: Path) -> None:
    opens = Opens(tmp_path)
    run = opens()

    @dataclass(frozen=True)
    class Broken:
        def __call__(self) -> StudyRun:
            raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        make_study_bank(run, Broken(), Engine(workers=1))


@pytest.mark.slow
def test_slurm_jobs_of_submitit_make_the_bank(tmp_path: Path, alone: tuple[StudyRun, pd.DataFrame]) -> None:
    pytest.importorskip("submitit")
    opens = Opens(tmp_path)
    run = opens()
    assert make_study_bank(run, opens, Engine(kind="slurm", executor="local", slurm={"timeout_min": 5}))
    table = run.run()
    assert table is not None
    pd.testing.assert_frame_equal(table, alone[1], rtol=1e-4)
