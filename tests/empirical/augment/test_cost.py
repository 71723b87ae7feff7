"""Table 1 beside this machine: the paper's own speeds give back the minutes it prints."""

from __future__ import annotations

import pytest

from empirical.augment.cost import table_1


def test_the_papers_speeds_give_its_minutes():
    """4x of kNN in half a minute is 1.9 ms a text, 56 minutes of translation 214 ms."""
    rows = table_1({"knn": 1e3 * 60 * 0.5 / (4 * 3927), "back-translation": 1e3 * 60 * 56 / (4 * 3927)})
    for row in rows:
        assert row["minutes"] == pytest.approx(row["paper_minutes"], rel=0.02), row


def test_an_augmenter_that_was_not_timed_has_no_minutes_of_ours():
    assert {row["augmenter"]: row["minutes"] for row in table_1({})}["knn"] is None
