"""Tokens that no augmenter may change though they read as ordinary text: masks such as "@GENE$" (section 6).

A tokenizer parts a mask into ordinary pieces ("@", "gene", "$"). The paper does not say whether its kNN changed them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from empirical.tokens.batch import Batch


def protected_batch(batch: Batch, encodings: Sequence[Any], pattern: re.Pattern[str]) -> Batch:
    """`batch` with every token that touches a match of `pattern` in its text no longer eligible.

    encodings: those of `tokenizers` that the batch was made of, with their offsets. The batch keeps its texts.
    """
    assert batch.text_a is not None, "offsets point into texts"
    eligible_BL = batch.eligible_BL.copy()
    texts = [batch.text_a] if batch.text_b is None else [batch.text_a, batch.text_b]
    for row, encoding in enumerate(encodings):
        spans = [[match.span() for match in pattern.finditer(column[row])] for column in texts]
        if not any(spans):
            continue
        for place, (sequence, (start, end)) in enumerate(zip(encoding.sequence_ids, encoding.offsets, strict=True)):
            if sequence is not None and any(start < stop and first < end for first, stop in spans[sequence]):
                eligible_BL[row, place] = False
    return replace(batch, eligible_BL=eligible_BL)
