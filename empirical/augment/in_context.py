"""GPT3Mix's idea (Yoo et al. 2021, 2104.08826): a language model writes new texts after a few labelled ones.

What it then says of its own text, letter by letter, is that text's soft label. Made once, like every writer's texts:
`--augmenter in-context --engine http://localhost:8000/v1#my-model`. Shape suffixes: B texts, C classes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment.paraphrase import Written
from empirical.augment.whole_texts import compared
from empirical.endpoint import LETTERS, TOP, Refused, letter_mass, side_by_side
from empirical.tokens.batch import Augmented, Batch
from empirical.tokens.codec import encode_batch
from theory.errors import InputError

SHOWN = 4  # examples of a prompt
LONGEST_EXAMPLE = 1_000  # characters


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Labelled texts to learn from: texts, their class indices, the names of the C classes.

    Raises:
        InputError: more classes than letters, no text, or not a label a text.
    """

    texts: tuple[str, ...]
    label_N: NDArray[np.int64]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 1 < len(self.labels) <= len(LETTERS):
            raise InputError("labels", f"{len(self.labels)} classes", f"2 to {len(LETTERS)} for a language model")
        if not len(self.texts) == len(self.label_N) > 0:
            raise InputError("examples", f"{len(self.label_N)} labels of {len(self.texts)} texts", "one a text")

    def prompt(self, chosen: Sequence[int]) -> str:
        """The classes under their letters and the chosen examples."""
        classes = "\n".join(f"{LETTERS[at]}) {label}" for at, label in enumerate(self.labels))
        shown = "\n\n".join(
            f"Text: {' '.join(self.texts[row].split())[:LONGEST_EXAMPLE]}\nLetter: {LETTERS[self.label_N[row]]}"
            for row in chosen
        )
        return f"Texts with their classes.\n{classes}\n\n{shown}"


@dataclass(frozen=True)
class WrittenInContext(Written):
    """New texts with soft labels; they have nothing to do with those of the batch (`row_B` is -1).

    `logits_BC` holds the log-probabilities of the classes, `label_B` the most probable one. Where the model wrote no
    text, an example with its own label stands in.
    """

    examples: Examples = field(kw_only=True)
    name: str = "in-context"

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """As many new texts as the batch has; each sees SHOWN examples of its own, drawn without replacement."""
        count = min(SHOWN, len(self.examples.texts))
        chosen = [rng.choice(len(self.examples.texts), size=count, replace=False).tolist() for _ in range(len(batch))]
        seeds = rng.integers(0, 2**30, size=len(batch)).tolist()
        shown = [self.examples.prompt(rows) for rows in chosen]
        wanted = "Write one more text of the same kind: one line that begins with `1. ` and holds the new text alone."
        written = self.writer.write([f"{prompt}\n\n{wanted}" for prompt in shown], seeds)
        texts = [text or self.examples.texts[rows[0]] for text, rows in zip(written, chosen, strict=True)]
        prompts = [f"{prompt}\n\nText: {text}\nLetter:" for prompt, text in zip(shown, texts, strict=True)]
        p_BC = np.array(side_by_side(self._label, prompts), dtype=np.float64).reshape(len(batch), -1)
        for row, text in enumerate(written):
            if text is None:
                p_BC[row] = np.eye(len(self.examples.labels))[self.examples.label_N[chosen[row][0]]]
        p_BC = np.maximum(p_BC, 1e-6)
        return replace(
            compared(batch, encode_batch(self.tokenizer, texts, None, self.max_length)),
            row_B=np.full(len(batch), -1, dtype=np.int64),
            label_B=p_BC.argmax(axis=1).astype(np.int64),
            logits_BC=np.log(p_BC / p_BC.sum(axis=1, keepdims=True)).astype(np.float32),
        )

    def _label(self, prompt: str) -> list[float]:
        """The probabilities of the classes of the last text of a prompt."""
        return list(map(float, json.loads(self.writer.kept(prompt, "label", 0, self._asked))))

    def _asked(self, prompt: str) -> str:
        endpoint = self.writer.endpoint
        options: dict[str, Any] = {"max_tokens": 1, "temperature": 0.0, "logprobs": True, "top_logprobs": TOP}
        try:
            answer = endpoint.chat([{"role": "user", "content": prompt}], **options)
        except Refused as refused:
            raise InputError(endpoint.name, str(refused), "a server that gives log-probabilities") from None
        mass_C = letter_mass(answer, range(len(self.examples.labels)))
        if mass_C is None:
            raise InputError(endpoint.name, "no believable log-probabilities", "a server that gives them (in-context)")
        share_C = mass_C[:-1] / mass_C[:-1].sum()
        return json.dumps([round(float(share), 6) for share in share_C])
