"""Translators and their store: Apertium whatever came before, each text asked for once."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import time
from subprocess import PIPE, Popen

import pytest

from empirical.augment import translation as module
from empirical.augment.translation import Apertium, Pipe, Store
from tests.empirical.augment.shouting import Shouting
from theory.errors import InputError

needs_apertium = pytest.mark.skipif(shutil.which("lt-proc") is None, reason=module.APERTIUM_COMMAND)
TEXTS = [
    "I love this film.",
    "The house is [big] ^and$ old\\new @home",
    "Are you drunk? Thanks!",
    "I am here",
    "",
    "a lot of fun",
]


def test_store_asks_once_for_each_text_and_pivot(tmp_path):
    engine, file = Shouting(), tmp_path / "t.sqlite"
    assert Store(file).round_trip(engine, ["x", "y", "x"], "aa", 5) == ["aa x", "aa y", "aa x"]
    assert engine.asked == ["x", "y"]
    assert Store(file).round_trip(engine, ["y", "z"], "aa", 6) == ["aa y", "aa z"]
    assert Store(file).round_trip(engine, ["y"], "bb", 6) == ["bb y"]
    assert engine.asked == ["x", "y", "z", "y"]
    sampled = Shouting(random=True)
    sampled.name = "sampling"
    assert Store(file).round_trip(sampled, ["y"], "aa", 1) != Store(file).round_trip(sampled, ["y"], "aa", 2)


def test_what_kept_translations_took_is_known_to_whoever_asks_again(tmp_path):
    class Slow:
        name, pivots, random = "slow", ("x",), False

        def round_trip(self, texts, pivot, seed):
            time.sleep(0.02 * len(texts))
            return [text.upper() for text in texts]

    first = Store(tmp_path / "store.sqlite")
    first.round_trip(Slow(), ["a", "b", "c"], "x", 0)
    assert first.kept_seconds == 0
    again = Store(tmp_path / "store.sqlite")
    assert again.round_trip(Slow(), ["b", "d", "c"], "x", 0) == ["B", "D", "C"]
    assert 0.04 <= again.kept_seconds < 0.5


def test_a_store_made_before_times_were_kept_is_read(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "old.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE translation (key BLOB PRIMARY KEY, text TEXT) WITHOUT ROWID")
    engine = Shouting()
    assert Store(tmp_path / "old.sqlite").round_trip(engine, ["a"], "aa", 0) == ["aa a"]
    assert Store(tmp_path / "old.sqlite").round_trip(engine, ["a"], "aa", 0) == ["aa a"] and engine.asked == ["a"]


@pytest.fixture(scope="module")
def apertium():
    return Apertium()


@needs_apertium
def test_apertium_answers_every_text_whatever_came_before(apertium):
    answers = apertium.round_trip(TEXTS, "spa", 0)
    assert Apertium().round_trip(TEXTS[::-1], "spa", 0)[::-1] == answers
    assert [apertium.round_trip([text], "spa", 0)[0] for text in TEXTS] == answers
    assert answers[4] == "" and "[" in answers[1] and "\\" in answers[1] and "@" in answers[1]
    assert not any(mark in "".join(answers) for mark in ("[][", "*", "\0"))
    assert apertium.round_trip(["The house is red"], "spa", 0) == ["The house is red"]


def test_texts_that_fill_every_pipe_are_answered():
    """`cat` holds no text back, so two megabytes written before anything is read would wait for ever."""
    pipe = Pipe(lambda: Popen(["cat"], stdin=PIPE, stdout=PIPE, start_new_session=True))
    texts = [f"{number} " * 200 for number in range(2000)]
    assert pipe.ask(texts) == texts


@needs_apertium
def test_apertium_leaves_each_of_many_texts_in_its_place(apertium):
    texts = [f"The cat number {number} drinks milk in the old house" for number in range(200)]
    answers = apertium.round_trip(texts, "spa", 0)
    assert len(answers) == len(texts)
    assert all(str(number) in answer for number, answer in enumerate(answers))


@needs_apertium
def test_a_translator_that_died_is_started_again(apertium):
    before = apertium.round_trip(["the red house"], "spa", 0)
    module._end(apertium._there._process)
    assert apertium.round_trip(["the red house"], "spa", 0) == before


def test_missing_apertium_names_the_command(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match="apt-get install apertium-eng-spa"):
        Apertium()
