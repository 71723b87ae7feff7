"""A bank's files: ragged token ids of augmented copies and a teacher's answers to them, a checksum in every file.

    <bank>/bank.json                                   what it is
    <bank>/copies/<augmenter>/degree-0.3/copy-000/block-00000.npz
    <bank>/answers/<teacher>/<augmenter>/...           logits, in the same places
Shapes: N texts, T tokens, C classes.
"""

from __future__ import annotations

import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.files import replacing
from empirical.tokens.batch import Augmented
from empirical.tokens.corpus import Corpus

logger = logging.getLogger(__name__)

SHORT = np.iinfo(np.uint16).max


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Augmented copies of N texts, in the order of their originals.

    corpus: their token ids. eligible_N, changed_N: tokens that could change and that did, as the augmenter counts.
    """

    corpus: Corpus
    eligible_N: NDArray[np.int64]
    changed_N: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.corpus)


def copies_of(augmented: Augmented, pad_id: int) -> Copies:
    """What an augmenter returned, without padding."""
    assert augmented.row_B is None or np.array_equal(augmented.row_B, np.arange(len(augmented.batch)))
    batch = augmented.batch
    length_N = batch.mask_BL.sum(axis=1).astype(np.int64)
    return _copies(
        batch.ids_BL[batch.mask_BL],
        batch.segment_BL[batch.mask_BL],
        length_N,
        augmented.eligible_B.astype(np.int64),
        augmented.changed_B.astype(np.int64),
        pad_id,
    )


def _copies(
    ids_T: NDArray[np.integer],
    segment_T: NDArray[np.int8],
    length_N: NDArray[np.int64],
    eligible_N: NDArray[np.int64],
    changed_N: NDArray[np.int64],
    pad_id: int,
) -> Copies:
    corpus = Corpus(
        ids=ids_T.astype(np.int32),
        eligible=np.zeros(len(ids_T), dtype=bool),
        segment=segment_T,
        length_N=length_N,
        start_N=np.concatenate([[0], np.cumsum(length_N)[:-1]]).astype(np.int64),
        pad_id=pad_id,
    )
    return Copies(corpus=corpus, eligible_N=eligible_N, changed_N=changed_N)


def write_copies(path: Path, copies: Copies) -> None:
    """Keep copies at `path`, whole or not at all; two bytes a token where the vocabulary allows."""
    corpus = copies.corpus
    small = np.uint16 if corpus.ids.max(initial=0) <= SHORT else np.int32
    arrays = {
        "ids": corpus.ids.astype(small),
        "length": corpus.length_N.astype(np.uint16),
        "eligible": copies.eligible_N.astype(np.uint16),
        "changed": copies.changed_N.astype(np.uint16),
    }
    if corpus.segment.any():
        arrays["segment"] = corpus.segment
    _write(path, arrays)


def read_copies(path: Path, size: int, pad_id: int) -> Copies | None:
    """The copies kept at `path`, or None where there are none, fewer than `size`, or the file is damaged."""
    arrays = _read(path, ("ids", "length", "eligible", "changed"))
    if arrays is None or len(arrays["length"]) < size:
        return None
    segment_T = arrays.get("segment", np.zeros(len(arrays["ids"]), dtype=np.int8))
    length_N, eligible_N, changed_N = (arrays[name].astype(np.int64) for name in ("length", "eligible", "changed"))
    return _copies(arrays["ids"], segment_T, length_N, eligible_N, changed_N, pad_id)


def write_logits(path: Path, logits_NC: NDArray[np.float32]) -> None:
    """Keep a teacher's answers at `path`, whole or not at all."""
    _write(path, {"logits": logits_NC})


def read_logits(path: Path, size: int, classes: int) -> NDArray[np.float32] | None:
    """The first `size` answers kept at `path`, (size, classes), or None: fewer, or a damaged file."""
    arrays = _read(path, ("logits",))
    if arrays is None or len(arrays["logits"]) < size or arrays["logits"].shape[1:] != (classes,):
        return None
    return np.asarray(arrays["logits"][:size], dtype=np.float32)


def _write(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    with replacing(path) as draft, draft.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # a mapping of arrays is what it takes


def _read(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]] | None:
    """The arrays of a file (zip checks a checksum of each); a damaged file is named and counts as missing."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        logger.warning("%s is damaged (%s); it is made anew", path, error)
        return None
    if missing := [name for name in names if name not in arrays]:
        logger.warning("%s is damaged (no %s); it is made anew", path, missing[0])
        return None
    return arrays
