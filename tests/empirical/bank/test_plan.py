"""What a bank is asked to hold: units block by block, so that a smaller plan is the beginning of a larger one."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from empirical.bank import plan as plans
from empirical.bank.plan import BankPlan, Shift

TWO = (Shift(augmenter="knn", degrees=(0.3, 0.8)), Shift(augmenter="random", degrees=(0.5,), pool=50, copies=1))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "BLOCK", 40)


def test_units_cover_the_pool_once_a_copy_and_answers_counts_their_texts() -> None:
    plan = BankPlan(pool=100, copies=2, shifts=TWO)
    units = list(plan.units())
    assert [unit.block for unit in units] == sorted(unit.block for unit in units)
    for shift, reach, copies in ((TWO[0], 100, 2), (TWO[1], 50, 1)):
        assert (plan.reach(shift), plan.copies_of(shift)) == (reach, copies)
        for degree in shift.degrees:
            for copy in range(copies):
                mine = [u for u in units if (u.shift, u.degree, u.copy) == (shift, degree, copy)]
                assert sum(unit.size for unit in mine) == reach and all(0 < unit.size <= 40 for unit in mine)
    assert plan.answers == sum(unit.size for unit in units) == 100 * 2 * 2 + 50


def test_a_plan_of_whole_blocks_begins_a_larger_one_and_draws_the_same() -> None:
    small = list(BankPlan(pool=40, copies=2, shifts=TWO).units())
    large = list(BankPlan(pool=120, copies=2, shifts=TWO).units())
    assert large[: len(small)] == small
    steps = [unit.step for unit in large]
    assert len(set(steps)) == len(steps) and max(steps) < 2**48


def test_what_is_used_does_not_depend_on_how_it_was_asked_for() -> None:
    capped = BankPlan(pool=30, copies=1, shifts=(Shift(augmenter="random", degrees=(0.5,), pool=90, copies=7),))
    plain = BankPlan(pool=30, copies=1, shifts=(Shift(augmenter="random", degrees=(0.5,)),))
    assert capped != plain and capped.used() == plain.used()
    assert plain.used() != plain.model_copy(update={"pool": 31}).used()


def test_names_hold_the_options_that_decide_the_copies() -> None:
    near, far = (Shift(augmenter="knn", degrees=(0.5,), neighbours=k) for k in (5, 15))
    assert near.name != far.name
    assert Shift(augmenter="random", degrees=(0.5,), neighbours=5).name == "random"
    for wrong in ({"augmenter": "ground-truth", "degrees": (0.5,)}, {"augmenter": "knn", "degrees": (0.5, 0.5)}):
        with pytest.raises(ValidationError):
            Shift.model_validate(wrong)
