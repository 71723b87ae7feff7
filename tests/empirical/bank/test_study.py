"""Studies are read with errors that name the field; the presets that come along are whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from empirical.bank.study import load_study, presets
from theory.errors import InputError


def test_every_preset_loads_and_the_largest_is_what_its_comment_says() -> None:
    assert {"curves-quick", "curves-demo", "curves-tweets", "curves-full"} <= set(presets())
    for name in presets():
        study = load_study(name)
        assert study.title and study.sizes == tuple(sorted(study.sizes, key=lambda size: size.data_size))
    assert load_study("curves-full").bank().answers == 9000 * 4 * 36
    assert load_study("curves-demo").bank().answers == 880 * 2 * 8
    tweets = load_study("curves-tweets")
    assert {tweets.bank_of(size).copies for size in tweets.sizes} == {2}
    assert [(plan.pool, plan.copies, len(plan.shifts)) for plan in tweets.banks()] == [
        (1760, 2, 4), (1760, 4, 1), (3520, 2, 4), (7040, 2, 4),
    ]  # fmt: skip


def test_mistakes_name_the_field(tmp_path: Path) -> None:
    good = '[[shifts]]\naugmenter = "knn"\ndegrees = [0.3]\n[[sizes]]\ndata_size = 10\n'
    for change, field in (
        (good.replace("0.3", "30"), "degrees"),
        (good.replace("knn", "ground-truth"), "augmenter"),
        (good.replace("data_size = 10", "data_size = 10000"), "data_size"),
        (good + "nothing = 1\n", "nothing"),
        (good + "splits = 4\n", "splits"),
        (good.replace("[[sizes]]", "pool = 500\n[[sizes]]").replace("= 10", "= 440\nsplits = 4"), "one half only"),
        (good + "[[amounts]]\ndata_size = 11\ncopies = [1]\n", "data_size"),
        (good + "[[amounts]]\ndata_size = 10\ncopies = [4]\n", "copies"),
        (good + '[[amounts]]\ndata_size = 10\ncopies = [1]\naugmenters = ["eda"]\n', "augmenters"),
    ):
        (tmp_path / "study.toml").write_text(change)
        with pytest.raises(InputError, match=field):
            load_study(str(tmp_path / "study.toml"))
    with pytest.raises(InputError, match="curves-demo"):
        load_study("curves-dem")
    (tmp_path / "study.toml").write_text('teacher_train = "none"\n' + good)
    assert load_study(str(tmp_path / "study.toml")).teacher_train is None
