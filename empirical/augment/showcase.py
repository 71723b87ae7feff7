"""Every augmenter on one sentence, its changed tokens marked: what a reader sees before any table.

Command: `kdshift empirical showcase "the film was surprisingly good" --teacher DIR --out showcase.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from empirical.augment.catalogue import CATALOGUE
from empirical.augment.lines import augment_texts
from empirical.augment.protocol import Augmenter
from empirical.randomness import Draws, step_generator
from theory.errors import InputError

Row = dict[str, Any]


def showcase(
    text: str,
    others: Sequence[str],
    builders: Mapping[str, Callable[[], Augmenter]],
    tokenizer: Any,
    degree: float,
    *,
    seed: int = 0,
    max_length: int = 512,
) -> list[Row]:
    """One row an augmenter: its name, parts of the new text as [characters, changed], eligible and changed counts.

    others: further texts of the batch, which augmenters that mix texts draw their partner from.
    builders: functions that make the augmenters, by name; one that cannot be made here has a row with `missing`, the
    line that says what it needs. Virtual texts have a row with `missing` too.
    """
    rows: list[Row] = []
    for name, build in builders.items():
        if not CATALOGUE[name].text:
            rows.append({"augmenter": name, "missing": CATALOGUE[name].does})
            continue
        try:
            rng = step_generator(seed, 0, Draws.AUGMENTATION)
            found = augment_texts(build(), tokenizer, [text, *others], None, degree, rng, max_length=max_length)
        except InputError as error:
            rows.append({"augmenter": name, "missing": str(error)})
            continue
        first = next((line for line in found if line.row in (0, -1)), None)
        if first is None:
            rows.append({"augmenter": name, "missing": "dropped by the selection"})
            continue
        parts = [[characters, changed] for characters, changed in first.parts[0] if characters]
        rows.append({"augmenter": name, "parts": parts, "eligible": first.eligible, "changed": first.changed})
    return rows


def as_html(text: str, rows: Sequence[Row]) -> str:
    """The rows as an HTML table: changed characters bold and underlined, so that no colour is needed to see them."""
    lines = [f"<tr><td>original</td><td>{escape(text)}</td></tr>"]
    for row in rows:
        shown = f"<i>{escape(row['missing'])}</i>" if "missing" in row else _marked(row["parts"])
        lines.append(f"<tr><td>{escape(row['augmenter'])}</td><td>{shown}</td></tr>")
    return f"<table>{''.join(lines)}</table>"


def _marked(parts: Sequence[tuple[str, bool]]) -> str:
    return "".join(f"<b><u>{escape(part)}</u></b>" if changed else escape(part) for part, changed in parts)
