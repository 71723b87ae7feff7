"""One client of an OpenAI-compatible endpoint: budgeted, patient with a busy server, in one line about anything else.

    kdshift fit --unlabelled texts.csv --labels negative,positive --teacher http://localhost:8000/v1#my-model

Servers differ in what they call a log-probability (field survey): what an answer's letters weigh is read here, too.
The key comes from the environment (KDSHIFT_API_KEY, else OPENAI_API_KEY) and is neither kept nor logged.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from theory.errors import InputError, missing_extra

logger = logging.getLogger(__name__)

KEYS = ("KDSHIFT_API_KEY", "OPENAI_API_KEY")
ATTEMPTS, FIRST_WAIT, LONGEST_WAIT = 6, 0.5, 60.0
TIMEOUT_SECONDS = 120.0
AT_ONCE = 8
LETTERS = "ABCDEFGHIJKLMNOPQRST"  # what classes are shown as
TOP = 20  # log-probabilities of a token that endpoints give at most
NOTHING = -1000.0  # log-probabilities at or below are a server's word for none
RETRIED = (408, 409, 425, 429, 500, 502, 503, 504)

T = TypeVar("T")
R = TypeVar("R")


class Refused(Exception):
    """The server says that the request itself is wrong (400, 404, 422): asking again would not help."""


@dataclass(kw_only=True)
class Budget:
    """What may be spent. calls, tokens: at most so many; None: any number. spent_calls counts every request sent."""

    calls: int | None = None
    tokens: int | None = None
    spent_calls: int = 0
    spent_tokens: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take_call(self) -> None:
        """Raises InputError where the budget is spent; answers so far are kept."""
        with self._lock:
            for name in ("calls", "tokens"):
                most, spent = getattr(self, name), getattr(self, f"spent_{name}")
                if most is not None and spent >= most:
                    allowed = "more; what was answered is kept, and the same command goes on from there"
                    raise InputError(f"--{name}", f"{spent} spent of {most}", allowed)
            self.spent_calls += 1

    def add_tokens(self, count: int) -> None:
        with self._lock:
            self.spent_tokens += count


@dataclass
class Endpoint:
    """A model behind an address. address: the base URL, such as http://localhost:8000/v1. model: its name there."""

    address: str
    model: str
    budget: Budget = field(default_factory=Budget)
    wait: Callable[[float], None] = time.sleep

    @classmethod
    def parse(cls, spec: str, budget: Budget | None = None, argument: str = "--teacher") -> Endpoint:
        """The endpoint that `URL#model` names; `argument` is what it was given as.

        Raises:
            InputError: no model, or an address that is no http or https one.
        """
        address, _, model = spec.partition("#")
        if not model or not address.startswith(("http://", "https://")):
            raise InputError(argument, spec, "http(s)://host/v1#model")
        return cls(address.rstrip("/"), model, budget or Budget())

    @property
    def name(self) -> str:
        return f"{self.address}#{self.model}"

    @cached_property
    def _client(self) -> Any:
        try:
            import openai
        except ImportError:
            raise missing_extra("openai", "llm") from None
        key = next((os.environ[name] for name in KEYS if os.environ.get(name)), "none")
        return openai.OpenAI(base_url=self.address, api_key=key, max_retries=0, timeout=TIMEOUT_SECONDS)

    def chat(self, messages: Sequence[dict[str, str]], **options: Any) -> Any:
        """The answer of /chat/completions as a plain dictionary.

        A busy or failing server is asked again, after the time it names (Retry-After) or one that doubles.

        Raises:
            InputError: no answer after several attempts, no access, an answer that is no JSON, or a spent budget.
            Refused: the server takes the request for wrong.
        """
        import openai

        wait, last = FIRST_WAIT, ""
        for attempt in range(ATTEMPTS):
            self.budget.take_call()
            try:
                answer = self._client.chat.completions.create(model=self.model, messages=list(messages), **options)
                found = answer.model_dump() if hasattr(answer, "model_dump") else None
                if isinstance(found, dict) and isinstance(found.get("choices"), list) and found["choices"]:
                    self.budget.add_tokens(int((found.get("usage") or {}).get("total_tokens") or 0))
                    return found
                last, named = "an answer without choices", None
            except openai.APIStatusError as error:
                last, named = f"status {error.status_code}", error.response.headers.get("retry-after")
                if error.status_code in (401, 403):
                    raise InputError(self.name, last, f"a key in the environment ({' or '.join(KEYS)})") from None
                if error.status_code not in RETRIED:
                    raise Refused(f"{last}: {_first_line(error)}") from None
            except (openai.APIError, ValueError) as error:  # no connection, a timeout, an answer that is cut off
                last, named = _first_line(error), None
            if attempt + 1 < ATTEMPTS:
                pause = _seconds(named, wait)
                logger.info("%s: %s; asked again in %.1f s", self.name, last, pause)
                self.wait(pause)
                wait *= 2
        raise InputError(self.name, last, f"a server that answers within {ATTEMPTS} attempts")


