"""The client of an endpoint: patient within reason, budgeted, and in one line about anything else."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from empirical.endpoint import ATTEMPTS, LONGEST_WAIT, Budget, Endpoint, Refused, letter_mass, side_by_side
from tests.scripted_endpoint import Reply, chat_logprobs, completion, serving
from theory.errors import InputError

ASKED = [{"role": "user", "content": "?"}]


def test_a_busy_server_is_waited_for_as_it_asks_and_never_too_long() -> None:
    waits: list[float] = []
    named = iter(["3", "9999", "soon", None])

    def script(request: dict[str, Any], number: int) -> Reply:
        header = next(named, "")
        if header == "":
            return Reply(completion("A"))
        return Reply({"error": {"message": "busy"}}, 429, {} if header is None else {"Retry-After": header})

    with serving(script) as served:
        endpoint = Endpoint(served.address, "m", wait=waits.append)
        assert endpoint.chat(ASKED)["choices"][0]["message"]["content"] == "A"
    assert waits == [3.0, LONGEST_WAIT, 2.0, 4.0], "what it names within a minute, else a time that doubles"
    assert endpoint.budget.spent_calls == 5 and endpoint.budget.spent_tokens == 11


def test_a_slow_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("empirical.endpoint.TIMEOUT_SECONDS", 0.1)
    released = threading.Event()

    def script(request: dict[str, Any], number: int) -> Reply:
        if number < ATTEMPTS - 1:
            released.wait(2)
        return Reply(completion("A"))

    with serving(script) as served:
        waits: list[float] = []
        assert Endpoint(served.address, "m", wait=waits.append).chat(ASKED)["choices"]
        assert len(waits) == ATTEMPTS - 1
        released.set()


def test_a_refusal_is_not_repeated() -> None:
    with serving(lambda request, number: Reply({"error": {"message": "no such parameter"}}, 422)) as served:
        with pytest.raises(Refused, match="no such parameter"):
            Endpoint(served.address, "m").chat(ASKED)
        assert len(served.requests) == 1


def test_budgets_are_taken_before_a_call() -> None:
    budget = Budget(calls=2)
    budget.take_call()
    budget.take_call()
    with pytest.raises(InputError, match=r"--calls.*2 spent of 2"):
        budget.take_call()
    spent = Budget(tokens=10)
    spent.add_tokens(10)
    with pytest.raises(InputError, match="--tokens"):
        spent.take_call()


def test_side_by_side_keeps_the_order_and_the_first_error_ends_it() -> None:
    assert side_by_side(lambda item: item * item, range(50)) == [item * item for item in range(50)]

    def failing(item: int) -> int:
        if item == 3:
            raise InputError("x", item, "another")
        return item

    with pytest.raises(InputError, match="another"):
        side_by_side(failing, range(10))


def test_letters_of_one_class_add_up_in_the_order_shown() -> None:
    answer = completion("A", chat_logprobs({"A": 0.4, " a": 0.1, "B": 0.3, "Because": 0.1}))
    mass = letter_mass(answer, [1, 0])
    assert mass is not None and mass.tolist() == pytest.approx([0.3, 0.5, 0.2])
    for nonsense in (None, {}, {"content": [None]}, {"content": "x"}, {"top_logprobs": [{"A": 0.0, "B": 0.0}]}):
        assert letter_mass(completion("A", nonsense), [0, 1]) is None


def test_an_address_names_its_model_and_the_argument_it_came_by() -> None:
    endpoint = Endpoint.parse("http://host:1/v1/#a/b")
    assert (endpoint.address, endpoint.model, endpoint.name) == ("http://host:1/v1", "a/b", "http://host:1/v1#a/b")
    with pytest.raises(InputError, match=r"^engine"):
        Endpoint.parse("host#m", argument="engine")
