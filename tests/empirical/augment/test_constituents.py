"""Constituents of texts: from a parser once, from disk afterwards; spaCy's own where it is installed."""

from __future__ import annotations

import json

import pytest

from empirical.augment.constituents import Constituents, SpacyParser
from empirical.augment.translation import Store
from tests.empirical.augment.halving_parser import HalvingParser
from theory.errors import InputError

TEXTS = ["one two three four", "five", "", "one two three four"]


def test_spans_come_text_by_text_and_no_text_is_parsed_twice(tmp_path):
    parser = HalvingParser()
    constituents = Constituents(parser, Store(tmp_path / "parses.sqlite"))
    found = constituents(TEXTS)
    assert found == [HalvingParser.spans(text) for text in TEXTS]
    assert sorted(parser.asked) == sorted(set(TEXTS))
    again = Constituents(parser, Store(tmp_path / "parses.sqlite"))
    assert again(TEXTS[::-1]) == found[::-1]
    assert len(parser.asked) == len(set(TEXTS)), "another process reads what is on disk"


def test_spacy_finds_phrases():
    pytest.importorskip("spacy")
    text = "The quick brown fox jumped over the lazy dog"
    (spans,) = (json.loads(answer) for answer in SpacyParser().round_trip([text], "constituents", 0))
    phrases = {text[start:stop] for start, stop in spans}
    assert {"The quick brown fox", "over the lazy dog", "the lazy dog", "quick"} <= phrases
    assert spans == sorted(spans) and len({tuple(span) for span in spans}) == len(spans)


def test_a_missing_pipeline_is_told():
    pytest.importorskip("spacy")
    with pytest.raises(InputError, match=r"no_such_pipeline.*pip install 'kdshift\[parser\]'"):
        SpacyParser("no_such_pipeline").round_trip(["a text"], "constituents", 0)
