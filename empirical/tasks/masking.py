"""Entity masking: the names of the two related entities are replaced by their kinds (section 6: "@GENE$")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from theory.errors import InputError

MASK = re.compile(r"@[A-Za-z][A-Za-z0-9-]*\$")


@dataclass(frozen=True, kw_only=True)
class Entity:
    """pieces: (start, end) character offsets, end exclusive, more than one when the name is discontinuous."""

    pieces: tuple[tuple[int, int], ...]
    mask: str


def mask_entities(where: str, text: str, entities: Sequence[Entity]) -> str:
    """`text` with each entity's first piece replaced by its mask and its other pieces removed.

    Entities that overlap share one mask ("@CHEMICAL-GENE$"). Raises InputError, naming `where`, for offsets outside.
    """
    pieces: list[tuple[int, int, str]] = []
    for entity in entities:
        for number, (start, end) in enumerate(sorted(entity.pieces)):
            if not 0 <= start < end <= len(text):
                raise InputError(where, f"entity at {start}-{end}", f"offsets inside the {len(text)} characters")
            pieces.append((start, end, entity.mask if number == 0 else ""))
    merged: list[tuple[int, int, str]] = []
    for start, end, mask in sorted(pieces, key=lambda piece: (piece[0], -piece[1])):
        if merged and start < merged[-1][1]:
            before = merged.pop()
            start, end, mask = before[0], max(before[1], end), _joined(before[2], mask)
        merged.append((start, end, mask))
    for start, end, mask in reversed(merged):
        text = text[:start] + mask + text[end:]
    return text


def _joined(first: str, second: str) -> str:
    if not first or not second:
        return first or second
    return first.rstrip("$") + "-" + second.lstrip("@")
