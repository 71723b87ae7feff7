"""Random streams: a function of (seed, step, stream), in any process and any order, and no two of them alike."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.randomness import Draws, step_generator

SEEDS, STEPS, STREAMS = st.integers(0, 2**64 - 1), st.integers(0, 2**48 - 1), st.sampled_from(Draws)
FEW = st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from(list(Draws)[:3]))


@settings(deadline=None)
@given(SEEDS, STEPS, STREAMS)
def test_what_is_drawn_is_a_function_of_seed_step_and_stream(seed: int, step: int, stream: Draws) -> None:
    first = step_generator(seed, step, stream).random(4)
    step_generator(seed, step + 1, stream).random(100)  # what others draw in between changes nothing
    assert (step_generator(seed, step, stream).random(4) == first).all()


@settings(deadline=None)
@given(FEW | st.tuples(SEEDS, STEPS, STREAMS), FEW | st.tuples(SEEDS, STEPS, STREAMS))
def test_other_arguments_are_another_key(one: tuple[int, int, Draws], other: tuple[int, int, Draws]) -> None:
    keys = [step_generator(*which).bit_generator.state["state"]["key"].tolist() for which in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)


def test_every_use_of_one_step_has_numbers_of_its_own() -> None:
    drawn = {stream: step_generator(3, 1, stream).integers(2**63) for stream in Draws}
    assert len(set(drawn.values())) == len(Draws)


def test_the_subset_and_the_split_are_no_epochs_order() -> None:
    """Their keys once were those of the order of epochs 2 and 1."""
    orders = [step_generator(0, epoch, Draws.ORDER).permutation(50).tolist() for epoch in range(4)]
    for stream in (Draws.SUBSET, Draws.SPLIT):
        assert step_generator(0, 0, stream).permutation(50).tolist() not in orders


def test_numbers_of_the_uses_are_fixed_and_none_is_reused() -> None:
    """Results on disk were drawn with them: a new use is appended, an old one never renumbered."""
    assert [stream.value for stream in Draws] == list(range(len(Draws)))
    assert len(Draws.__members__) == len(Draws), "two names share a number"
    assert (Draws.ORDER, Draws.AUGMENTATION, Draws.SUBSET, Draws.SPLIT, Draws.BANK_COPIES) == (0, 1, 7, 8, 10)


def test_another_process_draws_the_same() -> None:
    code = "from empirical.randomness import Draws, step_generator as g\nprint(g(7, 40, Draws.COPIES).integers(2**62))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == step_generator(7, 40, Draws.COPIES).integers(2**62)


def test_streams_are_uncorrelated() -> None:
    """Sixteen streams of 4,000 normals: the largest of 120 correlations stays under five standard errors."""
    drawn = np.stack([step_generator(0, 0, stream).standard_normal(4000) for stream in Draws])
    correlation = np.corrcoef(drawn)
    assert max(abs(correlation[i, j]) for i, j in itertools.combinations(range(len(Draws)), 2)) < 5 / 4000**0.5


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_outside_64_bits_is_no_seed(seed: int) -> None:
    with pytest.raises(OverflowError):
        step_generator(seed, 0, Draws.ORDER)
