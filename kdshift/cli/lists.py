"""The one grammar for lists on the command line: `2,5,10`; numbers also as a geometric range, `first:last:count`.

    kdshift theory bounds --dimension 2,5 --data-size 1e2:1e6:9
    kdshift empirical distill --layers 0,3

An option's type says what its list holds: `Words`, `Numbers`, `WholeNumbers`, or `Layers` (also `none`). An option that
is given several times holds all the values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

from cyclopts import Parameter, Token

from theory.errors import InputError

NUMBERS = "a number, a list 2,5,10, or a geometric range first:last:count"
WHOLE_NUMBERS = "a whole number, a list 2,5,10, or a geometric range first:last:count"
LAYERS = "whole numbers with commas between them, or none"


def words(text: str) -> list[str]:
    """The words between the commas of `text`, without the spaces around them."""
    return [word.strip() for word in text.split(",")]


def named_value(item: str, argument: str, allowed: str) -> tuple[str, str]:
    """The two sides of `name=value`. Raises InputError, saying what is allowed, where there is no name or no `=`."""
    name, equals, value = item.partition("=")
    if not equals or not name:
        raise InputError(argument, item, allowed)
    return name, value


def numbers(name: str, text: str) -> list[float]:
    """The numbers that `text` lists; those of a range are increasing.

    Raises:
        InputError: not numbers, or a range without 0 < first < last and two values at least.
    """
    ends = text.split(":")
    try:
        if len(ends) == 1:
            return [float(word) for word in words(text)]
        first, last, count = float(ends[0]), float(ends[1]), int(ends[2])
    except (ValueError, IndexError):
        raise InputError(name, text, NUMBERS) from None
    if not (len(ends) == 3 and count >= 2 and 0 < first < last and math.isfinite(last)):
        raise InputError(name, text, f"{NUMBERS}, with 0 < first < last and count >= 2")
    import numpy as np  # only here: the start-up stays short

    found: list[float] = np.geomspace(first, last, count).tolist()
    return found


def whole_numbers(name: str, text: str) -> list[int]:
    """The whole numbers that `text` lists; those of a range are rounded, each once.

    Raises:
        InputError: not whole numbers, or a range as `numbers` refuses it.
    """
    found = numbers(name, text)
    if ":" in text:
        return sorted({round(number) for number in found})
    if not all(number.is_integer() for number in found):
        raise InputError(name, text, WHOLE_NUMBERS)
    return [int(number) for number in found]


def layers(name: str, text: str) -> list[int]:
    """The layers that `text` lists, counted from 0; `none` lists none of them.

    Raises:
        InputError: anything else than whole numbers from 0, or `none`.
    """
    if text == "none":
        return []
    if not all(word.isdecimal() for word in words(text)):
        raise InputError(name, text, LAYERS)
    return [int(word) for word in words(text)]


def as_typed(values: Sequence[object] | None) -> str:
    """A default as a user would type it; nothing where it is left to a file."""
    if values is None:
        return ""
    return ",".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values) or "none"


def _list_of(read: Callable[[str, str], Sequence[Any]], metavar: str) -> Parameter:
    def convert(_type: Any, tokens: Sequence[Token]) -> tuple[Any, ...]:
        return tuple(_values(tokens))

    def _values(tokens: Sequence[Token]) -> Iterator[Any]:
        for token in tokens:
            yield from read(token.keyword or "", token.value)

    return Parameter(converter=convert, n_tokens=1, negative="", show_default=as_typed, metavar=metavar)


Words = Annotated[tuple[str, ...], _list_of(lambda _name, text: words(text), "A,B,...")]
Numbers = Annotated[tuple[float, ...], _list_of(numbers, "NUMBERS")]
WholeNumbers = Annotated[tuple[int, ...], _list_of(whole_numbers, "NUMBERS")]
Layers = Annotated[tuple[int, ...], _list_of(layers, "A,B,...|none")]
