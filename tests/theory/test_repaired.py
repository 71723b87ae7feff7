"""The front door opens on every room behind it, and on nothing else."""

from __future__ import annotations

import inspect

import pytest

from theory import best_tau, bounds, inversion, lower_bounds, repaired

ROOMS = (best_tau, bounds, inversion, lower_bounds)
INSIDE = {"bias_of_log"}  # of ln(1 + tau): what the inversions search over, no formula of the theorem


@pytest.mark.parametrize("name", repaired.__all__)
def test_each_name_is_the_room_s_own_function_with_its_words(name: str) -> None:
    function = getattr(repaired, name)
    assert function.__module__ in {room.__name__ for room in ROOMS}
    assert inspect.getdoc(function)


def test_every_public_formula_of_the_rooms_is_at_the_door() -> None:
    public = {
        name
        for room in ROOMS
        for name, value in vars(room).items()
        if inspect.isfunction(value) and value.__module__ == room.__name__ and not name.startswith("_")
    }
    assert public - set(repaired.__all__) == INSIDE
