"""Back-translation, ground truth and the entropy filter: engines, the store, and what is counted."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import time

import numpy as np
import pytest
from transformers import AutoTokenizer

from empirical.augment import make_augmenter
from empirical.augment import translation as module
from empirical.augment.entropy_filter import EntropyFilter
from empirical.augment.translation import Apertium, Store
from empirical.augment.whole_texts import BackTranslation, GroundTruth
from empirical.config import AugmentConfig
from empirical.metric import entropy
from empirical.models.minilm import minilm_path
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch
from theory.errors import InputError

needs_apertium = pytest.mark.skipif(shutil.which("lt-proc") is None, reason=module.APERTIUM_COMMAND)
TEXTS = [
    "I love this film.",
    "The house is [big] ^and$ old\\new @home",
    "Are you drunk? Thanks!",
    "I am here",
    "",
    "a lot of fun",
]


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


class Shouting:
    """An engine that upper-cases, marks the pivot, and counts what it is asked."""

    pivots = ("aa", "bb")

    def __init__(self, random=False):
        self.name, self.random, self.asked = "shouting", random, []

    def round_trip(self, texts, pivot, seed):
        self.asked += texts
        return [f"{pivot} {text} {seed if self.random else ''}".strip() for text in texts]


def test_store_asks_once_for_each_text_and_pivot(tmp_path):
    engine, file = Shouting(), tmp_path / "t.sqlite"
    assert Store(file).round_trip(engine, ["x", "y", "x"], "aa", 5) == ["aa x", "aa y", "aa x"]
    assert engine.asked == ["x", "y"]
    assert Store(file).round_trip(engine, ["y", "z"], "aa", 6) == ["aa y", "aa z"]
    assert Store(file).round_trip(engine, ["y"], "bb", 6) == ["bb y"]
    assert engine.asked == ["x", "y", "z", "y"]
    sampled = Shouting(random=True)
    sampled.name = "sampling"
    assert Store(file).round_trip(sampled, ["y"], "aa", 1) != Store(file).round_trip(sampled, ["y"], "aa", 2)


def test_what_kept_translations_took_is_known_to_whoever_asks_again(tmp_path):
    class Slow:
        name, pivots, random = "slow", ("x",), False

        def round_trip(self, texts, pivot, seed):
            time.sleep(0.02 * len(texts))
            return [text.upper() for text in texts]

    first = Store(tmp_path / "store.sqlite")
    first.round_trip(Slow(), ["a", "b", "c"], "x", 0)
    assert first.kept_seconds == 0
    again = Store(tmp_path / "store.sqlite")
    assert again.round_trip(Slow(), ["b", "d", "c"], "x", 0) == ["B", "D", "C"]
    assert 0.04 <= again.kept_seconds < 0.5


def test_a_store_made_before_times_were_kept_is_read(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "old.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE translation (key BLOB PRIMARY KEY, text TEXT) WITHOUT ROWID")
    engine = Shouting()
    assert Store(tmp_path / "old.sqlite").round_trip(engine, ["a"], "aa", 0) == ["aa a"]
    assert Store(tmp_path / "old.sqlite").round_trip(engine, ["a"], "aa", 0) == ["aa a"] and engine.asked == ["a"]


def test_back_translation_goes_round_the_pivots_and_counts_what_is_lost(tokenizer, tmp_path):
    augmenter = BackTranslation(Shouting(), Store(tmp_path / "t.sqlite"), tokenizer, 64)
    batch = encode_batch(tokenizer, ["one two", "three", ""], ["four", "five six", "x"], 64)
    for copy, pivot in enumerate(("aa", "bb", "aa")):
        result = augmenter(batch, 0.3, step_generator(0, 0, 1), copy=copy)
        assert result.batch.text_a == (f"{pivot} one two", f"{pivot} three", "")
        assert result.batch.text_b == (f"{pivot} four", f"{pivot} five six", f"{pivot} x")
        assert result.changed_B.tolist() == [0, 0, 0]
        assert result.changed_BL.any()
    assert not augmenter.online
    # Without the texts, the batch's own tokens are translated.
    bare = batch.rows(np.arange(3))
    object.__setattr__(bare, "text_a", None)
    assert augmenter(bare, 0.3, step_generator(0, 0, 1)).batch.text_a == ("aa one two", "aa three", "")


def test_an_empty_translation_leaves_the_text(tokenizer, tmp_path):
    engine = Shouting()
    engine.round_trip = lambda texts, pivot, seed: [" " for _ in texts]
    augmenter = BackTranslation(engine, Store(tmp_path / "t.sqlite"), tokenizer, 64)
    result = augmenter(encode_batch(tokenizer, ["one two"], None, 64), 0.3, step_generator(0, 0, 1))
    assert result.batch.text_a == ("one two",) and result.degree == 0


@needs_apertium
def test_apertium_answers_every_text_whatever_came_before():
    forwards, backwards = Apertium(), Apertium()
    answers = forwards.round_trip(TEXTS, "spa", 0)
    assert backwards.round_trip(TEXTS[::-1], "spa", 0)[::-1] == answers
    assert [forwards.round_trip([text], "spa", 0)[0] for text in TEXTS] == answers
    assert answers[4] == "" and "[" in answers[1] and "\\" in answers[1] and "@" in answers[1]
    assert not any(mark in "".join(answers) for mark in ("[][", "*", "\0"))
    assert forwards.round_trip(["The house is red"], "spa", 0) == ["The house is red"]


@needs_apertium
def test_apertium_takes_more_than_a_pipe_holds():
    texts = [f"The cat number {number} drinks milk in the old house" for number in range(1500)]
    answers = Apertium().round_trip(texts, "spa", 0)
    assert len(answers) == len(texts)
    assert all(str(number) in answer for number, answer in enumerate(answers))


@needs_apertium
def test_a_translator_that_died_is_started_again():
    engine = Apertium()
    before = engine.round_trip(["the red house"], "spa", 0)
    module._end(engine._there._process)
    assert engine.round_trip(["the red house"], "spa", 0) == before


def test_missing_apertium_names_the_command(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match="apt-get install apertium-eng-spa"):
        Apertium()


def test_ground_truth_draws_held_out_texts_with_their_labels(tokenizer):
    held_out = encode_batch(tokenizer, [f"held out number {number}" for number in range(10)], None, 32)
    augmenter = GroundTruth(held_out, np.arange(10) * 11)
    batch = encode_batch(tokenizer, ["some text"] * 7, None, 32)
    result = augmenter(batch, 0.3, step_generator(0, 0, 1))
    numbers = [int(text.split()[-1]) for text in result.batch.text_a]
    assert len(set(numbers)) == 7, "drawn without replacement while they last"
    assert result.label_B.tolist() == [11 * number for number in numbers]
    assert result.row_B.tolist() == [-1] * 7 and result.degree == 1.0 and not augmenter.online
    more = augmenter(encode_batch(tokenizer, ["a"] * 23, None, 32), 0.3, step_generator(0, 0, 1))
    assert np.bincount(more.label_B // 11).tolist().count(2) == 7


def test_entropy_is_of_the_softmax():
    assert entropy(np.array([[0.0, 0.0], [1000.0, -1000.0]])) == pytest.approx([np.log(2), 0])
    assert entropy(np.log([[0.5, 0.25, 0.25]])) == pytest.approx([1.5 * np.log(2)])


def test_entropy_filter_drops_what_the_teacher_is_unsure_of(tokenizer):
    inner = make_augmenter(AugmentConfig(augmenter="random"), tokenizer=tokenizer)
    batch = encode_batch(tokenizer, ["a b", "c d e f g", "h", "i j k", "l m n o", "p"], None, 32)
    confidence = np.array([5.0, 0.0, 3.0, 1.0, 4.0, 2.0])
    seen = []

    def teacher(augmented):
        seen.append(augmented)
        return np.stack([confidence, np.zeros(6)], axis=1)

    result = EntropyFilter(inner, teacher, 0.5)(batch, 0.5, step_generator(0, 0, 1))
    full = inner(batch, 0.5, step_generator(0, 0, 1))
    assert result.row_B.tolist() == [0, 2, 4, 5] or result.row_B.tolist() == [0, 2, 4]
    assert np.array_equal(seen[0].ids_BL, full.batch.ids_BL), "the teacher saw the augmented texts"
    assert np.array_equal(result.changed_B, full.changed_B[result.row_B])
    for place, row in enumerate(result.row_B):
        mask = result.batch.mask_BL[place]
        assert result.batch.ids_BL[place][mask].tolist() == full.batch.ids_BL[row][full.batch.mask_BL[row]].tolist()
    assert result.changed_BL.shape == result.batch.ids_BL.shape


@pytest.fixture(scope="module")
def tiny_nllb(tmp_path_factory):
    """A fresh NLLB-like model: M2M-100's architecture, random weights, a tokenizer of a few words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import M2M100Config, M2M100ForConditionalGeneration, PreTrainedTokenizerFast

    words = [
        "<s>",
        "<pad>",
        "</s>",
        "<unk>",
        "the",
        "house",
        "is",
        "red",
        "la",
        "casa",
        "eng_Latn",
        "fra_Latn",
        "rus_Cyrl",
    ]
    backend = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    codes = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    folder = tmp_path_factory.mktemp("nllb")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=32, **codes)
    tokenizer.add_special_tokens({"additional_special_tokens": words[10:]})
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "decoder_start_token_id": 2}
    config = M2M100Config(vocab_size=len(words), pad_token_id=1, bos_token_id=0, eos_token_id=2, **sizes, **heads)
    M2M100ForConditionalGeneration(config).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("decoding", ["beam", "sample"])
