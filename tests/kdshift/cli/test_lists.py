"""The grammar of lists, and that every verb's list options speak it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cyclopts
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdshift.cli.lists import Layers, Numbers, WholeNumbers, Words, as_typed, layers, numbers, whole_numbers, words
from theory.errors import InputError


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_list_of_numbers_reads_as_it_was_typed(values: list[float]) -> None:
    assert numbers("tau", ",".join(map(repr, values))) == values


@given(st.floats(1e-6, 1e3), st.floats(1.01, 1e3), st.integers(2, 30))
def test_a_range_is_geometric_and_keeps_its_ends(first: float, ratio: float, count: int) -> None:
    values = numbers("tau", f"{first!r}:{first * ratio!r}:{count}")
    steps = [later / earlier for earlier, later in pairwise(values)]
    assert len(values) == count and values[0] == first and values[-1] == first * ratio
    assert steps == pytest.approx([ratio ** (1 / (count - 1))] * (count - 1), rel=1e-6)


def test_whole_numbers_round_a_range_once_and_refuse_fractions() -> None:
    assert whole_numbers("data_size", "1:4:9") == [1, 2, 3, 4]
    assert whole_numbers("data_size", "1e2, 5") == [100, 5]
    for text in ("2.5", "inf", "nan"):
        with pytest.raises(InputError, match="whole number"):
            whole_numbers("data_size", text)


def test_words_and_layers() -> None:
    assert words("knn, random") == ["knn", "random"]
    assert (layers("layers", "0,3"), layers("layers", "none")) == ([0, 3], [])
    assert (as_typed((0, 3)), as_typed(()), as_typed((0.5, 10.0))) == ("0,3", "none", "0.5,10")


@pytest.mark.parametrize("text", ["", "a", "1,,2", "1:2", "2:1:5", "0:1:5", "1:inf:3", "1:2:1", "1:2:3:4", "1:2:x"])
def test_what_is_no_list_of_numbers_is_named(text: str) -> None:
    with pytest.raises(InputError) as caught:
        numbers("tau", text)
    assert (caught.value.argument, caught.value.found) == ("tau", text)


@pytest.mark.parametrize("text", ["", "first", "1.5", "-1", "0 3", "None"])
def test_what_names_no_layers_is_named(text: str) -> None:
    with pytest.raises(InputError, match="layers: found"):
        layers("layers", text)


def test_an_option_takes_the_list_however_it_is_given() -> None:
    app = cyclopts.App()

    @app.default
    def verb(*, d: WholeNumbers = (2,), tau: Numbers | None = None, names: Words = (), kept: Layers = (0, 3)) -> Any:
        return d, tau, names, kept

    def call(*arguments: str) -> Any:
        return app(arguments, exit_on_error=False, print_error=False, result_action="return_value")

    assert call() == ((2,), None, (), (0, 3))
    assert call("--d", "2,5", "--tau=1", "--tau", "2,3", "--names", "a,b", "--kept", "none") == (
        (2, 5), (1.0, 2.0, 3.0), ("a", "b"), (),
    )  # fmt: skip
    with pytest.raises(cyclopts.CycloptsError) as caught:
        call("--tau", "x")
    assert isinstance(caught.value.__cause__, InputError) and caught.value.__cause__.argument == "--tau"
