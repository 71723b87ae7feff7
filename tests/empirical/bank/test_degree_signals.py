"""Signals on a tiny bank: by hand from its files, nothing asked twice, tau between and beyond what was measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from empirical.bank.arms import BankTargets
from empirical.bank.degree_signals import SIGNALS, outcomes_beside, signals, with_tau
from empirical.bank.making import make_bank
from empirical.bank.plan import Unit
from empirical.bank.study import Size, Study
from tests.empirical.bank import tiny_bank


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    bank, oracle = tiny_bank.bank(tmp_path_factory.mktemp("signals")), tiny_bank.Oracle()
    make_bank(bank, oracle)
    plan = bank.plan
    study = Study(
        task=plan.task, pool=plan.pool, reserve=plan.reserve, copies=plan.copies, shifts=plan.shifts,
        sizes=(Size(data_size=16), Size(data_size=64)),
    )  # fmt: skip
    return bank, oracle, study, signals(study, bank, oracle)


def test_one_row_a_cell_and_nothing_is_asked_again(made):
    bank, oracle, study, table = made
    assert len(table) == 2 * 3 and set(SIGNALS) - {"tau"} <= set(table.columns)
    before = oracle.asked
    signals(study, bank, oracle)
    assert oracle.asked == before


def test_signals_by_hand(made):
    bank, oracle, study, table = made
    shift = study.shifts[1]
    targets = BankTargets(bank, oracle, bank.store(oracle))
    units = [Unit(shift=shift, degree=0.5, copy=copy, block=0, size=64) for copy in range(2)]
    both = softmax(np.stack([targets.copies(unit, np.arange(64)) for unit in units]).astype(float), axis=2)
    own = softmax(targets.originals(np.arange(64)).astype(float), axis=1)
    row = table[(table["augmenter"] == "random") & (table["data_size"] == 16)].iloc[0]
    subset = [np.arange(start, start + 16) for start in (0, 16, 32, 48)]
    squares = [(both[0, index].mean(axis=0) - both[1, index].mean(axis=0)) ** 2 / 2 for index in subset]
    assert row["t_stddev"] == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-6)
    assert row["entropy"] == pytest.approx(-(both * np.log(both)).sum(axis=2).mean(), rel=1e-5)
    assert row["moved"] == pytest.approx(np.abs(both - own).sum(axis=2).mean() / 2, rel=1e-6)
    assert row["relabelled"] == pytest.approx((both.argmax(axis=2) != own.argmax(axis=1)).mean())
    assert row["text_stddev"] == pytest.approx(np.sqrt(((both[0] - both[1]) ** 2 / 2).mean()), rel=1e-6)
    assert 0 <= row["disagreement"] <= 1


def test_more_texts_calm_the_mean_answer_but_not_the_texts(made):
    table = made[3]
    small, large = (table[table["data_size"] == size].set_index(["augmenter", "degree"]) for size in (16, 64))
    assert (large["t_stddev"] < small["t_stddev"]).mean() > 0.5
    assert np.allclose(large["text_stddev"], small["text_stddev"])


def test_tau_is_linear_between_what_was_measured_and_goes_on_beyond():
    shift = pd.DataFrame({"augmenter": "knn", "degree": [0.2, 0.6], "tau": [0.1, 0.5]})
    cells = pd.DataFrame({"augmenter": ["knn"] * 4 + ["eda"], "degree": [0.1, 0.2, 0.4, 0.9, 0.3]})
    tau = with_tau(cells, shift)["tau"]
    assert np.allclose(tau[:4], [0.05, 0.1, 0.3, 0.8]) and np.isnan(tau[4])


def test_outcomes_are_means_over_replicates_of_students_that_distil():
    lead = {"teacher_arm": "whole", "mode": "distill", "student": "static", "data_size": 16, "amount": 0.0}
    cell = {"augmenter": "knn", "degree": 0.3}
    curves = pd.DataFrame(
        [
            {**lead, **cell, "distance": 0.1},
            {**lead, **cell, "distance": 0.3},
            {**lead, **cell, "distance": 9.0, "mode": "finetune"},
            {**lead, **cell, "distance": 9.0, "teacher_arm": "same"},
            {**lead, **cell, "distance": 9.0, "amount": 4.0},
        ]
    )
    table = outcomes_beside(pd.DataFrame([{"data_size": 16, **cell, "entropy": 1.0}]), curves)
    assert len(table) == 1 and table["distance"].iloc[0] == pytest.approx(0.2) and table["entropy"].iloc[0] == 1.0
