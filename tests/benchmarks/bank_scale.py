"""What a bank weighs at scale: bytes a text on disk, memory as texts double, texts a second beside the forward pass.

    python tests/benchmarks/bank_scale.py [TEXTS]

Tweets, each several times over with a number before it, so that every content is new; a fresh one-layer teacher of the
embedded MiniLM's vocabulary, whose answers cost next to nothing.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from transformers import BertConfig, BertForSequenceClassification

from empirical.bank.making import Bank, make_bank, size_of
from empirical.bank.plan import BankPlan, Shift
from empirical.config import ModelConfig, TaskConfig
from empirical.models.classifier import load_tokenizer
from empirical.tasks.load import Task
from empirical.tasks.spec import Split
from empirical.tasks.tweets import read_tweets
from empirical.teachers.answering import NetworkAnswers
from empirical.teachers.fine_tuned import Teacher

COPIES = 2


def texts(count: int) -> Task:
    """So many training texts, no two of them equal."""
    tweets = read_tweets()
    source = tweets.train.text_a
    many = [f"{place // len(source)} {source[place % len(source)]}" for place in range(count)]
    few = tweets.train.take(range(10))
    train = Split(text_a=many, text_b=None, labels=np.zeros(count, dtype=np.int64))
    return Task(name="many", labels=tweets.labels, metric="accuracy", train=train, validation=few, test=few)


def megabytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def made(count: int, root: Path) -> tuple[int, float]:
    """Make and answer a bank of that many texts; its bytes and the processor seconds."""
    task, tokenizer = texts(count), load_tokenizer(ModelConfig())
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16,
        num_labels=len(task.labels), pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    teacher = NetworkAnswers(
        Teacher(BertForSequenceClassification(config), tokenizer, task.labels), "fresh", task.labels
    )
    plan = BankPlan(
        task=TaskConfig(name="tweets", max_length=64), pool=count, copies=COPIES,
        shifts=(Shift(augmenter="random", degrees=(0.3,)),),
    )  # fmt: skip
    bank = Bank(plan=plan, task=task, tokenizer=tokenizer, embeddings=None, root=root)
    began = time.process_time()
    assert make_bank(bank, teacher)
    return size_of(root), time.process_time() - began


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    for texts_made in (count // 4, count // 2, count):
        with tempfile.TemporaryDirectory() as folder:
            size, seconds = made(texts_made, Path(folder))
        answered = texts_made * (1 + COPIES)
        print(
            f"{texts_made:,} texts and {COPIES} copies of each: {size / answered:.0f} bytes an answered text on disk, "
            f"at most {megabytes():,.0f} MB of memory, {1e3 * seconds / answered:.2f} ms of one core an answered text",
            flush=True,
        )


if __name__ == "__main__":
    main()
