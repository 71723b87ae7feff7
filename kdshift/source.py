"""One source of evidence, theory, simulation, text or the paper: its curves by setting, and which of them compare.

Serves `kdshift compare`, whose claims pick settings and pairs of settings from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from theory.inference.curve import ShiftErrorCurve


@dataclass(frozen=True, kw_only=True)
class CurveGroup:
    """What a set of curves shares besides the data size.

    supervision: "teacher" (distillation) or "copied_label" (fine-tuning, y' = y).
    variant: the augmenter, or the kernel of a simulation. amount: "online", "4x", "8x", ... task: of texts, with its
    student; the truth of a simulation. teacher: of texts; none of copied labels.
    """

    supervision: str = "teacher"
    variant: str = "knn"
    amount: str = "online"
    task: str = ""
    teacher: str = ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """All curves of one source by setting, and the command that made them. variant: its usual augmenter or kernel."""

    name: str
    command: str
    curves: Mapping[CurveGroup, Sequence[ShiftErrorCurve]] = field(default_factory=dict)
    variant: str = "knn"

    def __call__(
        self, supervision: str = "teacher", variant: str | None = None, amount: str = "online"
    ) -> list[ShiftErrorCurve]:
        """The curves of one setting over all its tasks, by data size; empty where there are none."""
        return [curve for group in self.by_task(supervision, variant, amount) for curve in group]

    def by_task(
        self, supervision: str = "teacher", variant: str | None = None, amount: str = "online"
    ) -> list[list[ShiftErrorCurve]]:
        """The curves of one setting, a list a task (or truth), each by data size."""
        wanted = (supervision, variant or self.variant, amount)
        return [
            sorted(found, key=lambda curve: curve.data_size)
            for key, found in self.curves.items()
            if (key.supervision, key.variant, key.amount) == wanted
        ]

    def pairs(self, first: CurveGroup, second: CurveGroup) -> list[tuple[ShiftErrorCurve, ShiftErrorCurve]]:
        """Curves of two settings at the same task and data size (the settings' own tasks do not matter)."""
        return [
            (a, b)
            for key in self.curves
            if replace(key, task="", teacher="") == replace(first, task="", teacher="")
            for a in self.curves[key]
            for other in dict.fromkeys((key.teacher, ""))
            for b in self.curves.get(replace(second, task=key.task, teacher=other), ())
            if np.isclose(a.data_size, b.data_size)
        ]

    def parts(self) -> dict[str, Source]:
        """One source for each task (and teacher): settings that a verdict must not average."""
        taught = dict.fromkeys((key.task, key.teacher) for key in self.curves if key.supervision == "teacher")
        groups = taught or dict.fromkeys((key.task, key.teacher) for key in self.curves)
        several = len({teacher for _, teacher in groups}) > 1
        return {
            f"{task} of {teacher}" if several else task: replace(
                self,
                curves={
                    key: found
                    for key, found in self.curves.items()
                    if key.task == task and key.teacher in (teacher, "")
                },
            )
            for task, teacher in groups
        }
