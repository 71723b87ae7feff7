"""Words as the unit of synonym replacement and EDA: whole, once, within their text, counted as documented."""

from __future__ import annotations

import numpy as np
import pytest
from transformers import AutoTokenizer

from empirical.augment import make_augmenter
from empirical.augment import wordnet as wordnet_module
from empirical.augment.eda import EasyDataAugmentation, _shares
from empirical.augment.synonym import Lexicon, SynonymReplacement
from empirical.augment.wordnet import Thesaurus
from empirical.augment.words import Words
from empirical.config import AugmentConfig
from empirical.models.minilm import minilm_path
from empirical.randomness import step_generator
from empirical.tokens.codec import Codec, encode_batch
from theory.errors import InputError

SYNONYMS = {"big": ("large",), "dog": ("canis familiaris", "hound"), "unbelievably": ("implausibly",)}


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


@pytest.fixture(scope="module")
def lexicon(tokenizer):
    return Lexicon(Codec.of(tokenizer), lambda word: SYNONYMS.get(word.lower(), ()))


def words_of(tokenizer, *texts, text_b=None):
    batch = encode_batch(tokenizer, texts, text_b, 64)
    words = Words.of(batch, Codec.of(tokenizer).vocabulary)
    return ["".join(Codec.of(tokenizer).vocabulary.surfaces[p] for p in pieces) for pieces in words.pieces], words


def test_words_are_whole(tokenizer):
    spelled, words = words_of(tokenizer, "I don't like unbelievably big-ish dogs.", "", "it's 'fine'")
    assert spelled == [
        *("i", "don't", "like", "unbelievably", "big", "-", "ish", "dogs", "."),
        *("it's", "'", "fine", "'"),
    ]
    assert [list(row) for row in words.rows(3)] == [list(range(9)), [], list(range(9, 13))]
    spelled, words = words_of(tokenizer, "a b", text_b=["c d"])
    assert spelled == ["a", "b", "c", "d"]
    assert words.segment_W.tolist() == [0, 0, 1, 1]


def test_only_the_chosen_occurrence_of_a_word_changes(tokenizer, lexicon):
    batch = encode_batch(tokenizer, ["big big big big"], None, 32)
    result = SynonymReplacement(lexicon)(batch, 0.5, step_generator(0, 0, 1))
    new = tokenizer.convert_ids_to_tokens(result.batch.ids_BL[0])
    assert sorted(new[1:5]) == ["big", "big", "large", "large"]
    assert (result.eligible_B.tolist(), result.changed_B.tolist()) == ([4], [2])


def test_synonyms_of_several_pieces_and_for_several_pieces(tokenizer, lexicon):
    batch = encode_batch(tokenizer, ["the unbelievably big dog ran"], ["a dog"], 32)
    seen = set()
    for step in range(20):
        result = SynonymReplacement(lexicon)(batch, 1.0, step_generator(0, step, 1))
        row = result.batch.ids_BL[0][result.batch.mask_BL[0]]
        seen.add(tokenizer.decode(row, skip_special_tokens=True))
        assert result.changed_B.tolist() == [4]
        changed = tokenizer.decode(result.batch.ids_BL[0][result.changed_BL[0]])
        assert "the" not in changed.split() and "ran" not in changed.split()
    kinds = ("canis familiaris", "hound")
    assert seen == {f"the implausibly large {one} ran a {two}" for one in kinds for two in kinds}


def test_wordnet_knows_no_stop_words_and_no_base_forms(tmp_path):
    thesaurus = Thesaurus.open(tmp_path)
    assert "automobile" in thesaurus("car") and "motorcar" in thesaurus("car")
    assert "dog" not in thesaurus("dogs") and "domestic dog" in thesaurus("dogs")
    for word in ("i", "the", "he", "t", "42", "qwertyzxcv", "don't", "naïve", ""):
        assert thesaurus(word) == ()
    assert all(word.lower() != "quick" for word in thesaurus("Quick"))


def test_case_follows_the_word():
    from empirical.augment.synonym import _same_case

    assert _same_case("Car", "auto") == "Auto"
    assert _same_case("CAR", "auto") == "AUTO"
    assert _same_case("car", "auto") == "auto"


