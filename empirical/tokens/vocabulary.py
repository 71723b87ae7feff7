"""What an augmenter must know of a tokenizer: which ids are ordinary tokens, which begin a word, how they read.

Serves WordPiece (BERT), Unigram and Metaspace BPE (T5, SentencePiece) and byte-level BPE (RoBERTa, GPT-2) alike.
Shape suffix V: one entry a token id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.errors import InputError

WORD_MARKS = ("▁", "Ġ")
APOSTROPHES = ("'", "’")
CLITICS = ("s", "t", "re", "ve", "ll", "d", "m")
# Unused places of a vocabulary, control tokens, bare white space, and bytes that are only part of a character.
NOT_TEXT = re.compile(r"|.*\ufffd.*|\[unused\d*\]|<unused\d*>|<extra_id_\d+>|madeupword\d+|<0x[0-9A-Fa-f]{2}>")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Tables over token ids, built once a tokenizer by `Vocabulary.of`.

    special_V: bool, never part of a text (start, separator, padding, unknown, mask and other control tokens).
    ordinary_V: bool, tokens a replacement may be drawn from: not special, not unused, not empty.
    starts_V: bool, tokens that begin a word by their own mark (no `##`, or a leading `▁` or `Ġ`).
    begins_alnum_V, ends_alnum_V: bool, tokens whose first (last) character is a letter or digit.
    apostrophe_V, clitic_V: bool, the apostrophe, and what follows it in contractions ("t" of "don't").
    surfaces: how each token reads, without its mark.
    pad_id: what fills the right of a row.
    max_length: longest row the tokenizer's model takes, None where it does not say.
    """

    special_V: NDArray[np.bool_]
    ordinary_V: NDArray[np.bool_]
    starts_V: NDArray[np.bool_]
    begins_alnum_V: NDArray[np.bool_]
    ends_alnum_V: NDArray[np.bool_]
    apostrophe_V: NDArray[np.bool_]
    clitic_V: NDArray[np.bool_]
    surfaces: tuple[str, ...]
    pad_id: int
    max_length: int | None

    def __len__(self) -> int:
        return len(self.surfaces)

    @classmethod
    def of(cls, tokenizer: Any) -> Vocabulary:
        """The tables of a fast Hugging Face tokenizer.

        Raises:
            InputError: the tokenizer has no fast (Rust) backend.
        """
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise InputError("tokenizer", type(tokenizer).__name__, "a fast tokenizer (with tokenizer.json)")
        by_id = {index: token for token, index in backend.get_vocab(with_added_tokens=True).items()}
        size = max(by_id) + 1
        special = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
        special |= set(tokenizer.all_special_ids)
        tokens = [by_id.get(index, "") for index in range(size)]
        model = json.loads(backend.to_str())["model"]
        prefix = model.get("continuing_subword_prefix") if model.get("type") == "WordPiece" else None
        surfaces = tuple(_surfaces(tokens, backend.decoder, prefix))
        special_V = np.isin(np.arange(size), np.fromiter(special, dtype=np.int64, count=len(special)))
        text_V = np.array([NOT_TEXT.fullmatch(surface) is None for surface in surfaces])
        limit = getattr(tokenizer, "model_max_length", None)
        return cls(
            special_V=special_V,
            ordinary_V=text_V & ~special_V,
            starts_V=_word_starts(tokens, model.get("type"), prefix),
            begins_alnum_V=np.array([surface[:1].isalnum() for surface in surfaces]),
            ends_alnum_V=np.array([surface[-1:].isalnum() for surface in surfaces]),
            apostrophe_V=np.array([surface in APOSTROPHES for surface in surfaces]),
            clitic_V=np.array([surface.lower() in CLITICS for surface in surfaces]),
            surfaces=surfaces,
            pad_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0,
            max_length=int(limit) if limit and limit < 10**6 else None,
        )


def _surfaces(tokens: list[str], decoder: Any, prefix: str | None) -> Iterator[str]:
    for token in tokens:
        # A WordPiece decoder leaves the mark on a lone piece; the others turn their marks into spaces and characters.
        yield token.removeprefix(prefix or "") if prefix or decoder is None else decoder.decode([token]).strip()


def _word_starts(tokens: list[str], kind: str | None, prefix: str | None) -> NDArray[np.bool_]:
    if prefix:
        return np.array([not token.startswith(prefix) for token in tokens])
    if kind == "WordLevel":
        return np.ones(len(tokens), dtype=bool)
    return np.array([token.startswith(WORD_MARKS) for token in tokens])
