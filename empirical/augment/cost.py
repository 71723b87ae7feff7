"""Time per augmented example of an augmenter on this machine (the paper's Table 1): `kdshift empirical cost`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from empirical.augment.protocol import Augmenter
from empirical.paper import CHATGPT_SECONDS_A_TEXT, TABLE_1_COPIES, TABLE_1_MINUTES, TABLE_1_ORIGINALS
from empirical.randomness import Draws, step_generator
from empirical.tokens.codec import encode_batch

BATCH = 64


def measure_cost(
    build: Callable[[Path], Augmenter],
    tokenizer: Any,
    text_a: Sequence[str],
    text_b: Sequence[str] | None,
    degree: float,
    *,
    seed: int,
    max_length: int,
) -> dict[str, float]:
    """Wall and processor time of an augmenter on token batches of 64 texts.

    build: makes the augmenter with an empty cache folder, so that no earlier work is counted as speed.
    Returns start_seconds (tables and dictionaries), first_ms (milliseconds a text in the first round, which fills what
    is kept in memory), steady_ms (in a second round with other random numbers; for offline augmenters, which would
    only read their store again, the first round's), core_ms (processor time of this process a text in that same round:
    beyond steady_ms where several threads work, below it where programs of their own do), tokens_per_second (steady),
    realised_degree, and endpoint_tokens: what a writer's endpoint counted, a text, both ways.
    """
    starts = range(0, len(text_a), BATCH)
    batches = [
        encode_batch(tokenizer, text_a[s : s + BATCH], None if text_b is None else text_b[s : s + BATCH], max_length)
        for s in starts
    ]
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        augmenter = build(Path(folder))
        seconds = [time.perf_counter() - begin]
        for turn in range(2 if augmenter.online else 1):
            begin, core = time.perf_counter(), time.process_time()
            results = [
                augmenter(batch, degree, step_generator(seed, turn * len(batches) + step, Draws.AUGMENTATION))
                for step, batch in enumerate(batches)
            ]
            seconds.append(time.perf_counter() - begin)
            core = time.process_time() - core
    changed = sum(int(result.changed_B.sum()) for result in results)
    return {
        "start_seconds": seconds[0],
        "first_ms": 1e3 * seconds[1] / len(text_a),
        "steady_ms": 1e3 * seconds[-1] / len(text_a),
        "core_ms": 1e3 * core / len(text_a),
        "tokens_per_second": sum(int(batch.mask_BL.sum()) for batch in batches) / seconds[-1],
        "realised_degree": changed / max(1, sum(int(result.eligible_B.sum()) for result in results)),
        "endpoint_tokens": getattr(augmenter, "spent_tokens", 0) / len(text_a),
    }


def table_1(milliseconds: Mapping[str, float]) -> list[dict[str, Any]]:
    """The rows of the paper's Table 1: augmenter, amount, the minutes it prints and those of this machine.

    milliseconds: measured time a text by augmenter; rows of other augmenters have no minutes of ours. Online is priced
    as the paper prices it: 820.5 copies at the offline speed. Ground truth stands for ChatGPT, whose time the authors
    estimate from the speed of its interface: so it is here.
    """
    rows = []
    for (augmenter, amount), printed in TABLE_1_MINUTES.items():
        seconds = milliseconds[augmenter] / 1e3 if augmenter in milliseconds else None
        if augmenter == "ground-truth":
            seconds = CHATGPT_SECONDS_A_TEXT
        minutes = None if seconds is None else seconds * TABLE_1_ORIGINALS * TABLE_1_COPIES[amount] / 60
        rows.append({"augmenter": augmenter, "amount": amount, "paper_minutes": printed, "minutes": minutes})
    return rows
