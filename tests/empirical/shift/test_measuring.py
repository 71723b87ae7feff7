"""The measured shift: where the representation is a Gaussian of known tau, the numbers must come back."""

from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest

from empirical.shift import measure_shift, measuring, shift_figure
from empirical.tokens.batch import Augmented, Batch
from kdshift.cli import main
from tests.empirical.shift.clouds import cloud


class Tokens:
    """A stand-in augmenter: `degree` is stored in the ids, so that the encoder below knows how far to move."""

    name, online, at_once = "tokens", True, False

    def __call__(self, batch, degree, rng, *, copy=0):
        ids = batch.ids_BL.copy()
        ids[:, 1] = round(1000 * degree)
        eligible = batch.eligible_BL.sum(axis=1)
        changed = np.round(degree * eligible).astype(np.int64)
        new = Batch(ids_BL=ids, mask_BL=batch.mask_BL, eligible_BL=batch.eligible_BL, segment_BL=batch.segment_BL)
        return Augmented(batch=new, eligible_B=eligible, changed_B=changed, changed_BL=ids != batch.ids_BL)


@pytest.fixture
def gaussian(monkeypatch):
    """Texts "0", "1", ... whose representation is Gaussian; at degree q they move by noise of variance q."""
    count, dimension = 1200, 3
    z, lift = cloud(count, dimension, 6)
    noise = np.random.default_rng(3).standard_normal(z.shape)

    def encode_batch(tokenizer, text_a, text_b, max_length):
        ids = np.stack([np.arange(len(text_a)), np.zeros(len(text_a), int)], axis=1).astype(np.int32)
        ones = np.ones(ids.shape, dtype=bool)
        return Batch(ids_BL=ids, mask_BL=ones, eligible_BL=ones, segment_BL=np.zeros(ids.shape, np.int8))

    def encode(batch):
        row, tau = batch.ids_BL[:, 0], batch.ids_BL[:, 1:] / 1000
        return (z[row] + np.sqrt(tau) * noise[row]) @ lift

    monkeypatch.setattr(measuring, "encode_batch", encode_batch)
    return [str(number) for number in range(count)], encode


def test_table_recovers_tau_and_teachers(gaussian):
    texts, encode = gaussian

    def teacher(batch):
        return np.stack([batch.ids_BL[:, 1] / 100.0, np.zeros(len(batch))], axis=1)

    def second(batch):
        flipped = batch.ids_BL[:, 0] % 4 == 0
        return np.where(flipped[:, None], teacher(batch)[:, ::-1], teacher(batch))

    given = {"augmenters": {"tokens": Tokens()}, "degrees": [0.1, 0.5, 1.0], "tokenizer": None, "encode": encode}
    table = measure_shift(texts, None, **given, teacher=teacher, second_teacher=second, seed=2)
    assert table["augmenter"].tolist() == ["original", "tokens", "tokens", "tokens"]
    assert (table["dimension"] == 3).all()
    assert table["tau"].tolist() == pytest.approx([0, 0.1, 0.5, 1.0], rel=0.08)
    assert ((table["tau_low"] <= table["tau"]) & (table["tau"] <= table["tau_high"])).all()
    assert ((table["tau_high"] - table["tau_low"])[1:] < 0.25 * table["tau"][1:]).all()
    assert table["a_distance"].iloc[0] == 0 and table["cosine"].iloc[0] == pytest.approx(1)
    assert table["cosine"].is_monotonic_decreasing
    assert table["teacher_entropy"].tolist()[0] == pytest.approx(np.log(2))
    assert table["teacher_entropy"].is_monotonic_decreasing
    assert table["disagreement"].tolist()[1:] == pytest.approx([0.25] * 3)
    gaps = [0.25 * abs(2 / (1 + np.exp(-10 * degree)) - 1) for degree in (0.1, 0.5, 1.0)]
    assert table["probability_gap"].tolist()[1:] == pytest.approx(gaps)
    again = measure_shift(texts, None, **given, teacher=teacher, second_teacher=second, seed=2)
    assert again.equals(table)


def test_without_teachers_their_columns_are_empty_and_the_figure_has_two_panels(gaussian):
    texts, encode = gaussian
    given = {"augmenters": {"tokens": Tokens()}, "degrees": [0.2, 0.6], "tokenizer": None, "encode": encode}
    table = measure_shift(texts, None, **given, dimension=2)
    assert (table["dimension"] == 2).all()
    assert table[["teacher_entropy", "disagreement", "probability_gap"]].isna().all().all()
    figure = shift_figure(table)
    assert len(figure.axes) == 2
    for axes in figure.axes:
        assert axes.get_xlabel() and axes.get_ylabel()
    drawn = figure.axes[0].containers[0].lines[0].get_xydata()
    assert drawn[:, 1].tolist() == table["tau"].tolist()[1:]


@pytest.mark.slow
def test_verb_measures_real_text(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    options = [
        "--augmenter",
        "random,synonym",
        "--degree",
        "0.1,0.5",
        "--texts",
        "120",
        "--out",
        str(tmp_path),
        "--json",
    ]
    with pytest.raises(SystemExit) as exit_info:
        main(["empirical", "shift", *options])
    assert not exit_info.value.code
    rows = {(row["augmenter"], row["degree"]): row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rows["random", 0.5]["tau_low"] > rows["random", 0.1]["tau_high"]
    assert rows["random", 0.5]["tau_low"] > rows["synonym", 0.5]["tau_high"]
    assert (tmp_path / "shift.parquet").is_file() and (tmp_path / "shift.png").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--degree", "0.1,x"], "--degree: found '0.1,x'"),
        (["--degree", "0.1,2"], "--degree: found '0.1,2'"),
        (["--augmenter", "knn,nope"], "--augmenter: found 'nope'"),
        (["--second-teacher", "x"], "--second-teacher: found 'x'; allowed: only together with --teacher"),
    ],
)
def test_mistakes_of_the_verb(options, message, capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["empirical", "shift", *options])
    captured = capsys.readouterr()
    assert exit_info.value.code == 2 and message in captured.err and captured.out == ""
