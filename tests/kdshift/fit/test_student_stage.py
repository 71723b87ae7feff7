"""Which kinds are tried is a matter of time and wishes, decided once; each part chooses on its own validation texts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kdshift.fit.stages import Clock, Stages
from kdshift.fit.student_stage import LEAST_SECONDS, StudentStage, wished_kinds
from theory.errors import InputError


class Makers:
    """Stand-in for StudentMaker: the kind's name is the student, its value what it is told."""

    def __init__(self, values: dict[str, float], small: tuple[str, ...] = ("static", "encoder", "bilstm")) -> None:
        self.values, self.small = values, small
        self.held: list[list[int]] = []

    def fits(self, kind: str) -> bool:
        return kind in self.small

    def train(self, kind: str, material: Any, held_N: Any, *_: Any) -> tuple[str, Any]:
        self.held.append(held_N.tolist())
        return kind, SimpleNamespace(steps=1, seconds=0.0)

    def value(self, model: str, held_N: Any, answer_NC: Any) -> float:
        return self.values[model]


def stage(folder: Path, makers: Makers, minutes: float = 60.0, student: str = "auto") -> StudentStage:
    fit: Any = SimpleNamespace(
        students=makers, stages=Stages(folder), clock=Clock(minutes=minutes), progress=None,
        options=SimpleNamespace(student=student, megabytes=1.0, milliseconds=None), parts=lambda: iter(range(5)),
    )  # fmt: skip
    return StudentStage(fit=fit, shifting=None, degrees=[0.0] * 5)  # type: ignore[arg-type]


def test_the_best_on_the_parts_own_validation_texts_is_taken(tmp_path: Path) -> None:
    makers = Makers({"static": 0.9, "encoder": 0.5, "bilstm": 0.7})
    held_N = np.array([4, 5])
    model, choice = stage(tmp_path, makers)._chosen(None, held_N, np.zeros((9, 2)), 0, 5)  # type: ignore[arg-type]
    assert str(model) == choice["kind"] == "encoder" and set(choice["tried"]) == {"static", "encoder", "bilstm"}
    assert makers.held == [[4, 5]] * 3


def test_without_time_only_the_fastest_is_tried_and_that_stays_so(tmp_path: Path) -> None:
    makers = Makers(dict.fromkeys(("static", "encoder", "bilstm"), 0.5))
    short = 5 * 2 * LEAST_SECONDS / 60 / 0.95
    assert stage(tmp_path / "two", makers, minutes=1.01 * short)._kinds == ["static", "encoder"]
    assert stage(tmp_path / "one", makers, minutes=1.0)._kinds == ["static"]
    assert stage(tmp_path / "one", makers, minutes=600.0)._kinds == ["static"], "a fit that goes on tries no others"


def test_wishes_come_first(tmp_path: Path) -> None:
    makers = Makers({"bilstm": 0.5}, small=("bilstm",))
    assert stage(tmp_path / "a", makers, minutes=1.0)._kinds == ["bilstm"]
    slower = stage(tmp_path / "c", makers)
    assert wished_kinds(slower.fit) == ["bilstm"]
    makers.small = ()
    assert slower._kinds == ["bilstm"], "measured once, before anything is trained"
    makers.small = ("bilstm",)
    with pytest.raises(InputError, match="--max-megabytes"):
        assert stage(tmp_path / "b", makers, student="static")._kinds
