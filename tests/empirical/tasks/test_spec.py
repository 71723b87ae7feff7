"""Splits are cut, joined and named by what they hold; sizes fit to the last digit that the paper prints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.paper import TABLE_7_SIZES
from empirical.tasks.load import TASKS
from empirical.tasks.spec import Size, Split


def test_sizes_as_the_paper_prints_them():
    assert TASKS["mnli"].train_size == Size(value=392_700, tolerance=50)
    exact = {"mnli": 392_702, "qnli": 104_743, "qqp": 363_846, "mrpc": 3_668, "rte": 2_490, "cola": 8_551}
    for name, count in exact.items():
        size = TASKS[name].train_size
        assert size is not None and size.fits(count) and not size.fits(round(count * 1.05))
    for name, (train, _) in TABLE_7_SIZES.items():
        size = TASKS[name].train_size
        assert size is not None and size.fits(train) and not size.fits(train + 1)


def split_of(texts, seconds=None):
    return Split(text_a=list(texts), text_b=seconds, labels=np.arange(len(texts), dtype=np.int64) % 3)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=4), min_size=1, max_size=8), st.data())
def test_taking_is_indexing_and_joining_undoes_cutting(texts, data):
    whole = split_of(texts, [text[::-1] for text in texts])
    index = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=8))
    taken = whole.take(index)
    assert len(taken) == len(index) and taken.labels.dtype == np.int64
    assert taken.text_a == [texts[i] for i in index] and taken.text_b == [texts[i][::-1] for i in index]
    assert taken.labels.tolist() == [i % 3 for i in index]
    cut = data.draw(st.integers(0, len(texts)))
    parts = whole.take(range(cut)), whole.take(range(cut, len(texts)))
    assert parts[0].followed_by(parts[1]).digest() == whole.digest()


@pytest.mark.parametrize(
    "other",
    [
        split_of(["b", "a"]),
        split_of(["a", "b", "c"]),
        split_of(["ab", ""]),  # where one text ends is part of it
        split_of(["", "ab"]),
        split_of(["a", "b"], ["", ""]),
        split_of(["a", "b"], ["b", "a"]),
        Split(text_a=["a", "b"], text_b=None, labels=np.array([1, 0])),
        split_of(["a", "\ud800"]),  # half a character, as broken exports have them
    ],
)
def test_what_differs_has_another_name(other):
    split = split_of(["a", "b"])
    assert split.digest() == split_of(["a", "b"]).digest() and len(split.digest()) == 16
    assert split.digest() != other.digest()


def test_lists_of_other_lengths_and_kinds_are_programming_errors():
    with pytest.raises(AssertionError):
        Split(text_a=["a"], text_b=None, labels=np.zeros(2, dtype=np.int64))
    with pytest.raises(AssertionError):
        Split(text_a=["a"], text_b=["b", "c"], labels=np.zeros(1, dtype=np.int64))
    with pytest.raises(AssertionError):
        split_of(["a"]).followed_by(split_of(["a"], ["b"]))


def test_a_size_fits_within_its_last_digit_and_reads_as_printed():
    size = Size(value=392_700, tolerance=50)
    assert [size.fits(392_700 + off) for off in (-51, -50, 0, 50, 51)] == [False, True, True, True, False]
    assert str(size) == "392,700 +- 50" and str(Size(value=534)) == "534"
    assert Size(value=534).fits(534) and not Size(value=534).fits(535)
