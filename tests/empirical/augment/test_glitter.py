"""Of several versions the one with the largest divergence, and both ends of the entropy."""

from __future__ import annotations

import numpy as np
import pytest
from transformers import AutoTokenizer

from empirical.augment import make_augmenter
from empirical.augment.entropy_filter import kept_rows
from empirical.augment.glitter import Glitter, concatenated, divergence
from empirical.config import AugmentConfig
from empirical.metric import entropy
from empirical.models.minilm import minilm_path
from empirical.randomness import step_generator
from empirical.tokens.codec import Codec, encode_batch
from tests.empirical.augment.linear_network import LinearNetwork
from theory.errors import InputError

TEXTS = ["how do you know that this is true", "dogs", "", "a quick brown fox jumped over lazy dogs"] * 4


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


@pytest.fixture(scope="module")
def networks(tokenizer):
    size = len(Codec.of(tokenizer).vocabulary)
    return LinearNetwork.random(size, seed=1), LinearNetwork.random(size, seed=2)


@pytest.fixture(scope="module")
def batch(tokenizer):
    return encode_batch(tokenizer, TEXTS, None, 64)


def test_divergence_is_the_sum_over_classes():
    teacher, student = np.log([[0.5, 0.25, 0.25]]), np.log([[0.25, 0.5, 0.25]])
    assert divergence(teacher, student) == pytest.approx(0.25 * np.log(2))
    assert divergence(teacher + 3, teacher) == pytest.approx(0)


def test_the_version_with_the_largest_divergence_is_taken(tokenizer, networks, batch):
    teacher, student = networks
    inner = make_augmenter(AugmentConfig(augmenter="random"), tokenizer=tokenizer)
    result = Glitter(inner, teacher, student, candidates=5)(batch, 0.5, step_generator(0, 0, 1))
    rng = step_generator(0, 0, 1)
    versions = [inner(batch, 0.5, rng) for _ in range(5)]
    gaps = np.stack([divergence(teacher(version.batch), student(version.batch)) for version in versions])
    for row, best in enumerate(gaps.argmax(axis=0)):
        assert np.array_equal(result.batch.ids_BL[row], versions[best].batch.ids_BL[row])
    assert np.allclose(result.logits_BC, teacher(result.batch), atol=1e-4)
    assert result.row_B.tolist() == list(range(len(TEXTS)))
    assert np.array_equal(result.changed_B, result.changed_BL.sum(axis=1))


def test_versions_of_different_lengths_are_put_together(tokenizer, batch):
    full = make_augmenter(AugmentConfig(augmenter="random"), tokenizer=tokenizer)(batch, 0.5, step_generator(0, 0, 1))
    parts = [kept_rows(full, np.array([row])) for row in range(4)]
    assert len({part.batch.ids_BL.shape[1] for part in parts}) > 2
    joined = concatenated(parts)
    for name in ("ids_BL", "mask_BL", "eligible_BL", "segment_BL"):
        assert np.array_equal(getattr(joined.batch, name), getattr(full.batch, name)[:4])
    assert np.array_equal(joined.changed_BL, full.changed_BL[:4]) and joined.row_B.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("rule", ["low-entropy", "high-entropy", "confident"])
def test_both_ends_of_the_entropy(tokenizer, networks, batch, rule):
    teacher = networks[0]
    config = AugmentConfig(augmenter="random", entropy_quantile=0.4, selection=rule)
    made = make_augmenter(config, tokenizer=tokenizer, teacher=teacher)(batch, 0.5, step_generator(0, 0, 1))
    full = make_augmenter(AugmentConfig(augmenter="random"), tokenizer=tokenizer)(batch, 0.5, step_generator(0, 0, 1))
    logits = teacher(full.batch)
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    unfit = {
        "low-entropy": entropy(logits),
        "high-entropy": -entropy(logits),
        "confident": -(shifted / shifted.sum(axis=1, keepdims=True)).max(axis=1),
    }[rule]
    kept = np.isin(np.arange(len(batch)), made.row_B)
    assert 0.35 * len(batch) < kept.sum() < 0.6 * len(batch)
    assert unfit[kept].max() < unfit[~kept].min()


def test_what_is_missing_is_named_with_the_command_that_makes_it(tokenizer, networks):
    for config, pattern in (
        (AugmentConfig(selection="glitter", augmenter="random"), "teacher.*--teacher DIR.*empirical finetune"),
        (AugmentConfig(augmenter="flip"), "teacher.*--teacher DIR"),
        (AugmentConfig(augmenter="augpro-mix"), "embeddings"),
    ):
        with pytest.raises(InputError, match=pattern):
            make_augmenter(config, tokenizer=tokenizer)
    for config in (AugmentConfig(selection="glitter", augmenter="random"), AugmentConfig(augmenter="augpro-fgsm")):
        with pytest.raises(InputError, match=r"student.*--student DIR.*empirical distill"):
            make_augmenter(config, tokenizer=tokenizer, teacher=networks[0])
    with pytest.raises(InputError, match="without its embeddings"):
        make_augmenter(AugmentConfig(augmenter="flip"), tokenizer=tokenizer, teacher=networks[0])
    with pytest.raises(InputError, match="nearest: flip"):
        make_augmenter(AugmentConfig(augmenter="flips"), tokenizer=tokenizer)