def _seconds(named: str | None, otherwise: float) -> float:
    """The seconds that a Retry-After header names, within reason."""
    try:
        return min(LONGEST_WAIT, max(0.0, float(named))) if named is not None else min(LONGEST_WAIT, otherwise)
    except ValueError:
        return min(LONGEST_WAIT, otherwise)


def _first_line(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:160]


def side_by_side(ask: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """`ask` of every item, several at once, in order; the first error ends it."""
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="endpoint") as pool:
        futures = [pool.submit(ask, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            raise


def letter_mass(answer: Any, order: Sequence[int]) -> NDArray[np.float32] | None:
    """Mass of each class and of all else, (C + 1,), from an answer's log-probabilities; None for unbelievable ones.

    A class that is not among the most likely tokens gets no more than the least likely of them, nor its share of the
    mass that is left; what is left beyond that is the last entry.
    """
    top = _top_logprobs(answer["choices"][0].get("logprobs"))
    if not top or all(value == 0 for value in top.values()):
        return None
    mass_C = np.zeros(len(order))
    for token, value in top.items():
        letter = token.strip().strip("Ġ▁").upper()
        if letter in LETTERS[: len(order)] and len(letter) == 1:
            mass_C[order[LETTERS.index(letter)]] += math.exp(min(0.0, value))
    if mass_C.sum() <= 0 or mass_C.sum() > 1.01:
        return None
    left = max(0.0, 1.0 - sum(math.exp(min(0.0, value)) for value in top.values()))
    absent = mass_C == 0
    if absent.any():
        mass_C[absent] = max(1e-9, min(left / absent.sum(), math.exp(min(top.values()))))
    return np.append(mass_C, max(0.0, 1.0 - mass_C.sum())).astype(np.float32)


def _top_logprobs(logprobs: Any) -> dict[str, float]:
    """Tokens with their log-probabilities in the chat format or in the older format of completions; {} for nonsense."""
    if not isinstance(logprobs, dict):
        return {}
    first: Any = None
    if isinstance(logprobs.get("content"), list) and logprobs["content"]:
        first = (logprobs["content"][0] or {}).get("top_logprobs")
    elif isinstance(logprobs.get("top_logprobs"), list) and logprobs["top_logprobs"]:
        first = logprobs["top_logprobs"][0]
    pairs = first.items() if isinstance(first, dict) else (
        [(entry.get("token"), entry.get("logprob")) for entry in first if isinstance(entry, dict)]
        if isinstance(first, list) else []
    )  # fmt: skip
    found: dict[str, float] = {}
    for token, value in pairs:
        if isinstance(token, str) and isinstance(value, (int, float)) and NOTHING < value <= 1e-3:
            found[token] = max(found.get(token, -math.inf), float(value))
    return found
