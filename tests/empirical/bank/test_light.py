"""Light students: batches by epochs, inputs standardised, randomness of a replicate shared by its arms."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.bank.arms import BankTargets, Bench, arms
from empirical.bank.light import EmbeddingInputs, Job, arm_generator, epochs, fit_static, steps_of
from empirical.bank.study import Size, Study
from tests.empirical.bank.tiny_bank import SHIFTS, Oracle, bank, embeddings

STUDY = Study(pool=64, reserve=0, copies=2, shifts=SHIFTS, sizes=(Size(data_size=32),), steps=20)


def test_an_epoch_holds_every_text_once() -> None:
    rng = np.random.default_rng(0)
    rows = epochs(30, 7, 12, rng)
    assert rows.shape == (7, 12)
    flat = rows.ravel()
    assert sorted(flat[:30]) == sorted(flat[30:60]) == list(range(30)) and len(set(flat[60:])) == 24


def test_steps_grow_with_the_root_of_the_texts() -> None:
    assert [steps_of(STUDY, n) for n in (10, 220, 880, 3520)] == [20, 20, 40, 80]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, list[Job], list[dict]]:
    made, teacher = bank(tmp_path_factory.mktemp("light")), Oracle()
    targets = BankTargets(made, teacher, made.store(teacher))
    bench = Bench(made, STUDY.bank(), EmbeddingInputs(embeddings(), made.pool.validation.corpus))
    jobs = [
        Job(arm=arm, replicate=number, own_N=np.arange(32 * number, 32 * (number + 1)), targets=targets)
        for number in range(2)
        for arm in arms(STUDY, "static", STUDY.sizes[0])
        if arm.mode == "distill"
    ]
    return bench, jobs, fit_static(jobs, bench, STUDY)


def test_inputs_are_standardised_by_validation_texts(fitted: tuple[Bench, list[Job], list[dict]]) -> None:
    bench = fitted[0]
    assert np.allclose(bench.validation.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(bench.validation.std(axis=0), 1, atol=1e-4)


def test_a_student_is_what_it_would_be_alone_and_rows_keep_their_order(
    fitted: tuple[Bench, list[Job], list[dict]],
) -> None:
    bench, jobs, rows = fitted
    assert [(row["augmenter"], row["degree"], row["replicate"]) for row in rows] == [
        (job.arm.augmenter, job.arm.degree, job.replicate) for job in jobs
    ]
    (alone,) = fit_static(jobs[2:3], bench, STUDY)
    assert alone["distance"] == pytest.approx(rows[2]["distance"], rel=1e-4)
    assert np.mean(alone["by_text"]["distance"]) == pytest.approx(alone["distance"])
    assert np.mean(alone["by_text"]["accuracy"]) == pytest.approx(alone["accuracy"])


def test_arms_of_a_replicate_share_their_randomness(fitted: tuple[Bench, list[Job], list[dict]]) -> None:
    jobs = fitted[1]
    first, second, other = (arm_generator(STUDY, job).random(3).tolist() for job in (jobs[0], jobs[1], jobs[-1]))
    assert first == second != other
