"""The embedded tweets: clean, their test split fixed, what is untrusted, repeated or contradicted left out."""

from __future__ import annotations

import csv

import pytest

from empirical.config import TaskConfig
from empirical.tasks import tweets
from empirical.tasks.load import load_task
from theory.errors import InputError


def test_tweets_are_clean_fixed_and_apart():
    task, other = load_task(TaskConfig()), load_task(TaskConfig(split_seed=1))
    assert len(task.test) == 4000 and len(task.validation) == 1000 and 20_000 < len(task.train) < 26_000
    assert task.labels == ("negative", "neutral", "positive") and set(task.train.labels) == {0, 1, 2}
    assert task.test.digest() == other.test.digest()
    assert task.train.digest() != other.train.digest()
    texts = [
        " ".join(text.casefold().split()) for split in (task.train, task.validation, task.test) for text in split.text_a
    ]
    assert len(set(texts)) == len(texts)
    assert not any(text.startswith("rt ") for text in texts)


def corpus(folder, rows):
    """A table as the package's: rows of text, sentiment and confidence."""
    path = folder / "corpus.csv"
    with path.open("w", encoding="latin-1", newline="") as lines:
        writer = csv.DictWriter(lines, ["text", "sentiment", "confidence"])
        writer.writeheader()
        writer.writerows(dict(zip(writer.fieldnames, row, strict=True)) for row in rows)
    return path


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read a table of one's own, two of its tweets for the test split: {text: label} of both splits, and the task."""

    def call(rows):
        monkeypatch.setattr(tweets, "TEST_SIZE", 2)
        monkeypatch.setattr(tweets, "corpus_file", lambda: corpus(tmp_path, rows))
        task = tweets.read_tweets()
        both = task.train.followed_by(task.test)
        return {text: task.labels[label] for text, label in zip(both.text_a, both.labels, strict=True)}, task

    return call


def test_only_trusted_tweets_are_kept(read):
    kept, _ = read([
        ("good", "positive", "0.6"), ("caf\xe9", "neutral", "1.0"), ("  spaced  ", "negative", "0.99"),
        ("unsure", "positive", "0.59"), ("unknown", "positive", ""), ("", "neutral", "1"),
        ("RT copied", "neutral", "1"), ("RTL television", "neutral", "1"),
    ])  # fmt: skip
    assert kept == {"good": "positive", "caf\xe9": "neutral", "spaced": "negative", "RTL television": "neutral"}


def test_repeats_up_to_case_spaces_and_links_stand_once_and_contradictions_never(read):
    kept, _ = read([
        ("Nice day http://t.co/a", "positive", "1"), ("nice  DAY https://t.co/b", "positive", "1"),
        ("So so", "neutral", "1"), ("so so http://x", "negative", "1"), ("SO SO", "neutral", "1"),
        ("nice night", "positive", "1"), ("other", "negative", "1"),
    ])  # fmt: skip
    assert kept == {"Nice day http://t.co/a": "positive", "nice night": "positive", "other": "negative"}


def test_the_test_split_is_a_function_of_the_table_alone_and_keeps_its_order(read):
    rows = [(f"tweet {i}", tweets.TWEETS.labels[i % 3], "1") for i in range(30)]
    (_, one), (_, again) = read(rows), read(rows)
    assert one.test.digest() == again.test.digest() and len(one.test) == 2 and len(one.train) == 28
    numbers = [int(text.split()[1]) for text in one.train.text_a]
    assert numbers == sorted(numbers) and one.validation is None


def test_without_the_package_its_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert tweets.corpus_file() is None
    with pytest.raises(InputError, match=r"kdshift\[demo\]"):
        tweets.read_tweets()
