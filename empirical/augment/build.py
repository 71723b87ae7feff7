"""From a configuration to an augmenter: what each one needs, and a clear word where that is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment.eda import EasyDataAugmentation
from empirical.augment.entropy_filter import EntropyFilter, Scorer
from empirical.augment.neighbours import neighbour_table
from empirical.augment.protocol import Augmenter
from empirical.augment.replacement import NearestNeighbours, RandomReplacement
from empirical.augment.seq2seq import PAPER_PIVOTS, Seq2Seq
from empirical.augment.synonym import Lexicon, SynonymReplacement
from empirical.augment.translation import Apertium, Store, Translator
from empirical.augment.whole_texts import BackTranslation, GroundTruth
from empirical.augment.wordnet import Thesaurus
from empirical.config import AUGMENTERS, AugmentConfig
from empirical.files import cache_directory
from empirical.tokens.batch import Batch
from empirical.tokens.codec import Codec
from empirical.tokens.vocabulary import Vocabulary
from theory.errors import InputError, unknown_name

DEFAULT_MAX_LENGTH = 512


def make_augmenter(
    config: AugmentConfig,
    *,
    tokenizer: Any,
    embeddings: NDArray[np.float32] | None = None,
    held_out: Batch | None = None,
    held_out_labels: NDArray[np.integer] | None = None,
    teacher: Scorer | None = None,
    cache: Path | None = None,
    max_length: int | None = None,
) -> Augmenter:
    """The augmenter a configuration names.

    tokenizer: the fast tokenizer whose ids the batches hold.
    embeddings: float array of shape (V, D), needed by `knn`: input embeddings for this tokenizer's ids.
    held_out: texts outside the training subset, needed by `ground-truth`, and their gold labels.
    teacher: function from a batch to logits of shape (B, C), needed with `entropy_quantile`.
    cache: folder for neighbour tables, WordNet and translations; None: the user's cache folder.
    max_length: tokens that texts which grew are cut to; None: the tokenizer's own limit.

    Raises:
        InputError: an unknown name, or something an augmenter needs is missing here.
    """
    augmenter = _plain(config, tokenizer, embeddings, held_out, held_out_labels, cache, max_length)
    if config.entropy_quantile is None:
        return augmenter
    if teacher is None:
        raise InputError("entropy_quantile", config.entropy_quantile, "only where there is a teacher to ask")
    return EntropyFilter(augmenter, teacher, config.entropy_quantile)


def _plain(
    config: AugmentConfig,
    tokenizer: Any,
    embeddings: NDArray[np.float32] | None,
    held_out: Batch | None,
    held_out_labels: NDArray[np.integer] | None,
    cache: Path | None,
    max_length: int | None,
) -> Augmenter:
    codec = Codec.of(tokenizer)
    match config.augmenter:
        case "knn":
            return NearestNeighbours(_table(config, codec.vocabulary, embeddings, cache))
        case "random":
            return RandomReplacement.of(codec.vocabulary)
        case "synonym":
            return SynonymReplacement(Lexicon(codec, Thesaurus.open(cache)), max_length)
        case "eda":
            return EasyDataAugmentation(Lexicon(codec, Thesaurus.open(cache)), max_length)
        case "back-translation":
            store = Store((cache or cache_directory()) / "translations.sqlite")
            limit = max_length or codec.vocabulary.max_length or DEFAULT_MAX_LENGTH
            return BackTranslation(make_translator(config), store, tokenizer, limit)
        case "ground-truth":
            if held_out is None or not len(held_out):
                raise InputError(
                    "augmenter", "ground-truth", "only where there are held-out texts (data_size below all)"
                )
            return GroundTruth(held_out, held_out_labels)
    raise unknown_name("augmenter", config.augmenter, AUGMENTERS)


def make_translator(config: AugmentConfig) -> Translator:
    """The translator that a configuration of back-translation names; no program is started, no weights are loaded.

    Raises:
        InputError: Apertium is not installed, or cannot go through the pivots asked for.
    """
    engine = config.engine or "apertium"
    if engine == "apertium":
        if config.pivots not in (None, Apertium.pivots):
            raise InputError("pivots", config.pivots, f"{Apertium.pivots} with the engine apertium")
        return Apertium()
    return Seq2Seq(engine, config.pivots or PAPER_PIVOTS, config.decoding)


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
