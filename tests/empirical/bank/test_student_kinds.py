"""Each kind of student by its name: how it sees texts, by whom it is fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from empirical.bank.arms import Arm, BankTargets, Bench
from empirical.bank.light import EmbeddingInputs, Job, NgramInputs, fit_linear
from empirical.bank.networks import TokenInputs
from empirical.bank.student_kinds import fit_students, inputs_of
from empirical.bank.study import Size, Study
from tests.empirical.bank.tiny_bank import SHIFTS, Oracle, bank, embeddings


@pytest.mark.parametrize(
    ("student", "kind"),
    [("linear", NgramInputs), ("static", EmbeddingInputs), ("bilstm", TokenInputs), ("encoder", TokenInputs)],
)
def test_how_a_student_sees_texts(tmp_path: Path, student: str, kind: type) -> None:
    made = bank(tmp_path)
    inputs = inputs_of(student, made, embeddings())
    assert type(inputs) is kind
    assert inputs(made.pool.test.corpus, np.arange(3)).shape[0] == 3
    if isinstance(inputs, TokenInputs):
        assert inputs.width == made.plan.task.max_length


def test_a_light_student_is_fitted_by_its_own_rule(tmp_path: Path) -> None:
    study = Study(pool=64, copies=2, shifts=SHIFTS, sizes=(Size(data_size=32),))
    made, teacher = bank(tmp_path), Oracle()
    targets = BankTargets(made, teacher, made.store(teacher))
    bench = Bench(made, made.plan, inputs_of("linear", made, embeddings()))
    jobs = [Job(arm=Arm(augmenter="none", mode="distill"), replicate=0, own_N=np.arange(32), targets=targets)]
    (found,), (own,) = fit_students("linear", jobs, bench, study), fit_linear(jobs, bench, study)
    assert found["distance"] == own["distance"] and found["augmenter"] == "none"
