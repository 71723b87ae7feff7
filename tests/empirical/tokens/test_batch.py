"""Batches: rows of them, padding on the right, and the degree that was reached."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.tokens.batch import Augmented, Batch, padded

ROWS = st.lists(st.lists(st.integers(1, 99), max_size=6), min_size=1, max_size=6)


def batch_of(rows: list[list[int]], texts: bool = True) -> Batch:
    """Rows of ids; odd ids are eligible, ids above 50 are of the second text."""
    ids_BL, mask_BL = padded(rows, 0, np.int32)
    return Batch(
        ids_BL=ids_BL,
        mask_BL=mask_BL,
        eligible_BL=mask_BL & (ids_BL % 2 == 1),
        segment_BL=(ids_BL > 50).astype(np.int8),
        text_a=tuple(f"text {number}" for number in range(len(rows))) if texts else None,
    )


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(-3, 0))
def test_padding_keeps_every_row_and_fills_the_right(rows: list[list[int]], fill: int) -> None:
    values_BL, mask_BL = padded(rows, fill, np.int32)
    assert values_BL.shape == mask_BL.shape == (len(rows), max(map(len, rows)))
    assert values_BL.dtype == np.int32 and mask_BL.dtype == bool
    assert [values[mask].tolist() for values, mask in zip(values_BL, mask_BL, strict=True)] == rows
    assert (values_BL[~mask_BL] == fill).all()
    assert (np.sort(~mask_BL, axis=1) == ~mask_BL).all(), "what is real stands on the left"


def test_no_rows_are_an_array_too() -> None:
    values_BL, mask_BL = padded([], 0, np.int8)
    assert values_BL.shape == mask_BL.shape == (0, 0) and values_BL.dtype == np.int8


@settings(max_examples=60, deadline=None)
@given(ROWS, st.data())
def test_rows_are_those_of_a_batch_made_of_them(rows: list[list[int]], data: st.DataObject) -> None:
    index = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6))
    taken = batch_of(rows).rows(np.array(index, dtype=np.int64))
    wanted = batch_of([rows[i] for i in index])
    for name in ("ids_BL", "mask_BL", "eligible_BL", "segment_BL"):
        np.testing.assert_array_equal(getattr(taken, name), getattr(wanted, name))
    assert len(taken) == len(index) and taken.text_b is None
    assert taken.text_a == tuple(f"text {i}" for i in index)
    assert batch_of(rows, texts=False).rows(np.array(index, dtype=np.int64)).text_a is None


@pytest.mark.parametrize(
    ("changed", "eligible", "degree"),
    [
        ([1, 2], [4, 2], 0.5),
        ([0, 0], [4, 2], 0.0),
        ([4, 2], [4, 2], 1.0),
        ([0, 0], [0, 0], 0.0),
        ([1, 0], [1, 3], 0.25),
    ],
)
def test_the_degree_is_that_of_all_tokens_together(changed: list[int], eligible: list[int], degree: float) -> None:
    """Not the mean of the texts' own: a long text counts for more, and one without eligible tokens for nothing."""
    batch = batch_of([[1, 3], [5]])
    made = Augmented(batch=batch, eligible_B=np.array(eligible), changed_B=np.array(changed),
                     changed_BL=np.zeros_like(batch.mask_BL))  # fmt: skip
    assert made.degree == degree
