"""Making a bank and reading it: copies by the ordinary augmenters, answered once by the teacher, kept unit by unit.

    kdshift empirical bank curves-demo

What is there is not made again; a kill loses at most a batch of answers. Shapes: N texts, C classes.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment import make_augmenter
from empirical.augment.catalogue import needs_of
from empirical.augment.protocol import Augmenter
from empirical.bank.plan import BLOCK, BankPlan, Shift, Unit
from empirical.bank.pool import Pool, pool_order, read_pool
from empirical.bank.shards import Copies, copies_of, read_copies, read_logits, write_copies, write_logits
from empirical.files import write_atomically
from empirical.randomness import Draws, step_generator
from empirical.tasks.load import Task
from empirical.teachers.answering import Answering
from empirical.teachers.answers import Answers, Asked, answered
from empirical.tokens.batch import Batch
from empirical.tokens.codec import encode_batch, tokenizer_key
from theory.progress_report import Progress

logger = logging.getLogger(__name__)


@dataclass
class Bank:
    """Augmented copies of a pool of texts in a folder, and teachers' answers to them.

    plan: what it is asked to hold. task, tokenizer: whose texts, read how.
    embeddings: float array of shape (V, D), for kNN; None where no shift needs it.
    root: folder of all banks; the bank's own name says task, tokenizer, seed and training texts.
    models: what else the shifts' augmenters need of the rooms above (a teacher with its gradient, a student), by the
        names of `make_augmenter`'s sources. made_with: names those models, in the places of what they make.
    answers: folder of the one store of answers, for runs too; None: beside the banks.
    """

    plan: BankPlan
    task: Task
    tokenizer: Any
    embeddings: NDArray[np.float32] | None
    root: Path
    answers: Path | None = None
    count: Asked = field(default_factory=Asked)
    models: Mapping[str, Any] = field(default_factory=dict)
    made_with: str = ""

    @cached_property
    def folder(self) -> Path:
        """The bank's own folder; plans that differ only in size, copies, augmenters or degrees share it."""
        what = {
            "task": self.task.name,
            "train": self.task.train.digest(),
            "max_length": self.plan.task.max_length,
            "tokenizer": tokenizer_key(self.tokenizer),
            "seed": self.plan.seed,
            "block": BLOCK,
            **({"skip": self.plan.skip} if self.plan.skip else {}),
        }
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]
        folder = self.root / f"{Path(self.task.name).stem}-{digest}"
        if not (folder / "bank.json").exists():
            write_atomically(folder / "bank.json", json.dumps(what, indent=2) + "\n")
        return folder

    @cached_property
    def pool(self) -> Pool:
        """The original texts."""
        return read_pool(self.plan, self.task, self.tokenizer)

    @cached_property
    def _blocks(self) -> dict[int, Batch]:
        return {}  # the last one: units come block by block

    @cached_property
    def _augmenters(self) -> dict[Shift, Augmenter]:
        return {}

    def _place(self, unit: Unit) -> str:
        """A unit's place: the augmenter with its options (and kNN's embeddings), degree, copy, block."""
        folder = unit.shift.name
        needs = needs_of(unit.shift.augment())
        if "embeddings" in needs:
            folder += f"-{self._embedding_digest[:8]}"
        if needs - {"embeddings"}:
            folder += f"-{hashlib.sha256(self.made_with.encode()).hexdigest()[:8]}"
        return f"{folder}/{unit.name}.npz"

    @cached_property
    def _embedding_digest(self) -> str:
        assert self.embeddings is not None, "kNN needs embeddings"
        return hashlib.sha256(np.ascontiguousarray(self.embeddings).data).hexdigest()

    def copies(self, unit: Unit) -> Copies:
        """The copies of a unit, read, or made and kept."""
        path = self.folder / "copies" / self._place(unit)
        copies = read_copies(path, unit.size, self.tokenizer.pad_token_id)
        if copies is None:
            copies = self._make(unit)
            write_copies(path, copies)
        return copies

    def augmenter(self, shift: Shift) -> Augmenter:
        """A shift's augmenter, built at the first call.

        Raises:
            InputError: what it needs is missing here.
        """
        if shift not in self._augmenters:
            self._augmenters[shift] = make_augmenter(
                shift.augment(),
                tokenizer=self.tokenizer,
                embeddings=self.embeddings,
                cache=self.root,
                max_length=self.plan.task.max_length,
                **self.models,
            )
        return self._augmenters[shift]

    def _make(self, unit: Unit) -> Copies:
        """A whole block is augmented, whatever of it the plan wants: a larger plan finds the same copies."""
        rng = step_generator(self.plan.seed, unit.step, Draws.BANK_COPIES)
        batch = self._block(unit.block)
        augmented = self.augmenter(unit.shift)(batch, unit.degree, rng, copy=unit.copy)
        return copies_of(augmented, self.tokenizer.pad_token_id)

    def _block(self, block: int) -> Batch:
        """All texts of a block, of the plan or not."""
        if block not in self._blocks:
            order = pool_order(self.plan.seed, len(self.task.train), self.plan.skip)[
                block * BLOCK : (block + 1) * BLOCK
            ]
            split = self.task.train.take(order)
            length = self.plan.task.max_length
            self._blocks.clear()
            self._blocks[block] = encode_batch(self.tokenizer, split.text_a, split.text_b, length)
        return self._blocks[block]

    def _logits_path(self, teacher: Answering, place: str) -> Path:
        name = hashlib.sha256(teacher.key.encode()).hexdigest()[:16]
        return self.folder / "answers" / name / place

    def store(self, teacher: Answering) -> Answers:
        """The store of a teacher's answers."""
        return Answers(self.answers or self.root / "answers", teacher.key, len(teacher.labels))

    def logits(
        self, unit: Unit, teacher: Answering, answers: Answers, tick: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """The teacher's answers to a unit's copies, shape (N, C): read, or asked for and kept."""
        path = self._logits_path(teacher, self._place(unit))
        logits_NC = read_logits(path, unit.size, answers.classes)
        if logits_NC is None:
            corpus = self.copies(unit).corpus
            logits_NC = answered(teacher, corpus, np.arange(unit.size), answers, self.count, tick)
            write_logits(path, logits_NC)
        elif tick is not None:  # while it is made; students that read it do not count
            self.count.kept += unit.size
            tick(unit.size)
        return logits_NC

    def original_logits(
        self, name: str, teacher: Answering, answers: Answers, tick: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """The teacher's answers to `pool`, `reserve`, `validation` or `test`, shape (N, C)."""
        corpus = self.pool.sets()[name].corpus
        return answered(teacher, corpus, np.arange(len(corpus)), answers, self.count, tick)


def make_bank(
    bank: Bank,
    teacher: Answering,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    units: Sequence[Unit] | None = None,
) -> bool:
    """Make and answer everything that the plan names and that is not there yet.

    progress: called with a label, texts done and texts in all. stop: asked after each unit.
    units: only these, for one of several processes; None: all of them and the originals.
    Returns whether it came to its end.
    """
    answers = bank.store(teacher)
    sets = bank.pool.sets() if units is None else {}
    work = list(bank.plan.units() if units is None else units)
    total = sum(len(texts) for texts in sets.values()) + sum(unit.size for unit in work)
    done = 0

    def tick(texts: int) -> None:
        nonlocal done
        done += texts
        if progress is not None:
            progress("answers", done, total)

    for name in sets:
        bank.original_logits(name, teacher, answers, tick)
    for unit in work:
        bank.logits(unit, teacher, answers, tick)
        if stop is not None and stop():
            return False
    return True


def texts_of(bank: Bank) -> int:
    """Texts, original and augmented, that the plan names."""
    return sum(len(texts) for texts in bank.pool.sets().values()) + bank.plan.answers


def size_of(folder: Path) -> int:
    """Bytes of a bank's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
