"""A contest opened on the tiny task: prices measured once, models for those that need them, parts that go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from empirical.bank.plan import Shift
from empirical.bank.study import Size, Study
from empirical.config import ModelConfig, TaskConfig
from empirical.runs import open_contest as module
from empirical.runs.open_contest import PRICES, open_contest
from theory.errors import InputError


def study(place: Path, *names: str, **changes: object) -> Study:
    shifts = tuple(Shift(augmenter=name, degrees=(0.3, 0.6), neighbours=3, **changes) for name in names)
    teacher = next((place / "results" / "teachers").glob("*/model"))
    return Study(
        task=TaskConfig(name=str(place / "texts.csv"), max_length=32), teacher=ModelConfig(name=str(teacher)),
        teacher_train=None, pool=32, copies=1, shifts=shifts, sizes=(Size(data_size=16),), steps=20,
        students=("static",), finetune=(),
    )  # fmt: skip


def test_prices_are_measured_once_and_more_entrants_go_on_with_them(place, tmp_path, monkeypatch):
    contest, folder = open_contest(study(place, "random", "flip"), "tiny", tmp_path)
    kept = json.loads((folder / PRICES).read_text())
    assert set(kept["prices"]) == {"random", "flip"} and kept["answer"] == contest.answer > 0
    assert kept["prices"]["flip"]["answered"] and kept["prices"]["flip"]["asked"] >= 1
    assert kept["prices"]["random"]["asked"] == 1 and not kept["prices"]["random"]["answered"]
    measured, price_of = [], module.price_of
    monkeypatch.setattr(module, "price_of", lambda shift, *rest: measured.append(shift.name) or price_of(shift, *rest))
    more, same = open_contest(study(place, "random", "knn"), "tiny", tmp_path)
    assert same == folder and measured == ["knn-3-cosine"] and more.answer == contest.answer


def test_a_contest_of_a_search_along_the_teachers_slope(place, tmp_path):
    contest, _ = open_contest(study(place, "flip"), "tiny", tmp_path)
    size = contest.study.sizes[0]
    (entrant,) = contest.chosen(size)
    table = contest.fit(size, "static", entrant)
    assert set(table["replicate"]) == {0, 1} and (table["further_texts"] > 0).all()
    assert (table["calls"] >= table["further_texts"]).all()


def test_one_student_for_all(place, tmp_path):
    two = [study(place, "augpro-fgsm", student=str(tmp_path / name)).shifts[0] for name in ("one", "other")]
    with pytest.raises(InputError, match="one trained student for all shifts"):
        open_contest(study(place, "random").model_copy(update={"shifts": tuple(two)}), "tiny", tmp_path)


def test_the_network_itself_is_needed(place, tmp_path):
    exported = study(place, "random").model_copy(update={"runtime": "onnx"})
    with pytest.raises(InputError, match="runtime: found 'onnx'; allowed: \"torch\""):
        open_contest(exported, "tiny", tmp_path)
    assert not list(tmp_path.iterdir())
