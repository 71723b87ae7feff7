"""From a configuration to an augmenter: what each one needs, and a clear word where that is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment.codec import Codec
from empirical.augment.eda import EasyDataAugmentation
from empirical.augment.neighbours import neighbour_table
from empirical.augment.protocol import Augmenter
from empirical.augment.replacement import NearestNeighbours, RandomReplacement
from empirical.augment.synonym import Lexicon, SynonymReplacement
from empirical.augment.vocabulary import Vocabulary
from empirical.augment.wordnet import Thesaurus
from empirical.batch import Batch
from empirical.config import AUGMENTERS, AugmentConfig
from theory.errors import InputError, unknown_name

Teacher = Callable[[Batch], NDArray[np.floating]]


def make_augmenter(
    config: AugmentConfig,
    *,
    tokenizer: Any,
    embeddings: NDArray[np.float32] | None = None,
    held_out: Batch | None = None,
    held_out_labels: NDArray[np.integer] | None = None,
    teacher: Teacher | None = None,
    cache: Path | None = None,
) -> Augmenter:
    """The augmenter a configuration names.

    tokenizer: the fast tokenizer whose ids the batches hold.
    embeddings: float array of shape (V, D), needed by `knn`: input embeddings for this tokenizer's ids.
    held_out: texts outside the training subset, needed by `ground-truth`, and their gold labels.
    teacher: function from a batch to logits of shape (B, C), needed with `entropy_quantile`.
    cache: folder for neighbour tables and translations; None: the user's cache folder.

    Raises:
        InputError: an unknown name, or something an augmenter needs is missing here.
    """
    vocabulary = Codec.of(tokenizer).vocabulary
    if config.augmenter == "knn":
        return NearestNeighbours(_table(config, vocabulary, embeddings, cache))
    if config.augmenter == "random":
        return RandomReplacement.of(vocabulary)
    if config.augmenter in ("synonym", "eda"):
        lexicon = Lexicon(Codec.of(tokenizer), Thesaurus.open(cache))
        return SynonymReplacement(lexicon) if config.augmenter == "synonym" else EasyDataAugmentation(lexicon)
    raise unknown_name("augmenter", config.augmenter, AUGMENTERS)


def _table(
    config: AugmentConfig, vocabulary: Vocabulary, embeddings: NDArray[np.float32] | None, cache: Path | None
) -> NDArray[np.int32]:
    if embeddings is None:
        raise InputError("embeddings", None, "the input embeddings of a model with this tokenizer (augmenter knn)")
    if len(embeddings) < len(vocabulary):
        raise InputError("embeddings", f"{len(embeddings)} rows", f"a row for each of {len(vocabulary)} token ids")
    candidate_V = np.zeros(len(embeddings), dtype=bool)
    candidate_V[: len(vocabulary)] = vocabulary.ordinary_V
    folder = None if cache is None else cache / "neighbours"
    return neighbour_table(embeddings, candidate_V, config.neighbours, config.metric, folder)
