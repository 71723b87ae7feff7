"""From a configuration to an augmenter: what each one needs, and a clear word where that is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empirical.augment.alone import Alone
from empirical.augment.augpro import AugProFGSM, AugProMix
from empirical.augment.catalogue import needs_of, selects, textless
from empirical.augment.causal import CausalModel, InContext
from empirical.augment.constituents import Constituents, SpacyParser
from empirical.augment.contextual import Contextual, ContextualInsertion
from empirical.augment.eda import EasyDataAugmentation
from empirical.augment.entropy_filter import EntropyFilter
from empirical.augment.flip import LabelFlip
from empirical.augment.flipda import FlipDA, SpanFiller
from empirical.augment.glitter import Glitter
from empirical.augment.in_context import Examples, WrittenInContext
from empirical.augment.masked_model import MaskedModel
from empirical.augment.mixkd import MixKD
from empirical.augment.neighbours import neighbour_table
from empirical.augment.network import Network, Scorer
from empirical.augment.paraphrase import Paraphrase, Writer
from empirical.augment.projection import unit_rows
from empirical.augment.protocol import Augmenter
from empirical.augment.replacement import NearestNeighbours, RandomReplacement
from empirical.augment.seq2seq import PAPER_PIVOTS, Seq2Seq
from empirical.augment.synonym import Lexicon, SynonymReplacement
from empirical.augment.translation import Apertium, Store, Translator
from empirical.augment.treemix import TreeMix
from empirical.augment.whole_texts import BackTranslation, GroundTruth
from empirical.augment.wordnet import Thesaurus
from empirical.config import AUGMENTERS, AugmentConfig
from empirical.endpoint import Budget, Endpoint
from empirical.files import cache_directory
from empirical.tokens.batch import Batch
from empirical.tokens.codec import Codec
from theory.errors import InputError, unknown_name
from theory.progress_report import Progress

DEFAULT_MAX_LENGTH = 512
TEACHER_COMMAND = "made by `kdshift empirical finetune`"
STUDENT_COMMAND = "made by `kdshift empirical distill`"


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What augmenters may need of the rooms above; `catalogue.needs_of` says which of it a configuration does.

    tokenizer: the fast tokenizer whose ids the batches hold.
    embeddings: float array of shape (V, D): input embeddings for this tokenizer's ids.
    held_out: texts outside the training subset, and their gold labels. examples: labelled texts to show.
    teacher: function from a batch to logits of shape (B, C). network: the same teacher with its gradient.
    student: a trained student that reads the same ids.
    labels: names of the classes, in the order of the teacher's logits.
    cache: folder for WordNet, translations and parses; None: the user's cache folder.
    tables: folder for neighbour tables; None: the user's, which all results share.
    max_length: tokens that texts which grew are cut to; None: the tokenizer's own limit.
    progress: of what takes long (a neighbour table, translations by a model).
    """

    tokenizer: Any
    embeddings: NDArray[np.float32] | None = None
    held_out: Batch | None = None
    held_out_labels: NDArray[np.integer] | None = None
    examples: Examples | None = None
    teacher: Scorer | None = None
    network: Network | None = None
    student: Network | None = None
    labels: Sequence[str] | None = None
    cache: Path | None = None
    tables: Path | None = None
    max_length: int | None = None
    progress: Progress | None = None

    @property
    def codec(self) -> Codec:
        return Codec.of(self.tokenizer)

    @property
    def limit(self) -> int:
        """Tokens that whole new texts are cut to."""
        return self.max_length or self.codec.vocabulary.max_length or DEFAULT_MAX_LENGTH


def make_augmenter(config: AugmentConfig, **sources: Any) -> Augmenter:
    """The augmenter a configuration names, with its selection; `sources` are the fields of `Sources`.

    Raises:
        InputError: an unknown name, or something an augmenter needs is missing here.
    """
    given = Sources(**sources)
    _check(config, given)
    augmenter = _plain(config, given)
    if not selects(config):
        return augmenter
    assert given.teacher is not None
    if config.selection == "glitter":
        assert given.student is not None
        return Glitter(augmenter, given.teacher, given.student, config.candidates)
    assert config.entropy_quantile is not None
    return EntropyFilter(augmenter, given.teacher, config.entropy_quantile, config.selection)


def _check(config: AugmentConfig, given: Sources) -> None:
    """Raise InputError for the first thing that is needed and missing, with what brings it."""
    needs = needs_of(config)
    what = f"selection {config.selection}" if selects(config) else f"augmenter {config.augmenter}"
    if config.selection == "glitter" and textless(config.augmenter):
        raise InputError("selection", "glitter", f"another one with {config.augmenter}, which makes no texts")
    if "embeddings" in needs and given.embeddings is None:
        allowed = f"the input embeddings of a model with this tokenizer (augmenter {config.augmenter})"
        raise InputError("embeddings", None, allowed)
    if needs & {"teacher", "teacher-gradient"} and given.teacher is None and given.network is None:
        allowed = f"one to ask ({what}): --teacher DIR, {TEACHER_COMMAND}"
        raise InputError("teacher", None, allowed)
    if "student" in needs and given.student is None:
        raise InputError("student", config.student, f"a trained student ({what}): --student DIR, {STUDENT_COMMAND}")
    if "labels" in needs and given.labels is None:
        raise InputError("labels", None, f"the names of the classes ({what}): a teacher {TEACHER_COMMAND} has them")
    if "held-out" in needs and (given.held_out is None or not len(given.held_out)):
        raise InputError(
            "augmenter", "ground-truth", "only with held-out texts: --held-out FILE, or in a run a data_size below all"
        )
    if "examples" in needs and given.examples is None:
        raise InputError("augmenter", config.augmenter, "only where single texts with labels can be shown (runs, cost)")


