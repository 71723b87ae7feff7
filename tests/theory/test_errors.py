"""The one error of users' mistakes: one line that names argument, value and what is allowed."""

from __future__ import annotations

import pickle

from theory.errors import InputError, missing_extra, unknown_name


def test_the_message_names_argument_value_and_what_is_allowed() -> None:
    error = InputError("tau", -1, "a finite variance > 0")
    assert str(error) == "tau: found -1; allowed: a finite variance > 0"
    assert isinstance(error, ValueError)


def test_it_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(InputError("tau", (1, 2), "one number")))
    assert (error.argument, error.found, error.allowed) == ("tau", (1, 2), "one number")
    assert str(error) == "tau: found (1, 2); allowed: one number"


def test_unknown_names_come_with_the_nearest() -> None:
    assert "(nearest: random)" in str(unknown_name("augmenter", "radnom", ("knn", "random")))
    assert str(unknown_name("augmenter", "zzz", ("b", "a"))).endswith("allowed: one of a, b")


def test_a_missing_extra_comes_with_its_command() -> None:
    assert "pip install 'kdshift[cluster]'" in str(missing_extra("ray", "cluster"))
