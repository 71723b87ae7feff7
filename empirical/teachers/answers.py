"""The one store of teachers' answers, kept by content: no answered text is ever asked again (design, semantics 3).

One SQLite file a teacher, written batch by batch: it survives `kill -9`, and several processes read and write it.
Shapes: N texts, C classes.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from empirical.teachers.answering import Answering
from empirical.tokens.batch import Batch
from empirical.tokens.corpus import Corpus

logger = logging.getLogger(__name__)

ANSWERS = "answers"  # the store's folder within what runs and banks share
BUSY_SECONDS = 120.0
ASKED_AT_ONCE = 500  # contents of one SELECT; SQLite allows 999 variables everywhere
BATCH_TEXTS = 64
SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS teacher (key TEXT PRIMARY KEY, classes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS answers (content BLOB PRIMARY KEY, logits BLOB NOT NULL) WITHOUT ROWID;
"""


class Answers:
    """The kept answers of one teacher in one folder; safe to share between threads.

    folder: where the files of all teachers lie. key: the teacher's key. classes: C.
    A file that SQLite cannot read is named in the log, put aside and made anew: answers can be asked again.
    """

    def __init__(self, folder: Path, key: str, classes: int) -> None:
        self.key, self.classes = key, classes
        self.file = folder / f"answers-{hashlib.sha256(key.encode()).hexdigest()[:16]}.sqlite"
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            logger.warning("%s is damaged (%s); its answers are asked for again", self.file, error)
            for part in (self.file, *(self.file.with_name(self.file.name + end) for end in ("-wal", "-shm"))):
                if part.exists():
                    part.replace(part.with_name(part.name + ".damaged"))
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.file, timeout=BUSY_SECONDS, check_same_thread=False)
        connection.executescript(SCHEMA)
        connection.execute("INSERT OR IGNORE INTO teacher VALUES (?, ?)", (self.key, self.classes))
        connection.commit()
        return connection

    def __len__(self) -> int:
        with self._lock:
            return int(self._connection.execute("SELECT count(*) FROM answers").fetchone()[0])

    def read(self, content_N: Sequence[bytes]) -> NDArray[np.float32]:
        """Kept logits of shape (N, C), NaN in the rows of what was never answered."""
        found: dict[bytes, bytes] = {}
        with self._lock:
            for start in range(0, len(content_N), ASKED_AT_ONCE):
                part = content_N[start : start + ASKED_AT_ONCE]
                marks = ",".join("?" * len(part))
                found.update(
                    self._connection.execute(f"SELECT content, logits FROM answers WHERE content IN ({marks})", part)
                )
        nothing = np.full(self.classes, np.nan, dtype="<f4").tobytes()
        flat = b"".join(found.get(content, nothing) for content in content_N)
        return np.frombuffer(flat, dtype="<f4").reshape(len(content_N), self.classes).copy()

    def write(self, content_N: Sequence[bytes], logits_NC: NDArray[np.float32]) -> None:
        """Keep these answers, all or none of them; the first answer to a content stays."""
        assert logits_NC.shape == (len(content_N), self.classes), (logits_NC.shape, len(content_N), self.classes)
        rows = zip(content_N, (row_C.astype("<f4").tobytes() for row_C in logits_NC), strict=True)
        with self._lock, self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", rows)

    def absorb(self, other: Answers) -> None:
        """Keep what another store of the same teacher has; where both have an answer, this store's stays."""
        assert (other.key, other.classes) == (self.key, self.classes), (other.key, self.key)
        with self._lock:
            self._connection.execute("ATTACH ? AS other", (str(other.file),))
            try:
                with self._connection:
                    self._connection.execute("INSERT OR IGNORE INTO answers SELECT * FROM other.answers")
            finally:
                self._connection.execute("DETACH other")

    def close(self) -> None:
        """Close the file; the write-ahead log is folded into it."""
        self._connection.close()


@dataclass
class Asked:
    """How many texts a teacher was asked about, and how many answers were kept already."""

    asked: int = 0
    kept: int = 0


def answered(
    teacher: Answering,
    corpus: Corpus,
    index_N: NDArray[np.integer],
    answers: Answers,
    count: Asked | None = None,
    tick: Callable[[int], None] | None = None,
    size: int = BATCH_TEXTS,
) -> NDArray[np.float32]:
    """The teacher's logits of these texts, float32 of shape (N, C): kept ones from the store, the rest asked and kept.

    Texts are asked in batches sorted by length, whose composition does not depend on what is kept, and each batch is
    kept as soon as it is answered: after a kill the rest gives the same bytes as an uninterrupted pass.
    count: is added to. tick: called with the number of texts of each batch done. size: texts of a batch.
    """
    count = Asked() if count is None else count
    output_NC = np.empty((len(index_N), answers.classes), dtype=np.float32)
    position = np.argsort(corpus.length_N[index_N], kind="stable")
    for start in range(0, len(position), size):
        place_B = position[start : start + size]
        output_NC[place_B] = answered_batch(teacher, corpus.batch(index_N[place_B]), answers, count)
        if tick is not None:
            tick(len(place_B))
    return output_NC


def answered_batch(teacher: Answering, batch: Batch, answers: Answers, count: Asked) -> NDArray[np.float32]:
    """The teacher's logits of a batch, float32 of shape (B, C): kept ones, the rest asked at once and kept."""
    content_B = teacher.contents(batch)
    logits_BC = answers.read(content_B)
    # One answer for all texts of one content, also within a batch.
    first = {content_B[row]: row for row in np.flatnonzero(np.isnan(logits_BC).any(axis=1))[::-1].tolist()}
    if first:
        rows = np.array(sorted(first.values()))
        answers.write([content_B[row] for row in rows], teacher.answer(batch.rows(rows)))
        logits_BC = answers.read(content_B)
    count.asked += len(first)
    count.kept += len(batch) - len(first)
    return logits_BC