def _plain(config: AugmentConfig, given: Sources) -> Augmenter:
    """The augmenter without its selection, from sources that have been checked."""
    match config.augmenter:
        case "knn":
            return NearestNeighbours(_table(config, given, given.embeddings))
        case "random":
            return RandomReplacement.of(given.codec.vocabulary)
        case "synonym":
            return SynonymReplacement(Lexicon(given.codec, Thesaurus.open(given.cache)), given.max_length)
        case "eda":
            return EasyDataAugmentation(Lexicon(given.codec, Thesaurus.open(given.cache)), given.max_length)
        case "back-translation":
            store = Store((given.cache or cache_directory()) / "translations.sqlite")
            return BackTranslation(make_translator(config, given.progress), store, given.tokenizer, given.limit)
        case "ground-truth":
            assert given.held_out is not None
            return GroundTruth(given.held_out, given.held_out_labels)
    return _related(config, given)


def _related(config: AugmentConfig, given: Sources) -> Augmenter:
    """The augmenters of the related work, from sources that have been checked."""
    vocabulary = given.codec.vocabulary
    match config.augmenter:
        case "augpro-mix":
            assert given.embeddings is not None
            table_VK = _table(config, given, given.embeddings)
            ordinary_V = np.pad(vocabulary.ordinary_V, (0, len(given.embeddings) - len(vocabulary)))
            return AugProMix(table_VK, unit_rows(given.embeddings), ordinary_V)
        case "augpro-fgsm":
            assert given.teacher is not None and given.student is not None
            own_VD = given.student.embeddings_VD
            return AugProFGSM(_table(config, given, own_VD), unit_rows(own_VD), given.teacher, given.student)
        case "flip" | "flip-before":
            if given.network is None:
                raise InputError("teacher", "without its embeddings", f"a model on this machine ({config.augmenter})")
            table_VK = _table(config, given, given.network.embeddings_VD)
            alone = Alone(given.network, given.codec.frame())
            return LabelFlip(given.network, table_VK, alone, before=config.augmenter == "flip-before")
        case "contextual" | "mate-kd":
            masked = MaskedModel(config.language_model, given.tokenizer)
            return Contextual(masked, config.neighbours, config.augmenter)
        case "contextual-insert":
            masked = MaskedModel(config.language_model, given.tokenizer)
            return ContextualInsertion(masked, vocabulary, config.neighbours, given.max_length)
        case "knn-in-context":
            table_VK = _table(config, given, given.embeddings)
            return InContext(table_VK, CausalModel(config.language_model), given.tokenizer)
        case "treemix":
            store = Store((given.cache or cache_directory()) / "parses.sqlite")
            return TreeMix(Constituents(SpacyParser(), store), given.tokenizer, given.max_length)
        case "mixkd":
            return MixKD()
        case "flipda":
            return _flipda(config, given)
        case "paraphrase":
            return Paraphrase(_writer(config, given), given.tokenizer, given.limit)
        case "in-context":
            assert given.examples is not None
            return WrittenInContext(_writer(config, given), given.tokenizer, given.limit, examples=given.examples)
    raise unknown_name("augmenter", config.augmenter, AUGMENTERS)


def _flipda(config: AugmentConfig, given: Sources) -> FlipDA:
    assert given.teacher is not None and given.labels is not None
    if not all(field in config.pattern for field in ("{text}", "{label}")):
        raise InputError("pattern", config.pattern, "a sentence with {text} and {label} in it")
    return FlipDA(
        SpanFiller(config.language_model),
        given.teacher,
        tuple(given.labels),
        given.tokenizer,
        given.limit,
        config.pattern,
        config.candidates,
    )


def _writer(config: AugmentConfig, given: Sources) -> Writer:
    """The language model behind the endpoint that a configuration names, with the texts it has written before."""
    if config.engine is None:
        raise InputError("engine", None, f"http://host/v1#model (augmenter {config.augmenter})")
    endpoint = Endpoint.parse(config.engine, Budget(calls=config.calls, tokens=config.tokens), "engine")
    return Writer(endpoint, Store((given.cache or cache_directory()) / "written.sqlite"))


def make_translator(config: AugmentConfig, progress: Progress | None = None) -> Translator:
    """The translator that a configuration of back-translation names; no program is started, no weights are loaded.

    Raises:
        InputError: Apertium is not installed, or cannot go through the pivots asked for.
    """
    engine = config.engine or "apertium"
    if engine == "apertium":
        if config.pivots not in (None, Apertium.pivots):
            raise InputError("pivots", config.pivots, f"{Apertium.pivots} with the engine apertium")
        return Apertium()
    return Seq2Seq(engine, config.pivots or PAPER_PIVOTS, config.decoding, progress=progress)


def _table(config: AugmentConfig, given: Sources, embeddings: NDArray[np.float32] | None) -> NDArray[np.int32]:
    assert embeddings is not None
    vocabulary = given.codec.vocabulary
    if len(embeddings) < len(vocabulary):
        raise InputError("embeddings", f"{len(embeddings)} rows", f"a row for each of {len(vocabulary)} token ids")
    candidate_V = np.zeros(len(embeddings), dtype=bool)
    candidate_V[: len(vocabulary)] = vocabulary.ordinary_V
    return neighbour_table(embeddings, candidate_V, config.neighbours, config.metric, given.tables, given.progress)
