"""A language model behind an endpoint as a teacher: letters for classes, one token, the letters' log-probabilities.

Servers differ (field survey): log-probabilities may be null, zero, -9999 or in another format, so the first answer is
looked at, and where it cannot be believed the model votes several times instead. Letter orders are averaged, because a
position has a pull of its own. Every call is kept as it is answered. Shapes: N texts, C classes, K votes.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.endpoint import LETTERS, TOP, Endpoint, Refused, letter_mass, side_by_side
from empirical.teachers.answering import content, text_contents
from empirical.teachers.answers import Answers
from empirical.tokens.batch import Batch
from theory.errors import InputError

logger = logging.getLogger(__name__)

VOTES, PRIOR = 5, 0.5  # Jeffreys' prior on the classes' shares
ORDERS = 2
LONGEST_TEXT = 6_000  # characters
PROMPT_VERSION = 1


@dataclass(kw_only=True)
class LanguageModelTeacher:
    """An endpoint that labels texts.

    labels: class names as the prompt shows them. folder: where answered calls are kept.
    missing: mean mass of what was no class, over the answers given so far; refusals: answers that held no class at all.
    """

    endpoint: Endpoint
    labels: tuple[str, ...]
    folder: Path
    instruction: str = "Which of these classes does the text belong to? Answer with the letter alone."
    orders: int = ORDERS
    votes: int = VOTES
    missing: float = 0.0
    refusals: int = 0
    answered: int = 0
    _mode: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.labels) > len(LETTERS):
            raise InputError("labels", f"{len(self.labels)} classes", f"at most {len(LETTERS)} for a language model")

    @property
    def name(self) -> str:
        return self.endpoint.name

    @property
    def key(self) -> str:
        asked = json.dumps([self.labels, self.instruction, self.orders, self.votes, PROMPT_VERSION])
        return f"{self.endpoint.name}#{content(asked.encode()).hex()}"

    def contents(self, batch: Batch) -> list[bytes]:
        assert batch.text_a is not None, "a language model reads texts"
        return text_contents(list(batch.text_a), None if batch.text_b is None else list(batch.text_b))

    def answer(self, batch: Batch) -> NDArray[np.float32]:
        """Log-probabilities, float32 of shape (N, C)."""
        assert batch.text_a is not None, "a language model reads texts"
        return self.ask(batch.text_a, batch.text_b)

    def ask(self, text_a: Sequence[str], text_b: Sequence[str] | None = None) -> NDArray[np.float32]:
        """The same for texts.

        Raises:
            InputError: a server that does not answer, a spent budget, or a model whose first answers name no class.
        """
        texts = list(text_a) if text_b is None else [f"{a}\n{b}" for a, b in zip(text_a, text_b, strict=True)]
        if not texts:
            return np.zeros((0, len(self.labels)), dtype=np.float32)
        mode = self._probed(texts[0])
        store = self._store(mode)
        jobs = [(text, turn) for text in texts for turn in range(self._turns(mode))]
        masses = side_by_side(lambda job: self._turn(job[0], job[1], mode, store), jobs)
        store.close()
        mass_NKC = np.stack(masses).reshape(len(texts), self._turns(mode), len(self.labels) + 1)
        self._count(mass_NKC)
        share_NC = _averaged(mass_NKC) if mode == "logprobs" else _voted(mass_NKC)
        return np.log(share_NC).astype(np.float32)

    def _turns(self, mode: str) -> int:
        """Calls a text: one a letter order, or the votes, whose orders alternate."""
        return min(self.orders, len(self.labels)) if mode == "logprobs" else self.votes

    def _store(self, mode: str) -> Answers:
        """Answered calls of a mode: mass of each class and of everything else, (C + 1,) a call."""
        return Answers(self.folder, f"{self.key}#{mode}", len(self.labels) + 1)

    def _probed(self, text: str) -> str:
        """`logprobs` where the first answer has some that can be believed, else `votes`; found once, and kept."""
        if self._mode is None:
            for mode in ("logprobs", "votes") if self.folder.exists() else ():
                store = self._store(mode)
                if len(store):
                    self._mode = mode
                store.close()
                if self._mode:
                    return self._mode
            self._mode = "logprobs" if self._has_logprobs(text) else "votes"
            if self._mode == "votes":
                logger.warning("%s gives no log-probabilities: %d votes a text instead", self.name, self.votes)
        return self._mode

    def _has_logprobs(self, text: str) -> bool:
        order = self._order(0)
        try:
            mass_C = letter_mass(self._call(text, order, "logprobs", 0), order)
        except Refused as refused:
            logger.info("%s: %s", self.name, refused)
            return False
        if mass_C is None:
            return False
        store = self._store("logprobs")
        store.write([self._content(text, 0)], mass_C[None])
        store.close()
        return True

    def _content(self, text: str, turn: int) -> bytes:
        return content(f"{turn}\0{text}".encode("utf-8", "surrogatepass"))

    def _turn(self, text: str, turn: int, mode: str, store: Answers) -> NDArray[np.float32]:
        """The mass of each class and of the rest in one call, kept or asked and kept at once."""
        place = [self._content(text, turn)]
        kept: NDArray[np.float32] = store.read(place)[0]
        if np.isfinite(kept).all():
            return kept
        order = self._order(turn)
        try:
            answer = self._call(text, order, mode, turn)
        except Refused as refused:
            raise InputError(self.name, str(refused), "a server that takes chat completions of one token") from None
        mass_C = letter_mass(answer, order) if mode == "logprobs" else None
        if mass_C is None:
            mass_C = letter_vote(answer, order, self.labels)
        store.write(place, mass_C[None])
        return mass_C

    def _order(self, turn: int) -> list[int]:
        """The class behind each letter: rotated from turn to turn."""
        count = len(self.labels)
        shift = turn * max(1, count // min(self.orders, count)) % count
        return [(index + shift) % count for index in range(count)]

    def _call(self, text: str, order: Sequence[int], mode: str, turn: int) -> Any:
        classes = "\n".join(f"{LETTERS[place]}) {self.labels[index]}" for place, index in enumerate(order))
        prompt = f"{self.instruction}\n{classes}\n\nText: {text[:LONGEST_TEXT]}\n\nLetter:"
        options: dict[str, Any] = {"max_tokens": 1, "temperature": 0.0, "logprobs": True, "top_logprobs": TOP}
        if mode == "votes":
            options = {"max_tokens": 4, "temperature": 1.0, "seed": turn}
        messages = [{"role": "user", "content": prompt}]
        try:
            return self.endpoint.chat(messages, **options)
        except Refused as refused:
            if "max_completion_tokens" not in str(refused):
                raise
            options["max_completion_tokens"] = options.pop("max_tokens")
            return self.endpoint.chat(messages, **options)

    def _count(self, mass_NKC: NDArray[np.float32]) -> None:
        rest_N = mass_NKC[:, :, -1].mean(axis=1)
        total = self.answered + len(rest_N)
        self.missing = (self.missing * self.answered + float(rest_N.sum())) / total
        self.refusals += int((rest_N > 0.999).sum())
        self.answered = total
        if self.refusals == self.answered and self.answered >= 5:
            raise InputError(
                self.name, f"{self.answered} answers that name no class", "a model that answers with a letter"
            )


def letter_vote(answer: Any, order: Sequence[int], labels: Sequence[str]) -> NDArray[np.float32]:
    """All mass on the class that an answer's text names, by letter or by name; on the last entry if it names none."""
    text = str((answer["choices"][0].get("message") or {}).get("content") or "").strip()
    mass_C = np.zeros(len(order) + 1, dtype=np.float32)
    letter = re.match(r"\W*([A-Ta-t])(?![A-Za-z])", text)
    named = [index for index, label in enumerate(labels) if text.casefold().startswith(label.casefold())]
    if letter and letter[1].upper() in LETTERS[: len(order)]:
        mass_C[order[LETTERS.index(letter[1].upper())]] = 1
    else:
        mass_C[named[0] if len(named) == 1 else -1] = 1
    return mass_C


def _averaged(mass_NKC: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean over letter orders of the classes' shares; equal shares where a call held no class."""
    class_NKC = np.maximum(mass_NKC[:, :, :-1].astype(np.float64), 1e-9)
    return np.asarray((class_NKC / class_NKC.sum(axis=2, keepdims=True)).mean(axis=1))


def _voted(mass_NKC: NDArray[np.float32]) -> NDArray[np.float64]:
    """The posterior mean of the classes' shares under Jeffreys' prior."""
    count_NC = mass_NKC[:, :, :-1].astype(np.float64).sum(axis=1) + PRIOR
    return np.asarray(count_NC / count_NC.sum(axis=1, keepdims=True))
