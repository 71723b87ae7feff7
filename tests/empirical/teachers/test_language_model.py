"""A language model as a teacher, against a scripted server on loopback: what is believed, recovered, refused, kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from empirical.endpoint import Budget, Endpoint, letter_mass
from empirical.teachers.language_model import LanguageModelTeacher, letter_vote
from tests.scripted_endpoint import Reply, chat_logprobs, completion, letter_of, serving, text_of
from theory.errors import InputError

LABELS = ("bad", "good")
TEXTS = ["a fine thing", "a poor thing", "another fine one"]
Script = Callable[[dict[str, Any], int], Reply]


def truth(request: dict[str, Any]) -> float:
    """The probability of `good` that the honest server gives."""
    return 0.9 if "fine" in text_of(request) else 0.2


def honest(request: dict[str, Any], number: int = 0) -> Reply:
    p = truth(request)
    mass = {letter_of(request, "good"): 0.95 * p, letter_of(request, "bad"): 0.95 * (1 - p), "the": 0.05}
    return Reply(completion("A", chat_logprobs(mass)))


def teacher(address: str, folder: Path, waits: list[float] | None = None, **budget: int) -> LanguageModelTeacher:
    pauses = [] if waits is None else waits
    endpoint = Endpoint(address, "m", Budget(**budget), wait=pauses.append)
    return LanguageModelTeacher(endpoint=endpoint, labels=LABELS, folder=folder)


def asked(
    script: Script, folder: Path, texts: list[str] = TEXTS
) -> tuple[np.ndarray, LanguageModelTeacher, Any, list[float]]:
    waits: list[float] = []
    with serving(script) as served:
        model = teacher(served.address, folder, waits)
        p_NC = np.exp(model.ask(texts))
    assert served.peers == {"127.0.0.1"}, "nothing leaves loopback"
    assert np.allclose(p_NC.sum(axis=1), 1, atol=1e-5)
    return p_NC, model, served, waits


def test_letters_log_probabilities_become_the_classes_and_the_rest_is_recorded(tmp_path: Path) -> None:
    p_NC, model, served, _ = asked(honest, tmp_path)
    assert np.allclose(p_NC[:, 1], [0.9, 0.2, 0.9], atol=1e-5)
    assert model.missing == pytest.approx(0.05, abs=1e-4) and model.refusals == 0
    assert len(served.requests) == 6, "two letter orders a text, the probe's answer is one of them"
    letters = {letter_of(request, "good") for request in served.requests}
    assert letters == {"A", "B"}, "each class stands under each letter"
    assert all(request["max_tokens"] == 1 and request["top_logprobs"] == 20 for request in served.requests)


def test_a_pull_of_the_first_letter_cancels(tmp_path: Path) -> None:
    def biased(request: dict[str, Any], number: int) -> Reply:
        return Reply(completion("A", chat_logprobs({"A": 0.8, "B": 0.2})))

    assert np.allclose(asked(biased, tmp_path)[0], 0.5, atol=1e-6)


def completions_format(request: dict[str, Any], number: int) -> Reply:
    p = truth(request)
    top = {letter_of(request, "good"): float(np.log(p)), letter_of(request, "bad"): float(np.log(1 - p))}
    return Reply(completion("A", {"tokens": ["A"], "token_logprobs": [-0.1], "top_logprobs": [top]}))


def once(fault: Reply) -> Script:
    return lambda request, number: fault if number == 1 else honest(request)


RECOVERED: dict[str, Script] = {
    "busy": once(Reply({"error": {"message": "slow down"}}, 429, {"Retry-After": "7"})),
    "broken": once(Reply({"error": {"message": "oops"}}, 500)),
    "cut JSON": once(Reply(b'{"choices": [{"mess')),
    "no choices": once(Reply({"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": []})),
    "completions format": completions_format,
}


@pytest.mark.parametrize("fault", RECOVERED)
def test_what_can_be_recovered_is(tmp_path: Path, fault: str) -> None:
    p_NC, _, _, waits = asked(RECOVERED[fault], tmp_path)
    assert np.allclose(p_NC[:, 1], [0.9, 0.2, 0.9], atol=1e-5)
    assert waits == ([7.0] if fault == "busy" else [] if fault == "completions format" else [0.5])


def nothing_believable(logprobs: Callable[[dict[str, Any]], Any]) -> Script:
    def script(request: dict[str, Any], number: int) -> Reply:
        right = "good" if truth(request) > 0.5 else "bad"
        return Reply(completion(letter_of(request, right), logprobs(request)))

    return script


def of_value(value: float) -> Callable[[dict[str, Any]], Any]:
    top = [{"token": token, "logprob": value, "bytes": None} for token in "AB"]
    return lambda request: {"content": [{"token": "A", "logprob": value, "bytes": None, "top_logprobs": top}]}


UNBELIEVABLE = {"null": lambda request: None, "zero": of_value(0.0), "-9999": of_value(-9999.0)}


@pytest.mark.parametrize("kind", UNBELIEVABLE)
def test_without_believable_log_probabilities_it_votes(tmp_path: Path, kind: str) -> None:
    p_NC, _, served, _ = asked(nothing_believable(UNBELIEVABLE[kind]), tmp_path)
    assert np.allclose(p_NC[:, 1], [5.5 / 6, 0.5 / 6, 5.5 / 6], atol=1e-5), "five votes under Jeffreys' prior"
    assert len(served.requests) == 1 + 15
    assert {request.get("seed") for request in served.requests[1:]} == set(range(5))


def test_a_server_that_refuses_log_probabilities_is_asked_for_votes(tmp_path: Path) -> None:
    def script(request: dict[str, Any], number: int) -> Reply:
        if "logprobs" in request:
            return Reply({"error": {"message": "unknown parameter logprobs"}}, 400)
        return Reply(completion("I think " + "good" if number % 2 else "good"))

    p_NC, model, _, _ = asked(script, tmp_path)
    assert 0 < model.missing < 1, "answers that name no class are counted"
    assert (p_NC[:, 1] > 0.5).all()


def test_a_newer_parameter_is_found(tmp_path: Path) -> None:
    def script(request: dict[str, Any], number: int) -> Reply:
        if "max_tokens" in request:
            return Reply({"error": {"message": "use max_completion_tokens instead"}}, 400)
        return honest(request)

    assert np.allclose(asked(script, tmp_path)[0][:, 1], [0.9, 0.2, 0.9], atol=1e-5)


FATAL: dict[str, tuple[Script, str]] = {
    "no key": (lambda request, number: Reply({"error": {"message": "who are you"}}, 401), "KDSHIFT_API_KEY"),
    "always broken": (lambda request, number: Reply({}, 503), "status 503.*6 attempts"),
    "always cut": (lambda request, number: Reply(b"{"), "6 attempts"),
    "no such model": (lambda request, number: Reply({"error": {"message": "no model m"}}, 404), "status 404"),
    "only refusals": (lambda request, number: Reply(completion("I am sorry, I cannot do that")), "name no class"),
}


@pytest.mark.parametrize("fault", FATAL)
def test_what_cannot_is_one_line(tmp_path: Path, fault: str) -> None:
    script, message = FATAL[fault]
    with serving(script) as served, pytest.raises(InputError, match=message) as caught:
        teacher(served.address, tmp_path).ask([f"text {number}" for number in range(6)])
    assert "\n" not in str(caught.value)


def test_a_dead_endpoint_is_one_line(tmp_path: Path) -> None:
    with serving(honest) as served:
        address = served.address
    with pytest.raises(InputError, match="6 attempts"):
        teacher(address, tmp_path).ask(TEXTS)
    for spec in ("http://host/v1", "ftp://host#m", "#m"):
        with pytest.raises(InputError, match="host/v1#model"):
            Endpoint.parse(spec)


def test_no_answered_call_is_asked_again_and_a_budget_ends_it(tmp_path: Path) -> None:
    with serving(honest) as served:
        with pytest.raises(InputError, match=r"--calls.*4 spent of 4.*goes on"):
            teacher(served.address, tmp_path, calls=4).ask(TEXTS)
        assert len(served.requests) == 4
        again = teacher(served.address, tmp_path)
        first = again.ask(TEXTS)
        assert len(served.requests) == 6, "only the two calls that were left"
        assert np.array_equal(teacher(served.address, tmp_path).ask(TEXTS), first)
        assert len(served.requests) == 6
        spender = teacher(served.address, tmp_path / "other", tokens=20)
        with pytest.raises(InputError, match="--tokens"):  # calls that are under way may end above the budget
            spender.ask(TEXTS)
            spender.ask([f"{text} again" for text in TEXTS])


def test_the_key_is_sent_and_nowhere_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KDSHIFT_API_KEY", "a-secret-key")
    with serving(honest) as served:
        teacher(served.address, tmp_path).ask(TEXTS)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert kept and b"a-secret-key" not in kept


def test_classes_outside_the_top_get_a_bound_and_words_are_no_letters() -> None:
    answer = completion("A", chat_logprobs({"A": 0.7, " the": 0.2}))
    mass = letter_mass(answer, [0, 1])
    assert mass is not None and mass[0] == pytest.approx(0.7) and mass[1] == pytest.approx(0.1, abs=1e-6)
    assert mass.sum() == pytest.approx(1)
    for text, index in (("B", 1), (" b)", 1), ("good.", 1), ("Bad", 0), ("A good one", 0), ("because", -1), ("", -1)):
        assert letter_vote(completion(text), [0, 1], LABELS).argmax() == (2 if index < 0 else index), text
