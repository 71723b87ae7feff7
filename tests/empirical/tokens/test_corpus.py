"""Corpora and the order of their batches: the tokenizer's batches, full ones, of like lengths, mixed every epoch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.tokens import corpus as corpora
from empirical.tokens.codec import encode_batch
from empirical.tokens.corpus import BatchOrder, encode_corpus, join_batches
from tests.empirical.tiny_kd import tokenizer

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


FIELDS = ("ids_BL", "mask_BL", "eligible_BL", "segment_BL")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=9), st.booleans(), st.data())
def test_joining_batches_undoes_cutting_a_corpus_into_them(texts, pairs, data):
    corpus = encode_corpus(tokenizer(), texts, texts[::-1] if pairs else None, 16)
    index = np.array(data.draw(st.lists(st.integers(0, len(texts) - 1), min_size=1, max_size=9)))
    cut = data.draw(st.integers(1, len(index)))
    parts = [corpus.batch(part) for part in (index[:cut], index[cut:]) if len(part)]
    joined = join_batches(parts, corpus.pad_id)
    everything = np.arange(len(index))
    assert joined.digest(everything) == corpus.digest(index) and joined.length_N.sum() == len(joined.ids)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(joined.batch(everything), name), getattr(corpus.batch(index), name))
    assert joined.batch(everything).text_a == tuple(texts[i] for i in index)


def test_chunks_are_invisible_and_no_texts_are_a_corpus_too(monkeypatch):
    whole = encode_corpus(tokenizer(), TEXTS, TEXTS[::-1], 16)
    monkeypatch.setattr(corpora, "CHUNK", 3)
    cut = encode_corpus(tokenizer(), TEXTS, TEXTS[::-1], 16)
    assert cut.digest(np.arange(4)) == whole.digest(np.arange(4)) and cut.text_b == TEXTS[::-1]
    empty = encode_corpus(tokenizer(), [], None, 16)
    assert len(empty) == 0 and empty.by_length(np.arange(0), 4) == []


def test_texts_of_one_batch_without_its_texts_are_not_kept():
    batch = encode_batch(tokenizer(), TEXTS, None, 16)
    blind = batch.__class__(**{name: getattr(batch, name) for name in FIELDS})
    assert join_batches([batch, blind], 0).text_a is None and join_batches([batch, batch], 0).text_a == TEXTS * 2


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(1, 8))
def test_batches_by_length_hold_every_text_once_shortest_first_and_ties_in_order(length, size):
    corpus = join_batches([encode_batch(tokenizer(), ["word1 " * n for n in length], None, 16)], 0)
    batches = corpus.by_length(np.arange(len(length)), size)
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert np.concatenate(batches).tolist() == sorted(range(len(length)), key=lambda i: length[i])


def test_a_digest_names_ids_and_where_texts_end():
    reader, first = tokenizer(), np.arange(2)
    one = encode_corpus(reader, ["word1 word2", "word3"], None, 16)
    assert one.digest(first) == encode_corpus(reader, ["word1 word2", "word3"], None, 12).digest(first)
    for other in (["word1", "word2 word3"], ["word1 word3", "word2"], ["word3", "word1 word2"]):
        assert encode_corpus(reader, other, None, 16).digest(first) != one.digest(first)
    assert one.digest(first[:1]) != one.digest(first[1:]) != one.digest(first)


def test_orders_of_two_seeds_differ_and_texts_repeat_only_where_they_must():
    batches = [BatchOrder(lengths(40), 8, seed).batch(0).tolist() for seed in (0, 1)]
    assert batches[0] != batches[1]
    few = BatchOrder(lengths(5), 12, 0)
    assert few.batches_per_epoch == 1
    assert sorted(np.bincount(few.batch(3), minlength=5).tolist()) in ([2, 2, 2, 3, 3],)
    assert not np.array_equal(few.batch(3), few.batch(4))
