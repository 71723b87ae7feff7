"""Cutting by text: without repeats a prefix of a permutation, with them never a text on both sides."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.tasks.spec import Split
from empirical.tasks.splitting import cut_by_text, repeats


def split_of(numbers: list[int]) -> Split:
    return Split(text_a=[f"text {n}" for n in numbers], text_b=None, labels=np.zeros(len(numbers), dtype=np.int64))


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed))


def test_without_repeats_it_is_the_first_of_a_permutation():
    held, rest = cut_by_text(split_of(list(range(50))), 20, generator())
    assert list(held) == sorted(generator().permutation(50)[:20])
    assert sorted([*held, *rest]) == list(range(50))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(0, 40), st.integers(0, 2**32))
def test_no_text_stands_on_both_sides_and_no_more_are_held_than_asked(numbers, size, seed):
    split = split_of(numbers)
    held, rest = cut_by_text(split, size, generator(seed))
    assert sorted([*held, *rest]) == list(range(len(numbers)))
    assert len(held) <= size and len(rest) >= 1
    assert not {split.text_a[i] for i in held} & {split.text_a[i] for i in rest}
    assert repeats(split) == len(numbers) - len(set(numbers))


def test_a_pair_is_the_same_text_when_both_its_texts_are():
    pairs = Split(text_a=["a", "a", "A "], text_b=["b", "c", "B"], labels=np.zeros(3, dtype=np.int64))
    assert repeats(pairs) == 1
