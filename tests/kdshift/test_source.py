"""Which curves of a source compare: pairs, tasks, and settings that are never averaged."""

from __future__ import annotations

import numpy as np

from kdshift.curve_sources import text_source
from kdshift.source import CurveGroup, Source
from tests.kdshift import synthetic
from theory.inference.curve import ShiftErrorCurve

AS_CLAIMED = {
    ("distill", "knn", 200): 0.5, ("distill", "knn", 4000): 0.3, ("distill", "random", 200): 0.2,
    ("finetune", "knn", 200): 0.1, ("finetune", "knn", 4000): 0.1,
}  # fmt: skip


def test_pairs_meet_at_their_task_and_size_whatever_the_teacher() -> None:
    source = text_source(synthetic.text_frame(AS_CLAIMED))
    pairs = source.pairs(CurveGroup(), CurveGroup(supervision="copied_label"))
    assert [(a.data_size, b.data_size) for a, b in pairs] == [(200, 200), (4000, 4000)]
    assert list(source.parts()) == ["tweets bilstm"]


def curve(size: float) -> ShiftErrorCurve:
    return ShiftErrorCurve(shift=[0.0, 0.5], error=[0.3, 0.2], error_se=[0.0, 0.0], data_size=size, shift_name="degree")


def test_a_setting_over_tasks_comes_by_size_and_task_by_task() -> None:
    source = Source(
        name="text",
        command="",
        curves={
            CurveGroup(task="a"): [curve(300), curve(100)],
            CurveGroup(task="b"): [curve(200)],
            CurveGroup(task="a", variant="random"): [curve(100)],
            CurveGroup(task="a", amount="4x"): [curve(100)],
        },
    )
    assert [found.data_size for found in source()] == [100, 300, 200]
    assert [[found.data_size for found in group] for group in source.by_task()] == [[100, 300], [200]]
    assert [found.data_size for found in source(variant="random")] == [100]
    assert source("copied_label") == []
    assert [(a.data_size, b.data_size) for a, b in source.pairs(CurveGroup(), CurveGroup(amount="4x"))] == [(100, 100)]


def test_parts_are_tasks_and_teachers_with_the_copied_labels_of_the_task() -> None:
    source = Source(
        name="text",
        command="",
        curves={
            CurveGroup(task="a", teacher="big"): [curve(100)],
            CurveGroup(task="a", teacher="small"): [curve(100)],
            CurveGroup(task="a", supervision="copied_label"): [curve(100)],
        },
    )
    parts = source.parts()
    assert list(parts) == ["a of big", "a of small"]
    for part in parts.values():
        assert len(part()) == 1 and len(part("copied_label")) == 1
    only_copied = Source(name="text", command="", curves={CurveGroup(task="a", supervision="copied_label"): [curve(9)]})
    assert list(only_copied.parts()) == ["a"]
    assert np.isclose(only_copied.parts()["a"]("copied_label")[0].data_size, 9)
