"""Networks as a check of light students: they see the same texts, learn, and repeat to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from empirical.bank.arms import BankTargets, Bench, checked_arms
from empirical.bank.light import Job
from empirical.bank.networks import TokenInputs, batch_of, fit_network, spread
from empirical.bank.study import Check, Size, Study
from empirical.config import ModelConfig
from tests.empirical import tiny_kd
from tests.empirical.bank.tiny_bank import SHIFTS, Oracle, bank


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    tiny_kd.bert(folder / "encoder")
    tiny_kd.bert(folder / "bilstm", initializer_range=1.0)  # its embeddings stay as they are: words must differ
    return folder


class Telling(Oracle):
    """A teacher that counts the telling words of each class: few texts show it all."""

    key = "telling-1"

    def __init__(self) -> None:
        super().__init__()
        words = [*tiny_kd.SPECIAL, *tiny_kd.WORDS]
        self.weight_VC = np.array([[10.0 * word.startswith(label) for label in tiny_kd.LABELS] for word in words])


def study_of(place: Path, **changes: object) -> tuple[Study, Check]:
    values = {"student": "bilstm", "data_size": 64, "degrees": (0.3, 0.5), "steps": 150, "learning_rate": 0.01}
    check = Check.model_validate({**values, "hidden_size": 8, "replicates": 2, "test_size": 30, **changes})
    teacher = ModelConfig(name=str(place / check.student))
    sizes = (Size(data_size=64),)
    return Study(pool=64, reserve=32, copies=2, shifts=SHIFTS, sizes=sizes, teacher=teacher, checks=(check,)), check


def test_texts_come_back_from_their_rows(place: Path) -> None:
    corpus = bank(place).pool.pool.corpus
    index = np.array([3, 1, 5])
    batch, read = corpus.batch(index), batch_of(TokenInputs(32)(corpus, index), corpus.pad_id)
    assert np.array_equal(batch.ids_BL, read.ids_BL) and np.array_equal(batch.mask_BL, read.mask_BL)
    rows = np.array([[2 * 7, 2 * 8 + 1, -1]], dtype=np.int32)
    pair = batch_of(rows, 0)
    assert pair.ids_BL.tolist() == [[7, 8]] and pair.segment_BL.tolist() == [[0, 1]]
    assert spread(10, 3).tolist() == [0, 4, 9] and spread(5, None).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("student", ["bilstm", pytest.param("encoder", marks=pytest.mark.slow)])
def test_a_network_nears_its_teacher_and_repeats_to_the_bit(place: Path, student: str) -> None:
    study, check = study_of(place, student=student, layers=(0, 3))
    made, teacher = bank(place), Telling()
    targets = BankTargets(made, teacher, made.store(teacher))
    bench = Bench(made, study.bank_of(study.sizes[0]), TokenInputs(32))
    arms = list(checked_arms(study, check))
    assert [(arm.augmenter, arm.degree) for arm in arms] == [("none", 0.0), ("knn", 0.3), ("random", 0.5)]
    jobs = [Job(arm=arm, replicate=0, own_N=np.arange(64), targets=targets) for arm in arms]
    rows = fit_network(jobs, bench, study, check)
    chosen = spread(len(bench.test), 30)
    answer_TC = softmax(targets.evaluation("test")[chosen], axis=1)
    constant = np.abs(answer_TC - answer_TC.mean(axis=0)).mean()
    assert len(chosen) == len(rows[0]["by_text"]["distance"]) == 30
    assert all(row["distance"] < 0.8 * constant for row in rows)
    again = fit_network(jobs[1:2], bench, study, check)[0]
    assert again["distance"] == rows[1]["distance"] and rows[0]["distance"] != rows[1]["distance"]


def test_a_check_names_cells_of_its_study(place: Path) -> None:
    for change in ({"data_size": 32}, {"degrees": (0.4,)}):
        with pytest.raises(ValueError, match="checks"):
            study_of(place, **change)
