"""A fit that was stopped goes on where it stopped, and no finished teacher is trained again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.kdshift.fit.commands import quick_fit, status_of


def test_a_stopped_fit_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kdshift.fit.own_teachers import OwnTeachers

    trained: list[int] = []
    plain = OwnTeachers.train

    def interrupted(self: OwnTeachers, number: int, seconds: float) -> dict[str, Any]:
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(number)
        return plain(self, number, seconds)

    monkeypatch.setattr(OwnTeachers, "train", interrupted)
    assert status_of(*quick_fit(tmp_path)) == 130
    assert not (tmp_path / "out" / "fit.json").exists() and trained == [0, 1]
    assert status_of("predict", str(tmp_path / "out"), str(tmp_path / "texts.csv")) == 2
    trained.clear()
    assert status_of(*quick_fit(tmp_path)) == 130
    assert trained == [2, 3], "teachers whose answers are kept are not trained again"
