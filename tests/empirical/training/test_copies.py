"""Offline copies: made once, dealt to their originals, drawn alike, and paid for."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.augment import make_augmenter
from empirical.augment.entropy_filter import EntropyFilter
from empirical.augment.whole_texts import GroundTruth
from empirical.config import AugmentConfig
from empirical.randomness import Draws, step_generator
from empirical.tokens.codec import encode_batch
from empirical.tokens.corpus import encode_corpus
from empirical.training.copies import Augmentation, Pool
from tests.empirical.tiny_kd import WORDS, tokenizer
from theory.errors import InputError


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


def test_mixing_needs_copies():
    config = AugmentConfig(augmenter="random", mixing="mixed")
    work = Augmentation(
        config=config, augmenter=make_augmenter(config, tokenizer=tokenizer()), data_seed=0, max_length=16
    )
    with pytest.raises(InputError, match="mixing"):
        work.prepare(encode_corpus(tokenizer(), WORDS[:4], None, 16))


def random_copies(copies: int | None, total: int = 40, seed: int = 0) -> Augmentation:
    """Random replacement of half the tokens of `total` texts, its copies made."""
    reader = tokenizer()
    config = AugmentConfig(augmenter="random", degree=0.5, copies=copies)
    work = Augmentation(
        config=config, augmenter=make_augmenter(config, tokenizer=reader), data_seed=seed, max_length=16
    )
    work.prepare(encode_corpus(reader, [f"{WORDS[n]} {WORDS[n + 1]} {WORDS[n + 2]}" for n in range(total)], None, 16))
    return work


def test_every_text_owns_its_copies_and_each_is_drawn_as_often():
    work = random_copies(3)
    pool = work.pool
    assert len(pool) == 120 and pool.count_N.tolist() == [3] * 40
    assert (pool.owner_P[pool.entry_P].reshape(40, 3) == np.arange(40)[:, None]).all()
    drawn = [work.entries(step, np.array([7, 7, 31]))[0] for step in range(600)]
    counts = np.bincount(np.concatenate(drawn), minlength=120)
    own = counts[counts > 0]
    assert set(pool.owner_P[np.flatnonzero(counts)]) == {7, 31} and len(own) == 6
    # Multinomial in each group: no copy is further than five standard errors from a third of its text's draws.
    for owner, draws in ((7, 1200), (31, 600)):
        found = counts[pool.owner_P == owner]
        assert found.sum() == draws and np.all(np.abs(found - draws / 3) < 5 * np.sqrt(draws * 2 / 9))


def test_copies_are_a_function_of_the_data_seed():
    one, again, other = random_copies(2), random_copies(2), random_copies(2, seed=1)
    every = np.arange(80)
    ids = [work.pool.corpus.batch(every).ids_BL for work in (one, again, other)]
    assert np.array_equal(ids[0], ids[1]) and not np.array_equal(ids[0], ids[2])
    assert np.array_equal(one.entries(5, every[:40])[0], again.entries(5, every[:40])[0])


def test_online_texts_are_fresh_at_every_step_and_equal_when_a_step_is_made_again():
    work = random_copies(None)
    assert work.pool is None and work.seconds == 0
    index = np.arange(8)
    batch = encode_corpus(tokenizer(), WORDS[:40], None, 16).batch(index)
    first, second = (work.draw(step, index, batch).batch.ids_BL for step in (0, 1))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, work.draw(0, index, batch).batch.ids_BL)


def test_texts_without_a_copy_are_left_out_of_a_draw():
    pool = random_copies(1).pool
    pool.count_N[[2, 5]] = 0
    entry_A, row_A = pool.entries(np.array([1, 2, 5, 9]), step_generator(0, 0, Draws.CHOICE))
    assert row_A.tolist() == [0, 3] and pool.owner_P[entry_A].tolist() == [1, 9]
    taken = pool.take(entry_A, row_A)
    assert len(taken.batch) == 2 and taken.row_B.tolist() == [0, 3] and taken.logits_BC is None
