"""Prices: what an augmenter that takes a known time costs, how many texts that buys, teacher calls counted."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pytest

from empirical.augment.replacement import with_tokens
from empirical.bank import prices
from empirical.bank.plan import Shift
from empirical.bank.prices import Price, answer_seconds, core_seconds, price_of
from tests.empirical.bank import tiny_bank

SHIFT = Shift(augmenter="random", degrees=(0.5,))


@dataclass
class Slow:
    """An augmenter that works `seconds` a text and asks its teacher `calls` times."""

    seconds: float
    asked: list[int]
    calls: int = 2
    answers: bool = False

    def __call__(self, batch, degree, rng, *, copy=0):
        until = time.process_time() + self.seconds * len(batch)
        while time.process_time() < until:
            pass
        self.asked[0] += self.calls * len(batch)
        made = with_tokens(batch, np.zeros_like(batch.mask_BL), np.zeros(0, np.int32))
        if self.answers:
            object.__setattr__(made, "logits_BC", np.zeros((len(batch), 3), np.float32))
        return made


@pytest.mark.parametrize("answers", [False, True])
def test_the_price_is_what_it_takes_after_the_first_texts(tmp_path, monkeypatch, answers):
    asked = [0]
    slow = Slow(0.002, asked, answers=answers)
    monkeypatch.setattr(prices, "make_augmenter", lambda config, **sources: slow)
    found = price_of(SHIFT, 0.5, tiny_bank.bank(tmp_path, pool=192), asked)
    assert found.making == pytest.approx(0.002, rel=0.5)
    assert found.start >= 64 * 0.002
    assert found.asked == 2 + (not answers) and found.answered == answers


def test_what_seconds_buy():
    price = Price(start=5.0, making=0.03, asked=1.0)
    assert price.text(0.01) == pytest.approx(0.04)
    assert price.texts(2.0, 0.01) == 50
    assert Price(start=0, making=0.03, asked=9, answered=True).texts(3.0, 0.01) == 100
    assert Price(start=0, making=0.0, asked=1).texts(2.2, 0.01) == 220


def test_core_seconds_count_work_not_waiting():
    begin = core_seconds()
    time.sleep(0.05)
    waited = core_seconds() - begin
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert waited < 0.04 and core_seconds() - begin >= 0.04


def test_an_answer_has_a_price(tmp_path):
    bank, oracle = tiny_bank.bank(tmp_path), tiny_bank.Oracle()
    assert 0 < answer_seconds(oracle, bank.pool.pool.corpus) < 1
    assert oracle.asked >= 64
