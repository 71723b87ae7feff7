"""Arms: what each student is trained on, and that controls use the texts that they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from empirical.bank.arms import Arm, BankTargets, Bench, SubsetTargets, arms
from empirical.bank.light import NgramInputs
from empirical.bank.networks import TokenInputs
from empirical.bank.study import CopiesArm, Size, Study
from tests.empirical.bank.tiny_bank import SHIFTS, Oracle, bank

STUDY = Study(
    pool=64, reserve=32, copies=2, shifts=SHIFTS, sizes=(Size(data_size=16),), unlabelled=(1, 2), equal_compute=True
)
(SIZE,) = STUDY.sizes


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    made = bank(tmp_path_factory.mktemp("arms"))
    return Bench(made, STUDY.bank_of(STUDY.sizes[0]), TokenInputs(32))


def test_arms_of_each_student() -> None:
    static, linear = list(arms(STUDY, "static", SIZE)), list(arms(STUDY, "linear", SIZE))
    names = [(arm.augmenter, arm.degree, arm.amount) for arm in linear]
    assert names == [("none", 0, 0), ("knn", 0.3, 0), ("knn", 0.8, 0), ("random", 0.5, 0), ("unlabelled", 0, 1),
                     ("unlabelled", 0, 2)]  # fmt: skip
    assert {arm.mode for arm in static} == {"distill", "finetune"} and len(static) == 2 * 5 + 2
    assert not [arm for arm in static if arm.mode == "finetune" and arm.augmenter == "unlabelled"]


def test_augmented_texts_stand_copy_after_copy_in_the_order_of_their_originals(bench: Bench) -> None:
    teacher = Oracle()
    targets = BankTargets(bench.bank, teacher, bench.bank.store(teacher))
    own = np.arange(16, 32)
    arm = next(arm for arm in arms(STUDY, "static", SIZE) if arm.shift == SHIFTS[0])
    found = bench.training_set(arm, 1, own, targets)
    assert found.further == 32 and found.more.shape[0] == 32 and len(found.more_target_MC) == 32
    assert np.array_equal(found.more_label_M, np.tile(found.label_N, 2))
    assert np.array_equal(found.label_N, bench.bank.pool.pool.split.labels[own])
    same_place = (found.more[:16] == found.x).mean()
    assert 0.3 < same_place < 1  # copies differ from the texts whose rows they share
    assert np.array_equal(found.x, bench.originals[own])


def test_another_number_of_copies_begins_with_the_same_ones(bench: Bench) -> None:
    study = STUDY.model_copy(update={"amounts": (CopiesArm(data_size=16, copies=(1, 3)),)})
    found = list(arms(study, "linear", SIZE))
    more = [arm for arm in found if arm.copies is not None]
    assert [(arm.augmenter, arm.copies, arm.degree) for arm in more] == [
        ("knn", copies, degree) for copies in (1, 3) for degree in SHIFTS[0].degrees
    ]
    assert not [arm for arm in arms(study, "linear", Size(data_size=8)) if arm.copies]
    teacher = Oracle()
    targets = BankTargets(bench.bank, teacher, bench.bank.store(teacher))
    own = np.arange(16, 32)
    one, two = (
        bench.training_set(
            next(arm for arm in found if arm.shift == SHIFTS[0] and arm.copies == copies), 0, own, targets
        )
        for copies in (1, None)
    )
    assert one.further == 16 and two.further == 32
    assert np.array_equal(two.more[:16], one.more) and np.array_equal(two.more_target_MC[:16], one.more_target_MC)


def test_real_texts_are_others_and_more_begin_with_fewer(bench: Bench) -> None:
    teacher = Oracle()
    targets = BankTargets(bench.bank, teacher, bench.bank.store(teacher))
    own = np.arange(16)
    few, many = (
        bench.training_set(Arm(augmenter="unlabelled", mode="distill", amount=amount), 0, own, targets)
        for amount in (1, 2)
    )
    assert few.further == 16 and many.further == 32
    assert np.array_equal(many.more[:16], few.more) and np.array_equal(many.more_target_MC[:16], few.more_target_MC)
    mine = {row.tobytes() for row in few.x}
    assert not mine & {row.tobytes() for row in many.more}


def test_a_subsets_teacher_is_asked_about_its_own_texts_only(tmp_path: Path) -> None:
    teacher = Oracle()
    made = bank(tmp_path)
    bench = Bench(made, STUDY.bank_of(STUDY.sizes[0]), NgramInputs())
    targets = SubsetTargets(made, teacher, made.store(teacher))
    arm = next(arm for arm in arms(STUDY, "linear", SIZE) if arm.shift == SHIFTS[1])
    found = bench.training_set(arm, 0, np.arange(16), targets)
    assert teacher.asked <= 16 + found.further
    whole = BankTargets(made, teacher, made.store(teacher))
    place = np.array([3, 70, 64])  # of the pool, and behind it of the reserve
    assert np.allclose(targets.originals(place), whole.originals(place))
