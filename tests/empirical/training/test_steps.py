"""Batches by length, their order, and the threads that make them ahead."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from empirical.augment import make_augmenter
from empirical.augment.replacement import RandomReplacement
from empirical.config import AugmentConfig
from empirical.tokens.corpus import BatchOrder, encode_corpus
from empirical.tokens.vocabulary import Vocabulary
from empirical.training.copies import Augmentation
from empirical.training.steps import Stream, run_ahead
from tests.empirical.tiny_kd import WORDS, tokenizer

TEXTS = ["good1 word2", "bad1", "fair2 word9 word8 word7", "word1 word2 word3"]


def test_work_is_done_ahead_in_one_thread_in_order():
    threads, made = set(), []

    def make(number):
        threads.add(threading.current_thread().name)
        made.append(number)
        return number**2

    ahead = run_ahead(make, range(20))
    assert next(ahead) == 0
    assert list(ahead) == [number**2 for number in range(1, 20)]
    assert made == list(range(20)) and len(threads) == 1 and threading.current_thread().name not in threads


def test_a_reader_that_stops_early_leaves_no_work_behind():
    made = []
    ahead = run_ahead(lambda number: made.append(number), range(1000))
    next(ahead)
    ahead.close()
    assert len(made) < 10


def mixed_stream(copies: int, size: int, total: int = 60) -> Stream:
    reader = tokenizer()
    texts = [f"{WORDS[number % 64]} {WORDS[number // 8]}" for number in range(total)]
    config = AugmentConfig(augmenter="random", degree=0.5, copies=copies, mixing="mixed")
    corpora = {"own": encode_corpus(reader, texts, None, 16)}
    work = Augmentation(config=config, augmenter=make_augmenter(config, tokenizer=reader), data_seed=0, max_length=16)
    work.prepare(corpora["own"])
    lengths_U = np.concatenate([corpora["own"].length_N, work.pool.corpus.length_N])
    order = BatchOrder(lengths_U, size, 0)
    return Stream(corpora=corpora, tokenizers={"own": reader}, base="own", label_N=np.arange(total), order=order,
                  max_length=16, augmentation=work)  # fmt: skip


def test_copies_mixed_into_the_data_are_met_as_often_as_originals_with_their_labels():
    """The paper's 4x: an epoch holds every original once and every copy once, in batches of both (section 3)."""
    stream = mixed_stream(copies=4, size=20)
    steps = list(stream.steps(0, 15))
    assert all(len(step.index_B) + len(step.augmented_label_A) == 20 for step in steps)
    originals = np.concatenate([step.index_B for step in steps])
    copies = np.concatenate([step.augmented_label_A for step in steps])
    assert sorted(originals) == list(range(60)), "60 originals and 240 copies are 15 batches"
    np.testing.assert_array_equal(np.bincount(copies, minlength=60), np.full(60, 4))
    assert 0 < sum(len(step.index_B) for step in steps[:5]) < 60
    assert sum(step.new_originals for step in steps) == 60 and list(stream.used(15)) == list(range(60))
    resumed = list(stream.steps(7, 9))
    for again, step in zip(resumed, steps[7:9], strict=True):
        np.testing.assert_array_equal(again.augmented["own"].ids_BL, step.augmented["own"].ids_BL)
        np.testing.assert_array_equal(again.index_B, step.index_B)


def test_the_making_of_copies_is_paid_for():
    class Slow(RandomReplacement):
        def __call__(self, *arguments, **options):
            time.sleep(0.05)
            return super().__call__(*arguments, **options)

    stream = mixed_stream(copies=1, size=20)
    assert 0 < stream.seconds
    stream.augmentation.augmenter = Slow.of(Vocabulary.of(tokenizer()))
    stream.augmentation.prepare(stream.corpora["own"])
    assert stream.seconds >= 0.05


@pytest.mark.parametrize("copies", [None, 2])
@pytest.mark.parametrize("pairs", [False, True])
def test_another_tokenizer_reads_what_the_augmenters_own_does_not_know(copies, pairs):
    strange = [*WORDS, "Sun", "☀"]
    readers = {"own": tokenizer(), "other": tokenizer(strange)}
    first = [f"Sun  {text} ☀" for text in TEXTS]
    second = [f"{text} ☀ Sun" for text in reversed(TEXTS)] if pairs else None

    def step(degree):
        config = AugmentConfig(augmenter="random", degree=degree, copies=copies)
        augmenter = make_augmenter(config, tokenizer=readers["own"])
        corpora = {key: encode_corpus(reader, first, second, 20) for key, reader in readers.items()}
        work = Augmentation(config=config, augmenter=augmenter, data_seed=0, max_length=20, tokenizer=readers["own"])
        work.prepare(corpora["own"])
        order = BatchOrder(corpora["own"].length_N, 4, 0)
        stream = Stream(
            corpora=corpora, tokenizers=readers, base="own", label_N=np.zeros(4, int), order=order, max_length=20,
            augmentation=work,
        )  # fmt: skip
        return next(stream.steps(0, 1))

    same, half = step(0.0), step(0.5)
    np.testing.assert_array_equal(same.augmented["other"].ids_BL, same.original["other"].ids_BL)
    known = readers["other"].convert_tokens_to_ids(["Sun", "☀"])
    counts = [np.isin(step.augmented["other"].ids_BL, known).sum() for step in (same, half)]
    assert counts[0] == counts[1] > 0, "unknown tokens are not eligible, so all of them are still there"
    assert half.changed > 0 and half.augmented["own"].mask_BL.sum() == half.augmented["other"].mask_BL.sum()
