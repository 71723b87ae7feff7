"""Text to token batches and back, for any fast tokenizer, from any thread.

An uncased tokenizer lower-cases and strips accents itself; nothing here does. Shapes: B texts, L tokens.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from empirical.tokens.batch import Batch, padded
from empirical.tokens.protection import protected_batch
from empirical.tokens.vocabulary import Vocabulary

_codecs: weakref.WeakKeyDictionary[Any, Codec] = weakref.WeakKeyDictionary()
_codecs_lock = threading.Lock()


@dataclass(frozen=True)
class Codec:
    """A tokenizer's private copy of its Rust backend: truncation is state there, so each call holds the lock."""

    vocabulary: Vocabulary
    backend: Tokenizer
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, tokenizer: Any) -> Codec:
        """The codec of a tokenizer, built once and dropped with it."""
        with _codecs_lock:
            if tokenizer not in _codecs:
                vocabulary = Vocabulary.of(tokenizer)
                backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
                backend.no_padding()
                _codecs[tokenizer] = cls(vocabulary, backend)
            return _codecs[tokenizer]

    def encodings(
        self, text_a: Sequence[str], text_b: Sequence[str] | None, max_length: int, offsets: bool
    ) -> list[Any]:
        """The backend's encodings of texts or pairs, cut to `max_length` tokens (of a pair, the longer text first)."""
        items = list(text_a) if text_b is None else list(zip(text_a, text_b, strict=True))
        with self.lock:
            self.backend.enable_truncation(max_length)
            return self.backend.encode_batch(items) if offsets else self.backend.encode_batch_fast(items)

    def pieces(self, text: str) -> tuple[int, ...]:
        """The token ids of a bare piece of text, without special tokens."""
        with self.lock:
            self.backend.no_truncation()
            return tuple(self.backend.encode(text, add_special_tokens=False).ids)

    def frame(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The special tokens that stand before and after every single text."""
        with self.lock:
            self.backend.no_truncation()
            encoding = self.backend.encode("a")
        own = [place for place, special in enumerate(encoding.special_tokens_mask) if not special]
        return tuple(encoding.ids[: own[0]]), tuple(encoding.ids[own[-1] + 1 :])


def encode_batch(
    tokenizer: Any,
    text_a: Sequence[str],
    text_b: Sequence[str] | None,
    max_length: int,
    protected: re.Pattern[str] | None = None,
) -> Batch:
    """Texts (or pairs) as a batch of token ids, padded to the longest of them, as the tokenizer itself would do it.

    tokenizer: any fast Hugging Face tokenizer.
    text_a, text_b: B texts each; `text_b` None for single texts.
    max_length: tokens a text or pair is cut to, special ones included.
    protected: tokens of what it matches are not eligible (masks of entities).
    Returns a Batch that also keeps the texts (for augmenters that work on text).

    Raises:
        InputError: the tokenizer has no fast backend.
    """
    codec = Codec.of(tokenizer)
    encodings = codec.encodings(text_a, text_b, max_length, offsets=protected is not None)
    batch = batch_of(codec.vocabulary, encodings, text_a, text_b)
    return batch if protected is None else protected_batch(batch, encodings, protected)


def batch_of(
    vocabulary: Vocabulary, encodings: Sequence[Any], text_a: Sequence[str], text_b: Sequence[str] | None
) -> Batch:
    """The batch of a list of `tokenizers` encodings: eligible are the tokens of both texts that are not special."""
    ids_BL, mask_BL = padded([encoding.ids for encoding in encodings], vocabulary.pad_id, np.int32)
    segment_BL = np.zeros(ids_BL.shape, dtype=np.int8)
    if text_b is not None:
        sequence_BL, _ = padded([_sequence(encoding) for encoding in encodings], 0, np.int8)
        # The separator after a text belongs to that text, as in BERT's token types.
        segment_BL = np.where(mask_BL, np.maximum.accumulate(sequence_BL, axis=1), 0).astype(np.int8)
    return Batch(
        ids_BL=ids_BL,
        mask_BL=mask_BL,
        eligible_BL=mask_BL & ~vocabulary.special_V[ids_BL],
        segment_BL=segment_BL,
        text_a=tuple(text_a),
        text_b=None if text_b is None else tuple(text_b),
    )


def _sequence(encoding: Any) -> list[int]:
    return [index or 0 for index in encoding.sequence_ids]


def decode_batch(tokenizer: Any, batch: Batch) -> tuple[list[str], list[str] | None]:
    """The texts of a batch that does not keep them, as its tokenizer spells them (an uncased one in lower case).

    Returns B first texts, and B second ones or None where no row has one. Unknown tokens are left out.
    """
    keep_BL = batch.mask_BL & ~Codec.of(tokenizer).vocabulary.special_V[batch.ids_BL]
    first = _decode(tokenizer, batch.ids_BL, keep_BL & (batch.segment_BL == 0))
    if not batch.segment_BL.any():
        return first, None
    return first, _decode(tokenizer, batch.ids_BL, keep_BL & (batch.segment_BL == 1))


def _decode(tokenizer: Any, ids_BL: NDArray[np.int32], keep_BL: NDArray[np.bool_]) -> list[str]:
    rows = [ids_L[keep_L].tolist() for ids_L, keep_L in zip(ids_BL, keep_BL, strict=True)]
    codec = Codec.of(tokenizer)
    with codec.lock:
        return [text.strip() for text in codec.backend.decode_batch(rows, skip_special_tokens=True)]


def tokenizer_key(tokenizer: Any) -> str:
    """A name for what a tokenizer does: equal for the tokenizers of a model and of its fine-tuned copies."""
    parts = json.loads(tokenizer.backend_tokenizer.to_str())
    parts.pop("truncation", None)
    parts.pop("padding", None)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
