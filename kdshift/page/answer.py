"""What was found, in sentences computed from a curves table: the gain of the best degree at the ends of the sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kdshift.page.frames import TextCurve
from theory.inference.contrast import Gain, gain_over_none

PLAIN = {"knn": "kNN replacement", "random": "random replacement", "eda": "EDA", "synonym": "synonym replacement"}


@dataclass(frozen=True, kw_only=True)
class Found:
    """One augmenter's gain at one data size: in distance to the teacher, relative to none, and in accuracy."""

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
    right = {(text.augmenter, text.data_size): gain_over_none(text.curve) for text in accuracy}
    return [
        Found(
            augmenter=text.augmenter,
            data_size=text.data_size,
            distance=gain_over_none(text.curve),
            none=float(text.curve.error[0]),
            accuracy=right.get((text.augmenter, text.data_size)),
        )
        for text in distance
    ]


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


def _name(item: Found) -> str:
    return PLAIN.get(item.augmenter, item.augmenter)


def _effect(item: Found) -> str:
    gain = item.distance
    if not gain.low > 0:
        interval = f"{gain.gain:.4f} [{gain.low:.4f}, {gain.high:.4f}]"
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
    if not right.low > 0:
        return f"{closer}; accuracy does not tell it from none ({points} {ends})"
    return f"{closer} and {points} of accuracy {ends}"


def _trend(first: Found, last: Found) -> str:
    if first.distance.low > last.distance.high:
        return ": the smaller the data, the more the shift is worth"
    return ""
