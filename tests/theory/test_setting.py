"""The one place of the ranges: what is let through comes back as floats, what is not names argument and value."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from theory import setting
from theory.errors import InputError

RANGES: list[tuple[Callable[..., setting.Floats], str, list[float], list[object]]] = [
    (setting.check_dimension, "dimension", [1, 2, 768], [0, 1.5, float("nan"), "two"]),
    (setting.check_tau, "tau", [1e-300, 1, 1e300], [0, -1, float("inf"), float("nan")]),
    (setting.check_log_tau, "log_tau", [-1e6, 0, 5], [float("inf"), float("nan")]),
    (setting.check_data_size, "data_size", [1, 1.5, 1e12], [0.5, -3, float("inf")]),
    (setting.check_log_data_size, "log_data_size", [0, 800], [-0.1, float("nan")]),
    (setting.check_epsilon, "epsilon", [1e-9, 1.999], [0, 2, -1]),
    (setting.check_delta, "delta", [1e-9, 0.999], [0, 1, float("nan")]),
    (setting.check_teacher_epsilon, "teacher_epsilon", [0, 1], [-0.1, 1.1]),
    (setting.check_trust_radius, "trust_radius", [1e-9, float("inf")], [0, -1, float("nan")]),
]


@pytest.mark.parametrize(("check", "name", "allowed", "refused"), RANGES, ids=[row[1] for row in RANGES])
def test_each_range_ends_where_it_says(
    check: Callable[..., setting.Floats], name: str, allowed: list[float], refused: list[object]
) -> None:
    found = check(np.array(allowed))
    assert found.dtype == np.float64 and found.tolist() == [float(value) for value in allowed]
    assert check(allowed[0]).shape == ()
    for value in refused:
        with pytest.raises(InputError) as caught:
            check(value)
        assert caught.value.argument == name


def test_an_array_s_first_offender_is_named_as_it_was_written() -> None:
    with pytest.raises(InputError) as caught:
        setting.check_dimension(np.array([2.0, 0.0, -1.0]))
    assert (caught.value.argument, caught.value.found) == ("dimension", 0) and isinstance(caught.value.found, int)
    with pytest.raises(InputError, match=r"found 2\.5"):
        setting.check_dimension(2.5)


def test_the_printed_theorem_starts_at_two_dimensions_the_repaired_one_at_one() -> None:
    assert setting.check_dimension(1) == 1
    with pytest.raises(InputError, match=">= 2"):
        setting.check_dimension(1, least=2)
    with pytest.raises(InputError):
        setting.Setting(dimension=1)


def test_a_setting_checks_what_is_given_and_nothing_else() -> None:
    assert setting.Setting().epsilon is None
    whole = setting.Setting(
        dimension=5, epsilon=0.5, delta=0.1, tau=0.2, data_size=10, teacher_epsilon=0, trust_radius=3
    )
    assert whole.tau == 0.2
    for bad in (
        {"epsilon": 1.0}, {"delta": 1.0}, {"tau": 0.0}, {"data_size": 10.5}, {"teacher_epsilon": 2.0},
        {"trust_radius": 0.0},
    ):  # fmt: skip
        with pytest.raises(InputError) as caught:
            setting.Setting(**bad)
        assert caught.value.argument == next(iter(bad))


def test_flat_broadcasts_to_one_row() -> None:
    shape, (a, b) = setting.flat(np.array([[1.0], [2.0]]), np.array([10.0, 20.0, 30.0]))
    assert shape == (2, 3)
    assert a.tolist() == [1, 1, 1, 2, 2, 2] and b.tolist() == [10, 20, 30, 10, 20, 30]
