"""A language model behind an endpoint as a writer: its rewordings, read strictly, kept call by call.

    kdshift empirical augment --augmenter paraphrase --engine http://localhost:8000/v1#my-model < lines.txt

Shape suffix: B texts.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from empirical.augment.translation import Store
from empirical.augment.whole_texts import compared, texts_of
from empirical.endpoint import Endpoint, Refused, side_by_side
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.codec import encode_batch
from theory.errors import InputError

PROMPT = (
    "Rewrite the text in other words, changing about {share} % of them. Keep its meaning, its tone and its language. "
    "Answer with one line that begins with `1. ` and holds the new text alone.\n\nText: {text}"
)
LONGEST_TEXT = 6_000  # characters of a text that are shown
TRIES = 2  # answers that are read before a text stays as it was
TEMPERATURE, MOST_TOKENS = 0.8, 256


def written_line(answer: str) -> str | None:
    """The text of an answer that is one line `1. text` and nothing else; None for any other, refusals among them."""
    found = re.fullmatch(r"1[.)] +(\S.*)", answer.strip())
    if found is None:
        return None
    text = found[1].strip()
    quoted = len(text) > 1 and text[0] in "\"'“`" and text[-1] in "\"'”`"
    return (text[1:-1].strip() if quoted else text) or None


@dataclass
class Writer:
    """What an endpoint writes, each answer kept as it comes: no answered call is made again.

    calls, refused: answers asked for, and those that were no text, since this writer was made.
    """

    endpoint: Endpoint
    store: Store
    calls: int = 0
    refused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def spent_tokens(self) -> int:
        """Tokens to and from the endpoint since this writer was made."""
        return self.endpoint.budget.spent_tokens

    @property
    def kept_seconds(self) -> float:
        """What the answers that came from the store took when they were given."""
        return self.store.kept_seconds

    def write(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[str | None]:
        """A text for each prompt, several at once; None where the model wrote none in TRIES answers.

        Raises:
            InputError: a server that does not answer, or a spent budget; what was answered is kept.
        """
        return side_by_side(lambda job: self._written(*job), list(zip(prompts, seeds, strict=True)))

    def kept(self, prompt: str, what: str, seed: int, ask: Callable[[str], str]) -> str:
        """The answer to `prompt`, from the store or by `ask`; `what` names the kind of call."""
        return self.store.round_trip(
            _Once(f"{self.endpoint.name} {TEMPERATURE} {MOST_TOKENS} {what}", ask), [prompt], what, seed
        )[0]

    def _written(self, prompt: str, seed: int) -> str | None:
        for attempt in range(TRIES):
            if (text := written_line(self.kept(prompt, "text", seed + attempt, self._ask(seed + attempt)))) is not None:
                return text
            with self._lock:
                self.refused += 1
        return None

    def _ask(self, seed: int) -> Callable[[str], str]:
        def ask(prompt: str) -> str:
            with self._lock:
                self.calls += 1
            messages = [{"role": "user", "content": prompt}]
            try:
                answer = self.endpoint.chat(messages, temperature=TEMPERATURE, max_tokens=MOST_TOKENS, seed=seed)
            except Refused as refused:
                raise InputError(self.endpoint.name, str(refused), "a server that takes chat completions") from None
            return str((answer["choices"][0].get("message") or {}).get("content") or "")

        return ask


@dataclass(frozen=True)
class _Once:
    """One kind of call as the store sees it."""

    name: str
    ask: Callable[[str], str]
    pivots: tuple[str, ...] = ()
    random: bool = True

    def round_trip(self, texts: Sequence[str], pivot: str, seed: int) -> list[str]:
        return [self.ask(text) for text in texts]


@dataclass(frozen=True)
class Written:
    """What augmenters whose texts a language model writes have in common: made offline, priced by their writer.

    tokenizer: of the batches. max_length: tokens a new text (or pair) is cut to.
    """

    writer: Writer
    tokenizer: object
    max_length: int
    online: bool = field(default=False, init=False)
    at_once: bool = field(default=False, init=False)

    @property
    def kept_seconds(self) -> float:
        return self.writer.kept_seconds

    @property
    def spent_tokens(self) -> int:
        return self.writer.spent_tokens


@dataclass(frozen=True)
class Paraphrase(Written):
    """Texts reworded by a language model; labels are kept, and a text that it does not reword stays as it was.

    The nominal degree goes into the prompt; the realised one is measured (`whole_texts.compared`).
    """

    name: str = "paraphrase"

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """Reword every text (of a pair, each by itself)."""
        columns = texts_of(self.tokenizer, batch)
        flat = [text for column in columns for text in column]
        asked = [place for place, text in enumerate(flat) if text.strip()] if degree > 0 else []
        prompts = [PROMPT.format(share=round(100 * degree), text=flat[place][:LONGEST_TEXT]) for place in asked]
        seeds = rng.integers(0, 2**30, size=len(flat))
        for place, text in zip(asked, self.writer.write(prompts, [int(seeds[at]) for at in asked]), strict=True):
            flat[place] = text or flat[place]
        first, second = flat[: len(batch)], flat[len(batch) :] or None
        return compared(batch, encode_batch(self.tokenizer, first, second, self.max_length))
