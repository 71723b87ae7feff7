"""Engines of back-translation behind one interface, and the store on disk that keeps what they said.

Apertium (Debian's `apertium-eng-spa`) needs no weights; a seq2seq model of transformers is in `seq2seq.py`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Protocol

from theory.errors import InputError

MODES = Path("/usr/share/apertium/modes")
APERTIUM_COMMAND = "apt-get install apertium-eng-spa"
# The characters of Apertium's stream format.
RESERVED = re.compile(r"([\\\[\]{}^$/@<>])")
# A full stop, an empty blank and a line's end: how Apertium's own formatters close a text. Without it the last word
# waits for the next text, and the next text's first words are read as if they went on.
SENTENCE_END = ".[][\n]"
# The English tagger learns a combination of readings when it first meets one it was not trained on, and tags
# differently from then on. Meeting these words at the start makes what it says of a text independent of earlier ones.
FIRST_WORDS = ("drunk", "I", "Thanks", "a lot of", "till", "fit", "Apple", "known", "elected", "ANA")
SILENCE_SECONDS = 60


class Engine(Protocol):
    """A translator to a pivot language and back to English.

    name: engine, model and decoding, everything that decides what it says beside text, pivot and seed.
    pivots: languages it can go through.
    random: whether its answer depends on the seed (sampling); the others say the same for ever.
    """

    name: str
    pivots: tuple[str, ...]
    random: bool

    def round_trip(self, texts: Sequence[str], pivot: str, seed: int) -> list[str]:
        """English texts after a translation to `pivot` and back, in order."""
        ...


class Pipe:
    """A command that answers every NUL-terminated text with one, kept running; one caller at a time."""

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]], first: Sequence[str] = ()) -> None:
        self._start, self._first, self._lock = start, first, threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, texts: Sequence[str]) -> list[str]:
        """The answer to each text, in order; a thread writes while this one reads, so that neither fills its pipe.

        Raises:
            RuntimeError: the command ended, or was silent for a minute, before it had answered.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = self._start()
                weakref.finalize(self, _end, self._process)
                _converse(self._process, self._first)
            return _converse(self._process, texts)


def _converse(process: subprocess.Popen[bytes], texts: Sequence[str]) -> list[str]:
    assert process.stdin is not None and process.stdout is not None
    data = b"".join(text.replace("\0", " ").encode(errors="replace") + b"\0" for text in texts)
    writer = threading.Thread(target=_write, args=(process.stdin, data), daemon=True)
    writer.start()
    answer, answered = bytearray(), 0
    while answered < len(texts):
        readable, _, _ = select.select([process.stdout], [], [], SILENCE_SECONDS)
        if not readable or not (chunk := os.read(process.stdout.fileno(), 2**16)):
            _end(process)
            raise RuntimeError(f"the translator stopped after {answered} of {len(texts)} texts")
        answer += chunk
        answered += chunk.count(b"\0")
    writer.join()
    return answer.decode(errors="replace").split("\0")[: len(texts)]


def _write(source: IO[bytes], data: bytes) -> None:
    # The reader sees a pipeline that has ended, and reports it.
    with contextlib.suppress(BrokenPipeError):
        source.write(data)
        source.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


class Apertium:
    """English to Spanish and back by rules: one long-lived process each way, started at the first text.

    The pipeline of the installed mode is run in its null-flush form; the `apertium` command itself buffers its
    output through gawk and would answer a text only after the next.
    """

    name = "apertium-eng-spa"
    pivots = ("spa",)
    random = False

    def __init__(self) -> None:
        for tool in ("apertium-wblank-mode", "lt-proc"):
            if shutil.which(tool) is None:
                raise InputError("engine", "apertium (not installed)", APERTIUM_COMMAND)
        first = [word + SENTENCE_END for word in FIRST_WORDS]
        self._there, self._back = Pipe(lambda: _pipeline("eng-spa"), first), Pipe(lambda: _pipeline("spa-eng"))

    def round_trip(self, texts: Sequence[str], pivot: str, seed: int) -> list[str]:
        """English texts through Spanish and back; words it does not know stay as they are."""
        assert pivot in self.pivots, pivot
        escaped = [RESERVED.sub(r"\\\1", text) + SENTENCE_END for text in texts]
        # What one direction writes is stream format already, ready for the other.
        answers = self._back.ask(self._there.ask(escaped))
        return [re.sub(r"\\(.)", r"\1", answer.removesuffix(SENTENCE_END)).strip() for answer in answers]


def _pipeline(mode: str) -> subprocess.Popen[bytes]:
    file = MODES / f"{mode}.mode"
    if not file.is_file():
        raise InputError("engine", f"apertium without the mode {mode}", APERTIUM_COMMAND)
    command = subprocess.run(["apertium-wblank-mode", "-z", str(file)], capture_output=True, text=True, check=True)
    # The mode's $1 is the generator's option: -n leaves unknown words unmarked.
    return subprocess.Popen(
        ["bash", "-c", command.stdout, "apertium", "-n"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


class Store:
    """Translations on disk, one SQLite file; any number of threads and processes may share it.

    A key is a hash of engine, pivot, seed (of a sampled translation) and text. With each text stands what it took, and
    `kept_seconds` adds that up for those that were asked for again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.kept_seconds = 0.0
        file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(self._open()) as connection, connection:
            connection.execute("CREATE TABLE IF NOT EXISTS translation (key BLOB PRIMARY KEY, text TEXT) WITHOUT ROWID")
            columns = {row[1] for row in connection.execute("PRAGMA table_info(translation)")}
            if "seconds" not in columns:
                connection.execute("ALTER TABLE translation ADD COLUMN seconds REAL NOT NULL DEFAULT 0")

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=60)

    def round_trip(self, engine: Engine, texts: Sequence[str], pivot: str, seed: int) -> list[str]:
        """What `engine.round_trip` says, asking it only for what it has not said before."""
        seed = seed if engine.random else 0
        keys = [
            hashlib.sha256("\0".join((engine.name, pivot, str(seed), text)).encode(errors="replace")).digest()
            for text in texts
        ]
        with contextlib.closing(self._open()) as connection:
            rows = {
                key: row
                for key in set(keys)
                for row in connection.execute("SELECT text, seconds FROM translation WHERE key = ?", (key,))
            }
        known = {key: text for key, (text, _) in rows.items()}
        self.kept_seconds += sum(seconds for _, seconds in rows.values())
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            began = time.perf_counter()
            new = dict(zip(missing, engine.round_trip(list(missing.values()), pivot, seed), strict=True))
            each = (time.perf_counter() - began) / len(new)
            with contextlib.closing(self._open()) as connection, connection:
                rows_new = [(key, text, each) for key, text in new.items()]
                connection.executemany(
                    "INSERT OR REPLACE INTO translation (key, text, seconds) VALUES (?, ?, ?)", rows_new
                )
            known |= new
        return [known[key] for key in keys]
