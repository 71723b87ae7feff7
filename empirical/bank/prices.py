"""What texts cost before anybody trains on them: making them, and the teacher's answers to them.

Serves `kdshift empirical equal-seconds`. Seconds are those of a core, of this process and of the programs that it
runs, so that what else the machine does leaves them alone. Shapes: N texts.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from empirical.augment import make_augmenter
from empirical.bank.making import Bank
from empirical.bank.plan import Shift
from empirical.randomness import Draws, step_generator
from empirical.teachers.answering import Answering
from empirical.tokens.codec import encode_batch
from empirical.tokens.corpus import Corpus

BATCH = 64
WARM = 64  # texts that fill what is kept in memory and load models: counted as the start
PRICED = 64  # texts after those


@dataclass(frozen=True, kw_only=True)
class Price:
    """What an augmenter's texts cost on this machine.

    start: core-seconds for tables, dictionaries, programs and models, with the first 64 texts. making: core-seconds a
    text after that. asked: texts that the teacher scores for each text, its final answer included.
    answered: whether that answer comes with the text, so that nobody has to ask for it again.
    """

    start: float
    making: float
    asked: float
    answered: bool = False

    def text(self, answer: float) -> float:
        """Seconds of one text with its answer, where an answer alone takes `answer` seconds."""
        return self.making + (0.0 if self.answered else answer)

    def texts(self, seconds: float, answer: float) -> int:
        """How many texts with their answers are to be had for `seconds`."""
        return int(seconds / max(self.text(answer), 1e-9) + 1e-9)


def core_seconds() -> float:
    """Processor seconds that this process and its children (those that ended, too) have used so far."""
    own = psutil.Process()
    ended = own.cpu_times()
    seconds = time.process_time() + ended.children_user + ended.children_system
    for child in own.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            used = child.cpu_times()
            seconds += used.user + used.system + used.children_user + used.children_system
    return float(seconds)


def price_of(shift: Shift, degree: float, bank: Bank, asked: list[int]) -> Price:
    """The price of a shift's texts, measured on the pool's first texts with an empty cache.

    asked: one number, which the models in `bank.models` raise by every text that they score.
    """
    split, length = bank.pool.pool.split, bank.plan.task.max_length
    texts = min(len(split), WARM + PRICED)
    batches = [
        encode_batch(
            bank.tokenizer,
            split.text_a[start : start + BATCH],
            None if split.text_b is None else split.text_b[start : start + BATCH],
            length,
        )
        for start in range(0, texts, BATCH)
    ]
    with tempfile.TemporaryDirectory() as folder:
        began = core_seconds()
        augmenter = make_augmenter(
            shift.augment(),
            tokenizer=bank.tokenizer,
            embeddings=bank.embeddings,
            cache=Path(folder),
            tables=Path(folder),
            max_length=length,
            **bank.models,
        )
        seconds, calls, answered = [], [], False
        for step, batch in enumerate(batches):
            before = asked[0]
            found = augmenter(batch, degree, step_generator(bank.plan.seed, step, Draws.AUGMENTATION))
            answered = found.logits_BC is not None
            seconds.append(core_seconds() - began)
            calls.append(asked[0] - before)
    counted = sum(len(batch) for batch in batches[1:]) or len(batches[0])
    making = seconds[-1] - seconds[0] if len(batches) > 1 else seconds[0]
    called = sum(calls[1:] or calls) / counted
    return Price(start=seconds[0], making=making / counted, asked=called + (not answered), answered=answered)


def answer_seconds(teacher: Answering, corpus: Corpus, texts: int = 256) -> float:
    """Seconds a text of the teacher's forward pass on this machine, in batches of similar length."""
    batches = corpus.by_length(np.arange(min(texts, len(corpus))), BATCH)
    teacher.answer(corpus.batch(batches[0]))
    began = core_seconds()
    for index_B in batches:
        teacher.answer(corpus.batch(index_B))
    return (core_seconds() - began) / sum(len(index_B) for index_B in batches)
