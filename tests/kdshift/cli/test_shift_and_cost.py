"""`kdshift empirical shift | cost` as a user meets them, on a tiny task."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from kdshift.cli.augmenter_options import AugmenterOptions
from kdshift.cli.shift_and_cost import cost, shift
from tests.empirical import tiny_kd
from theory.errors import InputError


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measures")
    tiny_kd.bert(folder / "bert", layers=1, initializer_range=0.5)
    tiny_kd.table(folder / "texts.csv", rows=120)
    return folder


def test_the_shift_grows_with_the_degree_and_virtual_texts_have_one(place, capsys):
    options = AugmenterOptions(model=str(place / "bert"))
    shift(
        augmenter=("random", "mixkd"), degree=(0.1, 0.9), task=str(place / "texts.csv"), texts=60, dimension=4,
        options=options, out=place / "out", json=True,
    )  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    tau = {(row["augmenter"], row["degree"]): row["tau"] for row in found["rows"]}
    assert found["dimension"] == 4 and tau["original", 0.0] == 0
    for name in ("random", "mixkd"):
        assert 0 < tau[name, 0.1] < tau[name, 0.9]
    kept = pd.read_parquet(place / "out" / "shift.parquet")
    assert len(kept) == len(found["rows"]) and (place / "out" / "shift.png").stat().st_size > 0


def test_cost_has_a_row_for_each_and_the_papers_table_beside_it(place, capsys):
    options = AugmenterOptions(model=str(place / "bert"), neighbours=3)
    cost(augmenter=("knn", "mixkd"), task=str(place / "texts.csv"), texts=64, options=options, json=True)
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert output.out.count("\n") == 1
    for row in found["rows"]:
        assert row["steady_ms"] > 0 and row["realised_degree"] == pytest.approx(0.3, abs=0.05)
    minutes = {row["augmenter"]: row["minutes"] for row in found["table_1"]}
    assert minutes["knn"] > 0 and minutes["back-translation"] is None


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        ({"degree": (0.5, 1.5)}, "--degree: found '0.5,1.5'"),
        ({"second_teacher": "somewhere"}, "--second-teacher: found 'somewhere'; allowed: only together with --teacher"),
    ],
)
def test_a_mistake_is_one_line(values, pattern):
    with pytest.raises(InputError, match=pattern):
        shift(**values)
