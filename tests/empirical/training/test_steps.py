"""Batches by length, their order, and the threads that make them ahead."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.augment import make_augmenter
from empirical.augment.entropy_filter import EntropyFilter
from empirical.augment.replacement import RandomReplacement
from empirical.augment.whole_texts import GroundTruth
from empirical.config import AugmentConfig
from empirical.tokens.codec import encode_batch, tokenizer_key
from empirical.tokens.corpus import BatchOrder, encode_corpus
from empirical.tokens.vocabulary import Vocabulary
from empirical.training.steps import Augmentation, Pool, Stream, run_ahead
from tests.empirical.tiny_kd import WORDS, tokenizer
from theory.errors import InputError

TEXTS = ["good1 word2", "bad1", "fair2 word9 word8 word7", "word1 word2 word3"]


def lengths(total: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(4, 60, total)


@settings(max_examples=30, deadline=None)
@given(total=st.integers(1, 300), size=st.integers(1, 40), seed=st.integers(0, 99), step=st.integers(0, 500))
def test_a_batch_is_full_and_a_function_of_seed_and_step(total, size, seed, step):
    order = BatchOrder(lengths(total), size, seed)
    for warm in range(0, step, 97):
        order.batch(warm)
    batch = order.batch(step)
    assert batch.shape == (size,) and batch.min() >= 0 and batch.max() < total
    np.testing.assert_array_equal(batch, BatchOrder(lengths(total), size, seed).batch(step))


def test_an_epoch_holds_every_text_at_most_once_and_all_are_met_in_the_long_run():
    order = BatchOrder(lengths(100), 8, 3)
    epochs = [np.concatenate([order.batch(12 * e + b) for b in range(12)]) for e in range(20)]
    for epoch in epochs:
        assert len(np.unique(epoch)) == 96
    count = np.bincount(np.concatenate(epochs), minlength=100)
    assert count.min() >= 15 and count.max() == 20, "the texts left out of an epoch are drawn afresh"
    assert not np.array_equal(epochs[0], epochs[1])


def padded_share(order: BatchOrder, batches: int) -> float:
    taken = [order.batch(step) for step in range(batches)]
    size, length = order.batch_size, order.length_N
    return sum(size * length[batch].max() for batch in taken) / sum(length[batch].sum() for batch in taken)


def test_batches_by_length_hold_little_padding_and_come_in_random_order():
    length = lengths(32 * 2048)
    order = BatchOrder(length, 32, 0)
    shuffled = np.random.default_rng(0).permutation(len(length)).reshape(2048, 32)
    assert padded_share(order, 2048) < 1.06 < 1.6 < sum(32 * length[batch].max() for batch in shuffled) / length.sum()
    means = np.array([length[order.batch(step)].mean() for step in range(64)])
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.35


@pytest.mark.parametrize(("total", "size"), [(3917, 64), (8551, 64), (2048, 32)])
def test_a_small_set_is_mixed_again_every_epoch(total, size):
    """Sorted by length alone a third of a text's batch mates would come back: 1 % of MNLI has 61 batches."""
    order = BatchOrder(lengths(total), size, 0)
    batches = order.batches_per_epoch
    home = np.full((2, total), -1)
    for epoch in range(2):
        for number in range(batches):
            home[epoch, order.batch(epoch * batches + number)] = number
    both = home[:, (home >= 0).all(axis=0)]
    mates = sum(n * (n - 1) for n in np.bincount(both[0]))
    again = sum(n * (n - 1) for n in np.bincount(both[0] * batches + both[1]))
    assert again / mates < 0.09
    assert padded_share(order, batches) < 1.35


def test_the_texts_used_are_those_of_the_batches():
    order = BatchOrder(lengths(500), 16, 1)
    used = np.unique(np.concatenate([order.batch(step) for step in range(7)]))
    np.testing.assert_array_equal(order.used(7), used)
    np.testing.assert_array_equal(BatchOrder(lengths(20), 8, 1).used(5000), np.arange(20))


@pytest.mark.parametrize("pairs", [False, True])
def test_a_corpus_gives_the_batches_of_the_tokenizer(pairs):
    words = tokenizer(pad_first=False)
    second = [text[::-1] + " word5" for text in TEXTS] if pairs else None
    corpus = encode_corpus(words, TEXTS, second, 7)
    index = np.array([2, 0, 2])
    batch = corpus.batch(index)
    chosen = None if second is None else [second[i] for i in index]
    expected = encode_batch(words, [TEXTS[i] for i in index], chosen, 7)
    for name in ("ids_BL", "mask_BL", "eligible_BL", "segment_BL"):
        np.testing.assert_array_equal(getattr(batch, name), getattr(expected, name))
    assert batch.text_a == expected.text_a and batch.text_b == expected.text_b
    assert corpus.digest(index) != corpus.digest(index[::-1][:2])


def test_tokenizers_are_told_apart_by_what_they_do():
    key = tokenizer_key(tokenizer())
    used = tokenizer()
    used("good1 word1", truncation=True, max_length=3, padding="max_length")
    assert tokenizer_key(used) == key
    assert tokenizer_key(tokenizer([*reversed(WORDS)])) != key


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


def test_ground_truth_repeats_no_held_out_text_while_they_last():
    reader, size = tokenizer(), 700
    texts = [f"{WORDS[number % 64]} {WORDS[number // 64]}" for number in range(2 * size)]
    held_out = encode_batch(reader, texts[size:], None, 16)
    augmenter = GroundTruth(held_out, np.arange(size))
    config = AugmentConfig(augmenter="ground-truth", copies=1)
    augmentation = Augmentation(config=config, augmenter=augmenter, data_seed=0, max_length=16)
    pool = Pool.make(augmentation, encode_corpus(reader, texts[:size], None, 16), 1)
    assert sorted(pool.label_P.tolist()) == list(range(size)), "more originals than are augmented at a time"
    asked = []

    def teacher(batch):
        asked.append(len(batch))
        return np.stack([np.zeros(len(batch)), batch.ids_BL[:, 1]], axis=1)

    filtered = EntropyFilter(augmenter, teacher, 0.5)
    halved = Pool.make(
        Augmentation(config=config, augmenter=filtered, data_seed=0, max_length=16),
        encode_corpus(reader, texts[:size], None, 16),
        1,
    )
    assert sum(asked) == size and max(asked) < size, "the teacher is asked about some texts at a time"
    assert len(set(halved.label_P.tolist())) == len(halved.label_P) < size


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


def test_mixing_needs_copies():
    config = AugmentConfig(augmenter="random", mixing="mixed")
    work = Augmentation(
        config=config, augmenter=make_augmenter(config, tokenizer=tokenizer()), data_seed=0, max_length=16
    )
    with pytest.raises(InputError, match="mixing"):
        work.prepare(encode_corpus(tokenizer(), TEXTS, None, 16))


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
