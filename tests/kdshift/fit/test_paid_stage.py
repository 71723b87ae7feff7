"""The paid stage: every copy is paid for once, a fold has no say in its own degree, both stages stand in one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kdshift.fit.degree_choice import DegreeCurve
from kdshift.fit.fitting import Fit
from kdshift.fit.options import FitOptions
from kdshift.fit.own_texts import read_texts
from kdshift.fit.paid_stage import PaidStage, stage_table
from tests.empirical import tiny_kd


@pytest.fixture
def paid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[PaidStage, list[str]]:
    monkeypatch.setattr("kdshift.fit.degree_choice.STEPS", 30)
    source = tiny_kd.bert(tmp_path / "bert", layers=1)
    own = read_texts(tiny_kd.table(tmp_path / "texts.csv", rows=60))
    asked: list[str] = []

    def ask(text_a: Sequence[str], text_b: Sequence[str] | None) -> NDArray[np.float32]:
        asked.extend(text_a)
        right = [max(range(3), key=lambda at, text=text: text.count(tiny_kd.LABELS[at])) for text in text_a]
        return np.log(np.full((len(right), 3), 0.05) + 0.85 * np.eye(3)[right]).astype(np.float32)

    options = FitOptions(
        teacher="http://127.0.0.1:9/v1#m", assistant=str(source), max_length=32, paid_degrees=(0.5,), degrees=(0.5,)
    )
    answer_NC = ask(own.train.text_a, None)
    asked.clear()
    fit = Fit(own=own, options=options, folder=tmp_path / "out", outside_NC=answer_NC, ask=ask)
    return PaidStage(fit=fit, ask=ask), asked


def test_copies_are_of_their_texts_and_paid_for_once(paid: tuple[PaidStage, list[str]]) -> None:
    stage, asked = paid
    made = stage.copies(0.5)
    originals = [stage.fit.texts.text_a[row] for row in made.origin_P]
    assert len(asked) == len(made.corpus) == len(originals) == len(stage.fit.own.train)
    assert made.realised == pytest.approx(0.5, abs=0.05)
    assert all(new != old and len(new.split()) == len(old.split()) for new, old in zip(asked, originals, strict=True))
    again = PaidStage(fit=stage.fit, ask=stage.ask).copies(0.5)
    assert len(asked) == len(originals) and np.array_equal(again.answer_PC, made.answer_PC)
    assert np.array_equal(again.corpus.ids, made.corpus.ids)


def test_the_curve_has_a_replicate_a_fold_and_asks_for_no_more(paid: tuple[PaidStage, list[str]]) -> None:
    stage, asked = paid
    curve = stage.curve()
    assert curve.degrees == (0.0, 0.5) and curve.distance.shape == (4, 2) and np.isfinite(curve.distance).all()
    assert len(asked) == len(stage.fit.own.train)


def curve_of(distance: list[list[float]]) -> DegreeCurve:
    table = np.array(distance)
    return DegreeCurve(
        augmenter="knn", degrees=(0.0, 0.5), realised=(0.0, 0.5), distance=table, accuracy=np.full_like(table, np.nan)
    )


def test_an_assistant_learns_copies_only_where_the_other_folds_gain(paid: tuple[PaidStage, list[str]]) -> None:
    stage, _ = paid
    chosen = stage.chosen(curve_of([[0.3, 0.1], [0.3, 0.32], [0.3, 0.31], [0.3, 0.31]]))
    assert chosen(0) is None, "only its own fold was for it"
    of_another = chosen(1)
    assert of_another is not None and of_another.realised == pytest.approx(0.5, abs=0.05)
    assert chosen(None) is not None


def test_both_stages_stand_in_one_table() -> None:
    curve = curve_of([[0.30, 0.20], [0.31, 0.22], [0.29, 0.20]])
    table = stage_table(curve, curve)
    assert table["stage"].tolist() == ["paid", "paid", "free", "free"]
    assert table.loc[table["degree"] == 0.5, "gain"].tolist() == pytest.approx([0.28 / 3] * 2)
    assert (table["low"] <= table["gain"]).all() and (table["gain"] <= table["high"]).all()
    assert stage_table(None, curve)["stage"].tolist() == ["free", "free"]
