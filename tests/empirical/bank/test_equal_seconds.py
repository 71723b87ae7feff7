"""Equal seconds: dear texts are fewer, selections keep half of what was paid, the best degree goes to the next size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from empirical.bank.arms import Arm, BankTargets
from empirical.bank.equal_seconds import Budgeted, Contest, Entrant, entrants, summary
from empirical.bank.light import EmbeddingInputs
from empirical.bank.making import make_bank
from empirical.bank.prices import Price
from empirical.bank.study import Check, Size, Study
from empirical.bank.study_table import NONE
from empirical.config import ModelConfig
from empirical.metric import entropy
from tests.empirical import tiny_kd
from tests.empirical.bank import tiny_bank

ANSWER = 0.01
CHEAP, DEAR = Price(start=1.0, making=0.0, asked=1.0), Price(start=2.0, making=0.03, asked=1.0)


@pytest.fixture(scope="module")
def contest(tmp_path_factory) -> Contest:
    bank, oracle = tiny_bank.bank(tmp_path_factory.mktemp("contest"), copies=1), tiny_bank.Oracle()
    plan = bank.plan
    study = Study(
        task=plan.task, pool=64, reserve=0, copies=1, shifts=plan.shifts, steps=20,
        sizes=(Size(data_size=16), Size(data_size=32)), students=("static",), finetune=(),
    )  # fmt: skip
    prices = {study.shifts[0].name: CHEAP, study.shifts[1].name: DEAR}
    return Contest(
        study=study, bank=bank, teacher=oracle, embeddings=tiny_bank.embeddings(), prices=prices, answer=ANSWER
    )


def test_who_takes_part(contest):
    found = {entrant.label: entrant.rule for entrant in entrants(contest.study)}
    assert found == {
        "knn": "", "knn, low-entropy": "low-entropy", "knn, high-entropy": "high-entropy", "random": "",
    }  # fmt: skip


def test_a_text_that_costs_four_answers_comes_a_quarter_as_often(contest):
    size = contest.study.sizes[0]
    cheap, dear = (Entrant(shift=shift) for shift in contest.study.shifts)
    assert contest.allowed(cheap, size) == 16 and contest.allowed(dear, size) == 4
    table = contest.fit(size, "static", dear)
    assert (table["further_texts"] == 4).all() and len(table) == 4
    assert table["seconds"].iloc[0] == pytest.approx(0.16) == pytest.approx(16 * ANSWER)
    assert not (contest.bank.folder / "copies" / "random").exists(), "no whole blocks for a few texts"


def test_few_texts_are_made_of_the_replicates_own(contest):
    """The copies of few texts are answered one by one, and the same call makes the same."""
    size, dear = contest.study.sizes[0], Entrant(shift=contest.study.shifts[1])
    make = contest._few(dear, contest.bank)
    place = np.array([3, 40, 41])
    corpus, target = make(place, 0, 0.5)
    again, _ = make(place, 0, 0.5)
    other, _ = make(place, 1, 0.5)
    own = contest.bank.pool.pool.corpus
    assert np.array_equal(corpus.length_N, own.length_N[place]) and target.shape == (3, 3)
    assert np.array_equal(corpus.ids, again.ids) and not np.array_equal(corpus.ids, other.ids)
    assert size.data_size == 16


@pytest.mark.parametrize("rule", ["", "low-entropy", "high-entropy"])
def test_a_selection_keeps_half_of_what_was_paid_for(contest, rule):
    bank = contest.bank
    make_bank(bank, contest.teacher)
    inputs = EmbeddingInputs(tiny_bank.embeddings(), bank.pool.validation.corpus)
    bench = Budgeted(bank, inputs, 12, rule, None)
    targets = BankTargets(bank, contest.teacher, bank.store(contest.teacher))
    own_N, shift = np.arange(16), contest.study.shifts[0]
    arm = Arm(augmenter="knn", mode="distill", degree=0.3, shift=shift)
    data = bench.training_set(arm, 0, own_N, targets)
    assert data.further == (6 if rule else 12) and len(data.more) == data.further
    paid = Budgeted(bank, inputs, 12, "", None).training_set(arm, 0, own_N, targets)
    kept, all_paid = entropy(data.more_target_MC), np.sort(entropy(paid.more_target_MC))
    expected = {"": all_paid, "low-entropy": all_paid[:6], "high-entropy": all_paid[6:]}[rule]
    assert np.allclose(np.sort(kept), expected)


def test_the_table_and_its_summary(contest):
    import pandas as pd

    size = contest.study.sizes[0]
    chosen = contest.chosen(size)
    frames = [contest.fit(size, "static", entrant) for entrant in (None, *chosen)]
    table = pd.concat(frames, ignore_index=True)
    prices = {entrant.label: contest.prices[entrant.shift.name] for entrant in chosen}
    rows = {row["augmenter"]: row for row in summary(table, prices, ANSWER)}
    assert set(rows) == {entrant.label for entrant in chosen}
    none = table[table["augmenter"] == NONE].set_index("replicate")["distance"]
    for label, row in rows.items():
        own = table[(table["augmenter"] == label) & (table["degree"] == row["degree"])].set_index("replicate")
        assert row["gain"] == pytest.approx((none - own["distance"]).mean())
        assert row["low"] <= row["gain"] <= row["high"] and row["replicates"] == 4
    assert rows["random"]["seconds_a_thousand"] == pytest.approx(40) and rows["random"]["calls"] == 4
    contest.best = {label: row["degree"] for label, row in rows.items()}
    try:
        later = {entrant.label: entrant.shift.degrees for entrant in contest.chosen(contest.study.sizes[1])}
        assert later == {label: (row["degree"],) for label, row in rows.items()}
    finally:
        contest.best = {}


def test_a_network_is_trained_on_the_few_texts_that_its_seconds_pay_for(contest, tmp_path):
    """A quarter of the originals have a copy here: it counts, though not every original has one."""
    size, dear = contest.study.sizes[0], Entrant(shift=contest.study.shifts[1])
    tiny_kd.bert(tmp_path / "bilstm", initializer_range=1.0)
    check = Check(student="bilstm", data_size=16, replicates=2, augmenters=("random",), degrees=(0.5,), steps=20,
                  learning_rate=0.01, hidden_size=4, test_size=20)  # fmt: skip
    teacher = ModelConfig(name=str(tmp_path / "bilstm"))
    checked = replace(contest, study=contest.study.model_copy(update={"teacher": teacher, "checks": (check,)}))
    assert [entrant.label for entrant in checked.checked(check, size)] == ["random"]
    none, few = (checked.fit(size, "bilstm", entrant, check) for entrant in (None, dear))
    assert len(none) == len(few) == 2 and set(few["student"]) == {"bilstm"} and set(few["further_texts"]) == {4}
    assert (none["distance"].to_numpy() != few["distance"].to_numpy()).all()
