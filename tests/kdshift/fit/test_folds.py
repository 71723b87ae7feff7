"""Folds: honest by construction, whoever is scored."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.tasks.spec import Split
from kdshift.fit.folds import FOLDS, TEST, UNLABELLED, held_back, make_folds, stratified
from kdshift.fit.own_texts import Columns, Dropped, OwnTexts


def own(count: int, test: int = 0, unlabelled: int = 0) -> OwnTexts:
    def split(size: int, label: int | None = None) -> Split:
        labels = np.arange(size) % 3 if label is None else np.full(size, label)
        return Split(text_a=[f"text {i}" for i in range(size)], text_b=None, labels=labels)

    return OwnTexts(
        name="own", labels=("a", "b", "c"), train=split(count), line_N=np.arange(count),
        test=split(test) if test else None, test_line_N=np.arange(test) if test else None,
        unlabelled=split(unlabelled, -1) if unlabelled else None,
        columns=Columns(text="text", text_b=None, label="label"), dropped=Dropped(),
    )  # fmt: skip


def test_every_class_is_dealt_evenly() -> None:
    label_N = np.repeat([0, 1, 2], [50, 30, 5])
    part_N = stratified(label_N, 4, seed=3)
    for label, size in enumerate((50, 30, 5)):
        count = np.bincount(part_N[label_N == label], minlength=4)
        assert count.max() - count.min() <= 1 and count.sum() == size
    assert np.bincount(part_N).max() - np.bincount(part_N).min() <= 1
    assert (part_N == stratified(label_N, 4, seed=3)).all() and (part_N != stratified(label_N, 4, seed=4)).any()


@pytest.mark.parametrize(
    ("count", "test", "cross"), [(600, 0, True), (1497, 0, True), (1500, 0, False), (600, 40, False)]
)
def test_few_texts_are_cross_validated_unless_a_test_file_is_given(count: int, test: int, cross: bool) -> None:
    folds = make_folds(own(count, test, unlabelled=7), 0)
    assert folds.cross_validated == cross
    assert len(folds.fold_N) == count + test + 7 and (folds.fold_N[-7:] == UNLABELLED).all()
    if not cross:
        assert len(folds.rows(TEST)) == (test or 300)


@pytest.mark.parametrize("count", [600, 1600, 5000])
def test_no_teacher_of_a_student_has_seen_the_texts_it_is_scored_on(count: int) -> None:
    folds = make_folds(own(count), 0)
    teachers = folds.teachers(trained_on_labels=True)
    for scored, training, test in folds.parts():
        assert not set(training) & set(test)
        for number in teachers.teachers_of(scored):
            seen = folds.training_rows(teachers.left[number], labelled=True)
            assert not set(seen) & set(test)
            if teachers.cross_fitted:  # nor has it seen a text that it answers for
                asked = np.flatnonzero(teachers.answers_for(number, folds.fold_N))
                assert not set(seen) & set(asked)
        logits = [np.where(teachers.answers_for(number, folds.fold_N)[:, None], 1.0, np.nan).astype(np.float32)
                  for number in range(len(teachers.left))]  # fmt: skip
        assert np.isfinite(teachers.targets(logits, scored)).all() and np.isfinite(teachers.targets(logits, None)).all()


def test_targets_average_those_who_may_answer() -> None:
    folds = make_folds(own(100), 0)
    teachers = folds.teachers(trained_on_labels=True)
    logits = []
    for number, left in enumerate(teachers.left):
        value = float(sum(10**fold for fold in left))
        asked_N = teachers.answers_for(number, folds.fold_N)
        logits.append(np.where(asked_N, value, np.nan).astype(np.float32)[:, None])
    row = int(folds.rows(2)[0])
    assert teachers.targets(logits, 0)[row, 0] == 101  # scored on fold 0, text of fold 2: the teacher without both
    assert teachers.targets(logits, 2)[row, 0] == pytest.approx((101 + 110 + 1100) / 3)
    assert teachers.targets(logits, None)[row, 0] == pytest.approx((101 + 110 + 1100) / 3)


def test_what_is_held_back_is_apart_and_holds_every_class() -> None:
    label_N = np.repeat([0, 1], [80, 20])
    train, back = held_back(np.arange(100), label_N, 0.15, 20, 0)
    assert not set(train) & set(back) and len(train) + len(back) == 100
    assert len(back) == 20 and (label_N[back] == 1).sum() == 4
    assert FOLDS == 4
