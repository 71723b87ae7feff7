"""FlipDA: gaps and fills, the label pattern, the teacher's choice among versions, a fresh T5 end to end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.augment import make_augmenter
from empirical.augment.flipda import FlipDA, Gapped, gapped
from empirical.augment.lines import augment_texts
from empirical.config import AugmentConfig
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch
from tests.empirical.augment import tiny_t5
from tests.empirical.augment.linear_network import LinearNetwork
from tests.empirical.three_tokenizers import tokenizer_of
from theory.errors import InputError

LABELS = ("negative", "neutral", "positive")
TEXTS = ["the house is red", "the house", "it was a very good day in the green house"]


class Scripted:
    """A filler that notes what it was asked and fills every gap of version s with `word-s`."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def fill(self, masked, gaps, versions, seed):
        self.asked += masked
        return [[[f"word{version}"] * count for version in range(versions)] for count in gaps]


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of("minilm")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_t5.write(tmp_path_factory.mktemp("t5"))


@given(st.lists(st.text("ab \n.", max_size=30), min_size=1, max_size=2), st.floats(0, 1), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_what_is_hidden_is_what_comes_back(texts, degree, seed):
    hole = gapped(texts, degree, step_generator(seed, 0, 1))
    assert hole.filled([]) == texts, "gaps without fills get back what they hid"
    total = sum(len(text.split()) for text in texts)
    hidden = sum(len(span.split()) for lost in hole.lost for span in lost)
    assert np.floor(degree * total - 1e-9) <= hidden <= np.ceil(degree * total + 1e-9)
    assert hole.masked.count("<extra_id_") == sum(map(len, hole.lost))


def test_neighbouring_words_share_a_gap_and_a_pair_counts_on():
    whole = gapped(["one two three", "four"], 1.0, step_generator(0, 0, 1))
    assert whole.masked == "<extra_id_0> <extra_id_1>"
    assert whole.lost == (("one two three",), ("four",))
    hole = Gapped((("a ", " c ", ""), ("", " y")), (("b", "d"), ("x",)))
    assert hole.masked == "a <extra_id_0> c <extra_id_1> <extra_id_2> y"
    assert hole.filled(["B", "", "X Z"]) == ["a B c d", "X Z y"]


def test_the_pattern_names_another_label_and_the_teacher_chooses(tokenizer):
    """A linear teacher to which `word2` says positive: version 2 wins where the target is positive."""
    network = LinearNetwork.random(len(tokenizer), seed=0)
    filler = Scripted()
    augmenter = FlipDA(filler, network, LABELS, tokenizer, 64)
    batch = encode_batch(tokenizer, TEXTS, None, 64)
    result = augmenter(batch, 0.5, step_generator(1, 0, 1))
    own_B = network(batch).argmax(axis=1)
    for row, asked in enumerate(filler.asked):
        named = next(label for label in LABELS if asked.endswith(f"It is {label}."))
        assert named != LABELS[own_B[row]]
        target = LABELS.index(named)
        versions = [
            encode_batch(tokenizer, [result.batch.text_a[row].replace(_word(result, row), f"word{version}")], None, 64)
            for version in range(4)
        ]
        shares = [_share(network(version)[0], target) for version in versions]
        assert _share(result.logits_BC[row], target) == pytest.approx(max(shares), rel=1e-5)
    again = augmenter(batch, 0.5, step_generator(1, 0, 1))
    assert again.batch.text_a == result.batch.text_a
    assert np.allclose(result.logits_BC, network(result.batch), atol=1e-5)
    assert np.all(result.changed_B > 0)


def _word(result, row: int) -> str:
    return next(word for word in result.batch.text_a[row].split() if word.startswith("word"))


def _share(logits_C, target: int) -> float:
    odds = np.exp(logits_C - logits_C.max())
    return float(odds[target] / odds.sum())


def test_degree_zero_is_the_original(tokenizer):
    augmenter = FlipDA(Scripted(), LinearNetwork.random(len(tokenizer)), LABELS, tokenizer, 64)
    batch = encode_batch(tokenizer, TEXTS, None, 64)
    result = augmenter(batch, 0.0, step_generator(0, 0, 1))
    assert result.batch.text_a == tuple(TEXTS) and not result.changed_B.any()


def test_a_fresh_t5_fills_gaps_by_seed(tiny, tokenizer):
    config = AugmentConfig(augmenter="flipda", language_model=tiny, candidates=2)
    network = LinearNetwork.random(len(tokenizer))
    augmenter = make_augmenter(config, tokenizer=tokenizer, teacher=network, labels=LABELS, max_length=64)
    one, again, other = (
        augment_texts(augmenter, tokenizer, TEXTS, None, 0.5, step_generator(seed, 0, 1), max_length=64)
        for seed in (0, 0, 5)
    )
    texts = [result.texts for result in one]
    assert texts == [result.texts for result in again] != [result.texts for result in other]
    assert not any("extra_id" in text for (text,) in texts)
    fills = augmenter.filler.fill(["the <extra_id_0> is <extra_id_1>"], [2], 3, 7)
    assert len(fills) == 1 and len(fills[0]) == 3


def test_answers_are_read_gap_by_gap(tiny, tokenizer):
    augmenter = make_augmenter(
        AugmentConfig(augmenter="flipda", language_model=tiny),
        tokenizer=tokenizer,
        teacher=LinearNetwork.random(len(tokenizer)),
        labels=LABELS,
    )
    _, own = augmenter.filler.model.load()
    marks = own.convert_tokens_to_ids([f"<extra_id_{number}>" for number in range(6)])
    row = own.convert_tokens_to_ids(["<pad>", "<extra_id_1>", "red", "<extra_id_0>", "the", "house", "</s>"])
    assert augmenter.filler._fills(own, row, marks) == ["the house", "red"]


@pytest.mark.parametrize(
    ("settings", "sources", "message"),
    [
        ({}, {}, "teacher: found None"),
        ({}, {"teacher": True}, "labels: found None"),
        ({"pattern": "It is {label}."}, {"teacher": True, "labels": LABELS}, "pattern: found"),
    ],
)
def test_what_is_missing_is_named(settings, sources, message, tokenizer):
    sources = {**sources, **({"teacher": LinearNetwork.random(len(tokenizer))} if "teacher" in sources else {})}
    with pytest.raises(InputError, match=message):
        make_augmenter(AugmentConfig(augmenter="flipda", **settings), tokenizer=tokenizer, **sources)


def test_a_model_without_gap_tokens_is_refused(tmp_path, tokenizer):
    sources = {"teacher": LinearNetwork.random(len(tokenizer)), "labels": LABELS}
    batch = encode_batch(tokenizer, TEXTS, None, 64)
    for source in (tiny_t5.write(tmp_path / "bare", gaps=False), str(tmp_path / "none")):
        config = AugmentConfig(augmenter="flipda", language_model=source)
        with pytest.raises(InputError, match=r"language_model: found .*T5 model with its gap tokens"):
            make_augmenter(config, tokenizer=tokenizer, **sources)(batch, 0.5, step_generator(0, 0, 1))
