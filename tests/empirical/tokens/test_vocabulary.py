"""What a vocabulary's tables say of the ids of three kinds of tokenizers, against what the tokenizers themselves do."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.tokens.vocabulary import Vocabulary
from tests.empirical.three_tokenizers import TEXT_A, TOKENIZERS, tokenizer_of
from tests.empirical.tiny_kd import SPECIAL, WORDS
from tests.empirical.tiny_kd import tokenizer as word_tokenizer
from theory.errors import InputError


@pytest.fixture(scope="module", params=TOKENIZERS)
def tokenizer(request):
    return tokenizer_of(request.param)


@pytest.fixture(scope="module")
def vocabulary(tokenizer):
    return Vocabulary.of(tokenizer)


def test_tables_have_one_entry_a_token(tokenizer, vocabulary):
    tables = (value for value in vars(vocabulary).values() if isinstance(value, np.ndarray))
    assert {len(table) for table in tables} == {len(vocabulary)} == {len(tokenizer)}
    assert vocabulary.pad_id == tokenizer.pad_token_id


def test_special_tokens_are_the_tokenizers_and_never_ordinary(tokenizer, vocabulary):
    assert set(np.flatnonzero(vocabulary.special_V)) == set(tokenizer.all_special_ids)
    assert not (vocabulary.special_V & vocabulary.ordinary_V).any()
    assert vocabulary.ordinary_V.mean() > 0.3


def test_ordinary_tokens_read_as_something(tokenizer, vocabulary):
    """No replacement is empty, an unused place of the vocabulary, or half a character."""
    ordinary = [vocabulary.surfaces[index] for index in np.flatnonzero(vocabulary.ordinary_V)]
    assert all(surface.strip() and "�" not in surface and not surface.startswith("[unused") for surface in ordinary)


@pytest.mark.parametrize("text", [TEXT_A[1].replace("'", ""), "unbelievably lazy dogs", "how", "the the the"])
def test_every_word_of_a_text_begins_once(tokenizer, vocabulary, text):
    ids = tokenizer(" " + text, add_special_tokens=False)["input_ids"]
    assert vocabulary.starts_V[ids].sum() == len(text.split()) and vocabulary.starts_V[ids[0]]


def test_surfaces_put_together_read_as_the_text(tokenizer, vocabulary):
    ids = tokenizer("how do you know", add_special_tokens=False)["input_ids"]
    words = "".join((" " if vocabulary.starts_V[index] else "") + vocabulary.surfaces[index] for index in ids)
    assert words.strip() == "how do you know"


def test_letters_apostrophes_and_clitics_are_told_by_the_surface(vocabulary):
    for index, surface in enumerate(vocabulary.surfaces):
        assert vocabulary.begins_alnum_V[index] == (bool(surface) and surface[0].isalnum())
        assert vocabulary.ends_alnum_V[index] == (bool(surface) and surface[-1].isalnum())
    marked = {vocabulary.surfaces[index] for index in np.flatnonzero(vocabulary.apostrophe_V)}
    assert marked <= {"'", "’"} and "'" in marked
    assert {vocabulary.surfaces[index].lower() for index in np.flatnonzero(vocabulary.clitic_V)} >= {"t", "s"}


def test_whole_words_all_begin_one_and_unused_places_are_not_ordinary():
    """A word-level tokenizer has no marks: every token is a word of its own."""
    vocabulary = Vocabulary.of(word_tokenizer(["[unused3]", "<extra_id_7>", "madeupword0001", "<0x0A>", *WORDS]))
    assert vocabulary.starts_V.all() and vocabulary.max_length is None
    assert np.flatnonzero(~vocabulary.ordinary_V).tolist() == list(range(len(SPECIAL) + 4))


def test_the_longest_row_is_the_models_where_it_says():
    reader = word_tokenizer()
    reader.model_max_length = 48
    assert Vocabulary.of(reader).max_length == 48


def test_a_tokenizer_without_a_fast_backend_is_refused():
    class Slow:
        backend_tokenizer = None

    with pytest.raises(InputError, match=r"tokenizer.*Slow.*tokenizer\.json"):
        Vocabulary.of(Slow())