def test_seq2seq_engine_forces_the_language_and_keeps_the_order(tiny_nllb, tokenizer, tmp_path, decoding):
    import torch

    settings = {"engine": tiny_nllb, "pivots": ("fra_Latn", "rus_Cyrl"), "decoding": decoding}
    config = AugmentConfig(augmenter="back-translation", **settings)
    augmenter = make_augmenter(config, tokenizer=tokenizer, cache=tmp_path, max_length=32)
    engine = augmenter.engine
    forced = []
    model, _ = engine._load()
    generate = model.generate
    model.generate = lambda **given: forced.append(given["forced_bos_token_id"]) or generate(**given)
    texts = ["the house", "the house is red the house is red", "red"]
    state = torch.random.get_rng_state()
    answers = engine.round_trip(texts, "fra_Latn", 1)
    assert forced == [11, 10], "to French, and back to English"
    assert torch.equal(torch.random.get_rng_state(), state), "no global random numbers are used up"
    assert engine.round_trip(texts, "fra_Latn", 1) == answers
    assert not any(code in answer for answer in answers for code in ("_Latn", "_Cyrl", "</s>"))
    if decoding == "sample":
        assert any(engine.round_trip(texts, "fra_Latn", seed) != answers for seed in range(2, 8))
    result = augmenter(encode_batch(tokenizer, texts, None, 32), 0.3, step_generator(0, 0, 1), copy=1)
    assert len(result.batch) == 3 and forced[-2] == 12


def test_unknown_model_or_language_is_told(tiny_nllb, tmp_path, tokenizer):
    for settings, message in (
        ({"engine": str(tmp_path / "none")}, "engine: found"),
        ({"engine": tiny_nllb, "pivots": ("xxx_Latn",)}, "pivots: found 'xxx_Latn'"),
    ):
        config = AugmentConfig(augmenter="back-translation", **settings)
        augmenter = make_augmenter(config, tokenizer=tokenizer, cache=tmp_path)
        with pytest.raises(InputError, match=message):
            augmenter(encode_batch(tokenizer, ["the house"], None, 32), 0.3, step_generator(0, 0, 1))
