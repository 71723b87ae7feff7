"""Which tokens change: the degree contract of design.md, exact counts drawn without replacement in one vectorised pass.

Shapes: B texts, L tokens.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

POSITION_BITS = 20


def exact_counts(eligible_B: NDArray[np.integer], degree: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """How many of each text's eligible tokens change: floor(degree * L) or one more, degree * L on average.

    eligible_B: int array of shape (B,), eligible tokens of each text.
    degree: share in [0, 1].
    Returns an int64 array of shape (B,).
    """
    assert 0 <= degree <= 1, degree
    # 0.29 * 100 is 28.999999999999996: the product is meant, not its last bit.
    target_B = np.round(degree * eligible_B, 9)
    count_B = np.floor(target_B)
    return (count_B + (rng.random(len(target_B)) < target_B - count_B)).astype(np.int64)


def draw_without_replacement(
    eligible_BL: NDArray[np.bool_], count_B: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Mark `count_B` of each text's eligible tokens, every subset of that size equally likely.

    eligible_BL: bool array of shape (B, L); count_B: int array of shape (B,), at most the eligible tokens of the row.
    Returns a bool array of shape (B, L).
    """
    rows, length = eligible_BL.shape
    if not length:
        return np.zeros_like(eligible_BL)
    assert length < 2**POSITION_BITS, length
    # One random key a token; the smallest keys win. The position in the lowest bits rules ties out.
    key_BL = rng.integers(0, 2**63, size=(rows, length), dtype=np.uint64)
    key_BL &= np.uint64(~((1 << POSITION_BITS) - 1) & (2**63 - 1))
    key_BL |= np.arange(length, dtype=np.uint64)
    key_BL[~eligible_BL] = np.uint64(2**64 - 1)
    last_B = np.maximum(count_B - 1, 0)
    threshold_B = np.sort(key_BL, axis=1)[np.arange(rows), last_B]
    return (key_BL <= threshold_B[:, None]) & (count_B > 0)[:, None] & eligible_BL


def select_tokens(eligible_BL: NDArray[np.bool_], degree: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """The tokens that change at this degree: `exact_counts` of each row, drawn without replacement.

    eligible_BL: bool array of shape (B, L). Returns a bool array of the same shape.
    """
    return draw_without_replacement(eligible_BL, exact_counts(eligible_BL.sum(axis=1), degree, rng), rng)
