"""A task's texts as a bank needs them: the pool in its fixed order, the reserve, validation and test.

Replicates are consecutive slices of the pool, disjoint at one size and nested across sizes, or its halves.
Shapes: N texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.bank.plan import SPLIT_BLOCKS, BankPlan
from empirical.randomness import Draws, step_generator
from empirical.tasks.load import Task
from empirical.tasks.spec import Split
from empirical.tokens.corpus import Corpus, encode_corpus
from theory.errors import InputError

WALSH_ROWS = (4, 2, 1, 6, 5, 3, 7)  # the first cuts the pool in the middle


@dataclass(frozen=True, kw_only=True)
class Texts:
    """A split with its token ids.

    split: the texts and gold labels. corpus: the same texts as one tokenizer reads them.
    """

    split: Split
    corpus: Corpus

    def __len__(self) -> int:
        return len(self.corpus)


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The four sets of original texts of a bank.

    pool: the training texts that are augmented, in the bank's order; a larger pool begins with a smaller one.
    reserve: further training texts, in an order of their own; a larger reserve begins with a smaller one.
    validation: choices are made here. test: outcomes are measured here.
    """

    pool: Texts
    reserve: Texts
    validation: Texts
    test: Texts

    def sets(self) -> dict[str, Texts]:
        """The four sets by name."""
        return {name: getattr(self, name) for name in ("pool", "reserve", "validation", "test")}


def read_pool(plan: BankPlan, task: Task, tokenizer: Any) -> Pool:
    """The plan's texts of a task, tokenised.

    Raises:
        InputError: the training split has fewer texts than pool and reserve together.
    """
    total = len(task.train)
    if plan.skip + plan.pool + plan.reserve > total:
        found = f"{plan.pool} and {plan.reserve}" + (f" after {plan.skip}" if plan.skip else "")
        raise InputError("pool, reserve", found, f"together at most the {total} training texts of {task.name}")
    order = pool_order(plan.seed, total, plan.skip)
    test = task.test
    if plan.test_size is not None and plan.test_size < len(test):
        # Not the first ones: a split may stand in the order of its sources, whose classes differ.
        chosen = step_generator(plan.seed, 1, Draws.BANK_TEXTS).permutation(len(test))[: plan.test_size]
        test = test.take(np.sort(chosen))

    def texts(split: Split) -> Texts:
        return Texts(split=split, corpus=encode_corpus(tokenizer, split.text_a, split.text_b, plan.task.max_length))

    return Pool(
        pool=texts(task.train.take(order[: plan.pool])),
        reserve=texts(task.train.take(order[::-1][: plan.reserve])),
        validation=texts(task.validation),
        test=texts(test),
    )


def pool_order(seed: int, total: int, skip: int = 0) -> NDArray[np.int64]:
    """The order in which a bank takes `total` training texts: places in the training split, (total - skip,)."""
    return step_generator(seed, 0, Draws.BANK_TEXTS).permutation(total)[skip:]


def replicates(pool: int, data_size: int, splits: int | None = None) -> list[NDArray[np.int64]]:
    """The subsets of `data_size` texts of a pool that a study's replicates are: places in the pool, each (n,).

    splits: None: disjoint ones, as many as fit. A number: the halves of the pool cut in two in so many ways, at most
    `plan.MOST_SPLITS`, one half after the other. Any two halves of different cuts share half of their texts, so the
    cuts tell of the variance independently (`theory.inference.half_samples`). The first cut is the disjoint one.
    """
    if splits is None:
        return [np.arange(start, start + data_size) for start in range(0, pool - data_size + 1, data_size)]
    block_P = np.arange(pool) * SPLIT_BLOCKS // pool
    sign_P = [np.array([(row & block).bit_count() % 2 for block in range(SPLIT_BLOCKS)])[block_P] for row in WALSH_ROWS]
    return [np.flatnonzero(sign == half) for sign in sign_P[:splits] for half in (0, 1)]
