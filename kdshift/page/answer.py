"""What was found, in sentences computed from a curves table: the gain of the best degree at the ends of the sizes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from empirical.bank.exchange import ExchangeRate
from kdshift.page.frames import TextCurve
from theory.inference.contrast import Gain, gain_over_none, gains_over_none
from theory.inference.curve import ShiftErrorCurve

PLAIN = {"knn": "kNN replacement", "random": "random replacement", "eda": "EDA", "synonym": "synonym replacement"}


@dataclass(frozen=True, kw_only=True)
class Found:
    """One augmenter's gain at one data size: in distance to the teacher, relative to none, and in accuracy.

    accuracy: what the degree that is best in distance gains in accuracy, its interval simultaneous over the degrees.
    """

    augmenter: str
    data_size: int
    distance: Gain
    none: float
    accuracy: Gain | None

    @property
    def share(self) -> float:
        """The part of the distance to the teacher that the best degree removes."""
        return self.distance.gain / self.none


def findings(distance: Sequence[TextCurve], accuracy: Sequence[TextCurve]) -> list[Found]:
    """The gains of all curves; `accuracy` holds the same curves in accuracy where it was measured."""
    right = {(text.augmenter, text.data_size): text.curve for text in accuracy}
    found = []
    for text in distance:
        gain, curve = gain_over_none(text.curve), right.get((text.augmenter, text.data_size))
        found.append(
            Found(
                augmenter=text.augmenter,
                data_size=text.data_size,
                distance=gain,
                none=float(text.curve.error[0]),
                accuracy=None if curve is None else _gain_at(curve, gain.shift),
            )
        )
    return found


def _gain_at(curve: ShiftErrorCurve, shift: float) -> Gain:
    """What one shift saves, with its simultaneous interval: it was not chosen on this curve alone."""
    gains, at = gains_over_none(curve), int(np.argmin(np.abs(curve.shift[1:] - shift)))
    return Gain(
        shift=float(curve.shift[1 + at]), gain=float(gains.effect[at]), low=float(gains.low[at]),
        high=float(gains.high[at]), p=float(gains.p[at]), units=gains.units, se=float(gains.se[at]),
        looks=len(gains.effect),
    )  # fmt: skip


def sentences(found: Sequence[Found], augmenter: str = "knn") -> list[str]:
    """Two or three sentences: does shifting help where data are scarce, where they are not, and who peaks where."""
    mine = sorted((item for item in found if item.augmenter == augmenter), key=lambda item: item.data_size)
    if not mine:
        return ["No curve over degrees was measured in text yet: kdshift empirical curves curves-demo makes one."]
    first, last = mine[0], mine[-1]
    lines = [f"With {first.data_size:,} texts, {_effect(first)}."]
    if last is not first:
        lines.append(f"With {last.data_size:,} texts, {_effect(last)}{_trend(first, last)}.")
    others = [item for item in found if item.augmenter != augmenter and item.data_size == first.data_size]
    if others:
        peaks = ", ".join(f"{_name(item)} at {item.distance.shift:.0%}" for item in others)
        own = f"{_name(first)} is best at {first.distance.shift:.0%}"
        lines.append(f"At {first.data_size:,} texts {own}, {peaks} (the lowest mean distance of the degrees tried).")
    return lines


def worth(rates: Mapping[tuple[str, str, int], ExchangeRate], student: str, augmenter: str = "knn") -> list[str]:
    """What augmentation is worth in real texts at the smallest data size, a sentence; none where it is not known."""
    mine = {n: rate for (who, name, n), rate in rates.items() if (who, name) == (student, augmenter) and rate.known}
    if not mine:
        return []
    size = min(mine)
    name = PLAIN.get(augmenter, augmenter)
    return [
        f"The augmented copies of {size:,} texts, by {name} at its best degree, are worth {mine[size].times(size)} "
        "further real texts with the teacher's answers."
    ]


def _name(item: Found) -> str:
    return PLAIN.get(item.augmenter, item.augmenter)


def _effect(item: Found) -> str:
    gain = item.distance
    if math.isnan(gain.low):
        return f"one replicate of {_name(item)} tells of no degree whether it helps (best gain {gain.gain:.4f})"
    if not gain.low > 0:
        interval = f"{gain.gain:.4f} [{gain.low:.4f}, {gain.high:.4f}]"
        if gain.high < 0:
            return f"every degree of {_name(item)} takes a student further from its teacher (the least bad: {interval})"
        return f"no degree of {_name(item)} is distinguishable from none (best gain in distance {interval})"
    interval = f"{item.share:.0%} [{gain.low / item.none:.0%}, {gain.high / item.none:.0%}]"
    closer = (
        f"changing {gain.shift:.0%} of the words by {_name(item)} brings a student {interval} closer to its teacher"
    )
    if item.accuracy is None:
        return closer
    right = item.accuracy
    points = f"{100 * right.gain:+.1f} points"
    ends = f"[{100 * right.low:.1f}, {100 * right.high:.1f}]"
    if right.high < 0:
        return f"{closer}, and costs accuracy ({points} {ends})"
    if not right.low > 0:
        return f"{closer}; accuracy does not tell it from none ({points} {ends})"
    return f"{closer} and {points} of accuracy {ends}"


def _trend(first: Found, last: Found) -> str:
    """Whether a shift is worth more at the first data size than at the last, in distance and as a share of it."""
    more = first.distance.low > last.distance.high
    if more and first.distance.low / first.none > last.distance.high / last.none:
        return f": a shift is worth more with {first.data_size:,} texts"
    return ""
