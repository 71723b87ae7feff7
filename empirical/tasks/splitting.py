"""Splits that hold no text of the rest: examples of one text (up to case and spacing) stay on one side.

Serves every split that is cut here: the test split of a lone file, and the validation split of any task.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from empirical.tasks.spec import Split


def text_keys(split: Split) -> list[str]:
    """What makes two examples the same text: its words in lower case, of a pair those of both texts."""
    second = split.text_b or [""] * len(split)
    return [
        " ".join(text_a.casefold().split()) + "\t" + " ".join(text_b.casefold().split())
        for text_a, text_b in zip(split.text_a, second, strict=True)
    ]


def repeats(split: Split) -> int:
    """How many examples repeat the text of an earlier one."""
    return len(split) - len(set(text_keys(split)))


def cut_by_text(split: Split, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(held, rest): positions of at most `size` examples and of all others, sorted int64 arrays, no text in both.

    Distinct texts are shuffled and held with all their repeats while they fit; without repeats exactly `size` examples
    are held, the first of a permutation of all. The rest keeps at least one text.
    """
    group: dict[str, list[int]] = {}
    for position, key in enumerate(text_keys(split)):
        group.setdefault(key, []).append(position)
    members = list(group.values())
    held: list[int] = []
    for number in rng.permutation(len(members))[: max(0, len(members) - 1)]:
        if len(held) + len(members[number]) <= size:
            held += members[number]
        if len(held) == size:
            break
    in_held = np.zeros(len(split), dtype=bool)
    in_held[held] = True
    return np.flatnonzero(in_held), np.flatnonzero(~in_held)
