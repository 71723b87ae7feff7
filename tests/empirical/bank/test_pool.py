"""The texts of a bank: a pool and a reserve that never meet, replicates that are disjoint and nested."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from empirical.bank.plan import MOST_SPLITS
from empirical.bank.pool import pool_order, replicates
from tests.empirical.bank.tiny_bank import bank
from theory.errors import InputError


def test_pool_and_reserve_never_meet_and_grow_without_moving(tmp_path: Path) -> None:
    small, large = bank(tmp_path, pool=20, reserve=10).pool, bank(tmp_path, pool=200, reserve=60).pool
    assert large.pool.split.text_a[:20] == small.pool.split.text_a
    assert large.reserve.split.text_a[:10] == small.reserve.split.text_a
    task = bank(tmp_path).task
    order = pool_order(0, len(task.train))
    assert sorted(order.tolist()) == list(range(len(task.train)))
    assert tuple(large.reserve.split.text_a) == tuple(task.train.take(order[::-1][:60]).text_a)
    assert len(large.sets()) == 4 and len(large.pool) == 200


def test_a_study_that_skips_the_pool_before_it_shares_no_text_with_it(tmp_path: Path) -> None:
    first, fresh = bank(tmp_path, pool=20), bank(tmp_path, pool=30, skip=20)
    order = pool_order(0, len(first.task.train))
    assert tuple(fresh.pool.pool.split.text_a) == tuple(first.task.train.take(order[20:50]).text_a)
    assert first.folder != fresh.folder, "its blocks hold other texts"
    unit = next(iter(fresh.plan.units()))
    eligible_N = fresh.pool.pool.corpus.batch(np.arange(30)).eligible_BL.sum(axis=1)
    assert np.array_equal(fresh.copies(unit).eligible_N[:30], eligible_N), "the copies are of its own texts"
    with pytest.raises(InputError, match="after 500"):
        _ = bank(tmp_path, pool=300, skip=500).pool


def test_more_texts_than_there_are_is_refused_and_test_texts_are_spread(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="together at most"):
        _ = bank(tmp_path, pool=300, reserve=300).pool
    whole, few = bank(tmp_path).pool.test, bank(tmp_path, test_size=20).pool.test
    assert len(few) == 20 and set(few.split.text_a) <= set(whole.split.text_a)
    assert tuple(few.split.text_a) != tuple(whole.split.text_a[:20])


def test_replicates_are_disjoint_at_a_size_and_nested_across_sizes() -> None:
    small, large = replicates(100, 15), replicates(100, 30)
    assert [len(found) for found in small] == [15] * 6 and len(large) == 3
    assert all(first[-1] < second[0] for first, second in pairwise(small))
    assert np.array_equal(np.concatenate(small[:2]), large[0]) and replicates(10, 11) == []


def test_a_pool_is_cut_into_halves_that_tell_of_it_independently() -> None:
    halves = replicates(80, 40, MOST_SPLITS)
    assert len(halves) == 14 and all(np.array_equal(a, b) for a, b in zip(halves[:2], replicates(80, 40), strict=True))
    for a, b in zip(halves[::2], halves[1::2], strict=True):
        assert np.array_equal(np.sort(np.concatenate([a, b])), np.arange(80))
    shared = [len(np.intersect1d(a, b)) for cut, a in enumerate(halves) for b in halves[2 * (cut // 2 + 1) :]]
    assert set(shared) == {20} and len(replicates(80, 40, 3)) == 6
