"""Ratios of processor time in one run, on tweets with MiniLM: `pytest -m benchmark_ratio tests/benchmarks -s`.

Processor time of all threads, not wall time, so that a busy machine changes little; each side's best of some rounds.
"""

from __future__ import annotations

import time

import pytest
import torch

from empirical.models.minilm import minilm_path
from tests.benchmarks.training import (
    BILSTM,
    TWO_LAYERS,
    augmentation_seconds,
    cohort_of,
    our_loop,
    plain_loop,
    tweets_run,
)
from theory.errors import InputError

pytestmark = pytest.mark.benchmark_ratio
clock = time.process_time
ROUNDS, STEPS = 2, 7  # seven steps are an epoch


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    try:
        minilm_path()
    except InputError as error:
        pytest.skip(str(error))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("speed")


@pytest.mark.parametrize(("degree", "wanted"), [(0.3, 2.5), (None, 2.5)])
def test_a_step_against_the_plain_loop(folder, degree, wanted):
    """Per-example throughput of a KD step, augmented and vanilla, against the loop everybody writes first."""
    ours, plain = [], []
    for _ in range(ROUNDS):
        config = tweets_run(TWO_LAYERS, degree)
        cohort = cohort_of([config], folder)
        ours.append(our_loop(cohort, STEPS, clock))
        plain.append(plain_loop(cohort, STEPS, clock))
    ratio = min(plain) / min(ours)
    texts = STEPS * (32 if degree is None else 64)
    print(f"\ndegree {degree}: {texts / min(ours):.0f} texts/s against {texts / min(plain):.0f}: {ratio:.2f} times")
    assert ratio >= wanted


def test_a_cohort_of_four_light_students(folder):
    """At most one teacher pass and four students and 10 %; at least twice as fast as one after the other."""
    configs = [tweets_run(BILSTM, seed=seed) for seed in range(4)]
    alone, together = [], []
    for _ in range(ROUNDS):
        cohort = cohort_of(configs, folder)
        together.append(our_loop(cohort, STEPS, clock))
        alone.append(sum(our_loop(cohort_of([config], folder), STEPS, clock) for config in configs))
    ratio = min(alone) / min(together)
    print(f"\ncohort of four: {1e3 * min(together) / STEPS:.0f} ms a step; one after the other {ratio:.2f} times that")
    assert ratio >= 2


def test_augmentation_takes_at_most_two_percent_of_a_step(folder):
    config = tweets_run(TWO_LAYERS)
    cohort = cohort_of([config], folder)
    step = min(our_loop(cohort_of([config], folder), STEPS, clock) for _ in range(ROUNDS)) / STEPS
    augmentation = min(augmentation_seconds(cohort, 50, clock) for _ in range(ROUNDS)) / 50
    print(f"\naugmentation: {1e3 * augmentation:.2f} ms of a step of {1e3 * step:.0f} ms")
    assert augmentation <= 0.02 * step