def test_missing_wordnet_names_both_commands(tmp_path, monkeypatch):
    import nltk

    def nowhere(resource, paths=None):
        raise LookupError(resource)

    monkeypatch.setattr(nltk.data, "find", nowhere)
    monkeypatch.setattr(wordnet_module, "DEBIAN", tmp_path / "none")
    with pytest.raises(InputError, match=r"apt-get install wordnet-base.*nltk.downloader wordnet"):
        Thesaurus.open(tmp_path / "other")


def test_eda_shares_are_quarters_on_average():
    rng = np.random.default_rng(0)
    for count in (2, 5, 8, 13):
        shares = np.array([_shares(count, rng.random(4)) for _ in range(4000)])
        replacements, deletions, pairs = shares.mean(axis=0)
        insertions = count - replacements - deletions - 2 * pairs
        for share in (replacements, deletions, 2 * pairs, insertions):
            assert abs(share - count / 4) < 0.06


def test_eda_counts_what_it_did(tokenizer):
    """Replaced + inserted + swapped + deleted words is the count, read off the tokens alone."""
    lexicon = Lexicon(Codec.of(tokenizer), lambda word: {"big": ("large",), "dog": ("hound",)}.get(word, ()))
    batch = encode_batch(tokenizer, ["big dog one two three four five six seven eight"], None, 64)
    operations = np.zeros(4, dtype=int)
    for step in range(60):
        result = EasyDataAugmentation(lexicon)(batch, 0.8, step_generator(0, step, 1))
        mask = result.batch.mask_BL[0]
        source, changed, ids = result.source_BL[0][mask], result.changed_BL[0][mask], result.batch.ids_BL[0][mask]
        kept = (source >= 0) & (ids == batch.ids_BL[0][source])
        replaced, swapped = ((source >= 0) & ~kept).sum(), (kept & changed).sum()
        deleted, inserted = batch.mask_BL.sum() - len(np.unique(source[source >= 0])), (source < 0).sum()
        assert replaced + swapped + deleted + inserted == result.changed_B[0] == 8
        assert swapped % 2 == 0
        operations += [replaced, swapped, deleted, inserted]
    assert np.all(operations > 60)


def test_eda_never_empties_a_text_and_never_fails(tokenizer, lexicon):
    batch = encode_batch(tokenizer, ["the", "the the", "of"], ["a", "a a a a", "."], 32)
    for step in range(30):
        result = EasyDataAugmentation(lexicon)(batch, 1.0, step_generator(0, step, 1))
        assert result.changed_B.tolist() == [2, 6, 2]
        for segment in (0, 1):
            assert (result.batch.eligible_BL & (result.batch.segment_BL == segment)).any(axis=1).all()


def test_a_row_never_outgrows_the_model(tokenizer):
    lexicon = Lexicon(Codec.of(tokenizer), lambda word: ("a very long synonym of that word",) if word == "big" else ())
    batch = encode_batch(tokenizer, ["big " * 300], ["big big"], 512)
    new = SynonymReplacement(lexicon)(batch, 1.0, step_generator(0, 0, 1)).batch
    assert new.ids_BL.shape[1] == 512
    assert (new.eligible_BL[0] & (new.segment_BL[0] == 1)).sum() == 14
    separators = [new.ids_BL[0, 0], *new.ids_BL[0][new.mask_BL[0] & ~new.eligible_BL[0]][1:]]
    assert separators == [tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.sep_token_id]


def test_make_augmenter_says_what_is_missing(tokenizer, tmp_path):
    def config(**given):
        return AugmentConfig(**given)

    with pytest.raises(InputError, match=r"augmenter: found 'kn'.*nearest: knn"):
        make_augmenter(config(augmenter="kn"), tokenizer=tokenizer)
    with pytest.raises(InputError, match="embeddings"):
        make_augmenter(config(augmenter="knn"), tokenizer=tokenizer)
    with pytest.raises(InputError, match="a row for each of 30522"):
        make_augmenter(config(), tokenizer=tokenizer, embeddings=np.zeros((9, 2), np.float32), cache=tmp_path)
    with pytest.raises(InputError, match="held-out"):
        make_augmenter(config(augmenter="ground-truth"), tokenizer=tokenizer)
    with pytest.raises(InputError, match="teacher"):
        make_augmenter(config(augmenter="random", entropy_quantile=0.5), tokenizer=tokenizer)
    with pytest.raises(InputError, match="pivots"):
        make_augmenter(config(augmenter="back-translation", pivots=("fra",)), tokenizer=tokenizer, cache=tmp_path)
