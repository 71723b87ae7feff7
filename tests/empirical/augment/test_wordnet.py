"""WordNet's synonyms: no stop words, no base forms, and a word on how to install it."""

from __future__ import annotations

import pytest

from empirical.augment import wordnet as wordnet_module
from empirical.augment.wordnet import Thesaurus
from theory.errors import InputError


def test_wordnet_knows_no_stop_words_and_no_base_forms():
    thesaurus = Thesaurus.open()
    assert "automobile" in thesaurus("car") and "motorcar" in thesaurus("car")
    assert "dog" not in thesaurus("dogs") and "domestic dog" in thesaurus("dogs")
    for word in ("i", "the", "he", "t", "42", "qwertyzxcv", "don't", "naïve", ""):
        assert thesaurus(word) == ()
    assert all(word.lower() != "quick" for word in thesaurus("Quick"))


def test_missing_wordnet_names_both_commands(tmp_path, monkeypatch):
    import nltk

    def nowhere(resource, paths=None):
        raise LookupError(resource)

    monkeypatch.setattr(nltk.data, "find", nowhere)
    monkeypatch.setattr(wordnet_module, "DEBIAN", tmp_path / "none")
    with pytest.raises(InputError, match=r"apt-get install wordnet-base.*nltk.downloader wordnet"):
        Thesaurus.open(tmp_path / "other")
