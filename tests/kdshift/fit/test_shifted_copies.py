"""Copies are of the texts they say, at the degree that is asked for, and the same when they are asked for again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from empirical.tasks.spec import Split
from empirical.tokens.corpus import encode_corpus
from kdshift.fit.shifted_copies import CopyMaker
from tests.empirical import tiny_kd

ROW_N = np.arange(100, 130)  # their places among all texts


@pytest.fixture
def maker(tmp_path: Path) -> CopyMaker:
    texts = [" ".join(f"word{(at + step) % 40}" for step in range(10)) for at in range(30)]
    split = Split(text_a=texts, text_b=None, labels=np.arange(30) % 3)
    return CopyMaker(
        texts=split, row_N=ROW_N, labels=tiny_kd.LABELS, tokenizer=tiny_kd.tokenizer(), embeddings=None,
        augmenter="random", max_length=16, seed=5, folder=tmp_path,
    )  # fmt: skip


def test_every_text_has_its_copies_at_the_degree(maker: CopyMaker) -> None:
    made = maker.make(0.4, 3)
    assert sorted(made.origin_P.tolist()) == sorted([*ROW_N.tolist()] * 3)
    assert made.realised == pytest.approx(0.4)
    originals = encode_corpus(tiny_kd.tokenizer(), maker.texts.text_a, None, 16)
    for copy, origin in enumerate(made.origin_P):
        old = originals.batch(np.array([origin - 100])).ids_BL
        new = made.corpus.batch(np.array([copy])).ids_BL
        assert (old != new).sum() == 4, "four of ten words differ, and the copy is of the text it says"


def test_a_pool_is_a_part_of_the_whole_and_copies_are_found_again(maker: CopyMaker) -> None:
    few, all_of_them = maker.make(0.4, 1, pool=10), maker.make(0.4, 1)
    assert len(few.corpus) == 10 and set(few.origin_P) < set(all_of_them.origin_P)
    assert np.array_equal(few.corpus.ids, all_of_them.corpus.ids[: len(few.corpus.ids)])
    again = CopyMaker(**vars(maker)).make(0.4, 1)
    assert np.array_equal(again.corpus.ids, all_of_them.corpus.ids)
    assert not np.array_equal(CopyMaker(**{**vars(maker), "seed": 6}).make(0.4, 1).corpus.ids, again.corpus.ids)
