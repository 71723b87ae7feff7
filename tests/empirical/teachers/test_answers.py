"""The store of answers: nothing is asked twice, nothing is lost, whoever writes and whatever is killed."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from empirical.teachers.answering import content, text_contents, token_contents
from empirical.teachers.answers import Answers, Asked, answered
from empirical.tokens.batch import Batch
from empirical.tokens.corpus import Corpus, encode_corpus
from tests.empirical.tiny_kd import WORDS, tokenizer


class Counter:
    """A teacher whose logits are sums over token ids, and which counts what it is asked."""

    name, key, labels = "counter", "counter-1", ("a", "b", "c")

    def __init__(self, most: int = 10**9) -> None:
        self.asked: list[bytes] = []
        self.most = most

    def contents(self, batch: Batch) -> list[bytes]:
        return token_contents(batch)

    def answer(self, batch: Batch) -> NDArray[np.float32]:
        if len(self.asked) >= self.most:
            raise KeyboardInterrupt
        self.asked += token_contents(batch)
        total_B = np.where(batch.mask_BL, batch.ids_BL, 0).sum(axis=1)
        return np.stack([total_B, -total_B, total_B % 7], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, size=rng.integers(1, 12))) for _ in range(300)]
    return encode_corpus(tokenizer(), [*texts, *texts[:40]], None, 32)


def test_a_second_pass_asks_nothing_and_repeats_get_one_answer(tmp_path: Path, corpus: Corpus) -> None:
    everything = np.arange(len(corpus))
    distinct = len(set(token_contents(corpus.batch(everything))))
    teacher, count = Counter(), Asked()
    first = answered(teacher, corpus, everything, Answers(tmp_path, teacher.key, 3), count)
    assert len(teacher.asked) == len(set(teacher.asked)) == count.asked == distinct < len(corpus)
    assert count.asked + count.kept == len(corpus)
    again = answered(teacher, corpus, everything, Answers(tmp_path, teacher.key, 3), count)
    assert len(teacher.asked) == distinct
    assert np.array_equal(first, again)
    assert np.array_equal(first, Counter().answer(corpus.batch(everything)))


def test_an_interrupted_pass_goes_on_with_the_same_batches(tmp_path: Path, corpus: Corpus) -> None:
    everything = np.arange(len(corpus))
    whole = Counter()
    answered(whole, corpus, everything, Answers(tmp_path / "whole", whole.key, 3))
    killed, rest = Counter(most=128), Counter()
    with pytest.raises(KeyboardInterrupt):
        answered(killed, corpus, everything, Answers(tmp_path / "killed", killed.key, 3))
    store = Answers(tmp_path / "killed", rest.key, 3)
    assert len(store) == len(killed.asked) > 0
    answered(rest, corpus, everything, store)
    assert killed.asked + rest.asked == whole.asked


def test_teachers_do_not_share_answers(tmp_path: Path) -> None:
    one, other = Answers(tmp_path, "one", 2), Answers(tmp_path, "http://host/v1#other", 2)
    one.write([content(b"x")], np.ones((1, 2), dtype=np.float32))
    assert np.isnan(other.read([content(b"x")])).all()
    assert np.array_equal(
        one.read([content(b"y"), content(b"x")]), np.array([[np.nan, np.nan], [1, 1]]), equal_nan=True
    )


def test_a_damaged_file_is_named_put_aside_and_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Answers(tmp_path, "teacher", 2)
    store.write([content(b"x")], np.ones((1, 2), dtype=np.float32))
    store.close()
    store.file.write_bytes(b"no database" * 1000)
    mended = Answers(tmp_path, "teacher", 2)
    assert str(store.file) in caplog.text
    assert np.isnan(mended.read([content(b"x")])).all()
    mended.write([content(b"x")], np.zeros((1, 2), dtype=np.float32))
    assert len(mended) == 1


def write_some(folder: str, number: int) -> None:
    store = Answers(Path(folder), "teacher", 2)
    for row in range(50):
        store.write([content(f"{number} {row}".encode())], np.full((1, 2), number, dtype=np.float32))


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    workers = [spawn.Process(target=write_some, args=(str(tmp_path), number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    store = Answers(tmp_path, "teacher", 2)
    assert len(store) == 150
    assert store.read([content(b"2 49")])[0].tolist() == [2, 2]


def test_contents_see_ids_segments_and_texts_and_no_padding() -> None:
    corpus = encode_corpus(tokenizer(), ["word1 word2", "word1 word2 word3"], None, 32)
    alone, together = corpus.batch(np.array([0])), corpus.batch(np.array([0, 1]))
    assert token_contents(alone)[0] == token_contents(together)[0] != token_contents(together)[1]
    pair = encode_corpus(tokenizer(), ["word1"], ["word2"], 32).batch(np.array([0]))
    other = encode_corpus(tokenizer(), ["word1 [SEP] word2"], None, 32).batch(np.array([0]))
    assert np.array_equal(pair.ids_BL, other.ids_BL)
    assert token_contents(pair) != token_contents(other)
    assert text_contents(["a"], ["b"]) != text_contents(["b"], ["a"])
    assert text_contents(["a", "a"], None)[0] == content(b"a")
