"""The searches: on the safe side of a change of sign, at the lowest of several dips, beside an end of the interval."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from theory.setting import Floats
from theory.solve import minimise, root


def cubic(x: Floats, c: Floats) -> Floats:
    return x**3 - c


@given(st.lists(st.floats(-900, 900), min_size=1, max_size=8), st.floats(1e-13, 1e-3))
def test_root_stops_where_the_function_is_not_positive(values: list[float], width: float) -> None:
    c = np.array(values)
    found = root(cubic, np.full(c.shape, 10.0), np.full(c.shape, -10.0), [c], width=width)
    step = 2 * width * np.maximum(1, np.abs(found))
    assert np.all(cubic(found, c) <= 0) and np.all(cubic(found + step, c) > 0)


def test_root_on_a_jump_keeps_the_accepted_side_in_either_order() -> None:
    def jump(x: Floats, place: Floats) -> Floats:
        return np.where(x < place, 1.0, -1.0)

    place = np.array([0.25, 1 / 3, 0.5])
    ahead = root(jump, np.zeros(3), np.ones(3), [place])
    back = root(lambda x, place: -jump(x, place), np.ones(3), np.zeros(3), [place])
    assert np.all((ahead >= place) & (ahead <= place + 1e-13))
    assert np.all((back < place) & (back >= place - 1e-13))


def test_root_is_nan_where_an_end_is_nan_or_nothing_is_accepted() -> None:
    found = root(cubic, np.full(3, 10.0), np.array([-10.0, np.nan, 9.0]), [np.array([1.0, 1.0, 8.0])])
    assert abs(found[0] - 1) < 1e-12 and np.isnan(found[1:]).all()


def test_minimise_takes_the_lowest_of_several_dips() -> None:
    lower = np.array([[0.1], [-0.1]])
    x, value = minimise(lambda x: np.minimum((x - 1) ** 2, (x - 4) ** 2 - lower), np.zeros(2), np.full(2, 5.0))
    assert np.allclose(x, [4, 1], atol=1e-7) and np.allclose(value, [-0.1, 0], atol=1e-12)


def test_minimise_finds_what_lies_beside_an_end_and_returns_an_end_itself() -> None:
    centre = np.array([[0.003], [0.9999], [2.0]])
    x, _ = minimise(lambda x: np.where(x == 0, np.inf, (x - centre) ** 2), np.zeros(3), np.ones(3))
    assert np.allclose(x, [0.003, 0.9999, 1.0], atol=1e-7)
