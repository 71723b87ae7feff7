"""MATE-KD's generator: straight-through samples with a gradient, a gap that widens, words from where it may draw."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from empirical.augment import make_augmenter
from empirical.config import AugmentConfig, ModelConfig
from empirical.models.classifier import arguments, load_classifier
from empirical.randomness import step_generator
from empirical.tokens.codec import encode_batch
from empirical.training.mate_kd import gap, gumbel_words, train_generator
from tests.empirical import tiny_kd
from tests.empirical.tiny_masked import TEXTS
from theory.errors import InputError


@pytest.fixture(scope="module")
def judges(tmp_path_factory) -> tuple[str, str]:
    folders = [tmp_path_factory.mktemp(name) for name in ("teacher", "student")]
    wide = {"layers": 1, "initializer_range": 0.5}  # outputs that depend on the words
    teacher, student = (str(tiny_kd.bert(folder, seed=seed, **wide)) for seed, folder in enumerate(folders))
    return teacher, student


def test_samples_are_words_drawn_by_the_softmax_and_carry_its_gradient():
    logits_V = torch.tensor([0.0, 1.0, 2.0, 9.0])
    logits_NV = logits_V.repeat(20_000, 1).requires_grad_()
    closed_V = torch.tensor([False, False, False, True])
    words_NV = gumbel_words(logits_NV, closed_V, np.random.default_rng(0))
    assert torch.allclose(words_NV.detach().round(), words_NV.detach(), atol=1e-5)
    assert torch.allclose(words_NV.sum(dim=1), torch.ones(20_000), atol=1e-5)
    share_V = words_NV.detach().mean(dim=0)
    expected_V = torch.cat([torch.softmax(logits_V[:3], dim=0), torch.zeros(1)])
    assert torch.allclose(share_V, expected_V, atol=5 * 0.5 / 20_000**0.5)
    (words_NV[:, 2].sum()).backward()
    assert logits_NV.grad is not None
    assert (logits_NV.grad[:, 2] > 0).all() and (logits_NV.grad[:, 3] == 0).all()


def test_the_gap_of_hard_words_is_that_of_their_texts(judges):
    tokenizer = tiny_kd.tokenizer()
    teacher, student = (load_classifier(source).eval() for source in judges)
    batch = encode_batch(tokenizer, ["bad1 word1 good2", "fair2 word5"], None, 16)
    place_BL = batch.eligible_BL
    size = len(tokenizer)
    words_NV = torch.nn.functional.one_hot(torch.from_numpy(batch.ids_BL[place_BL].astype(np.int64)), size).float()
    found = gap(teacher, student, batch, place_BL, words_NV)
    outputs = [model(**arguments(model, batch)).logits.log_softmax(dim=1) for model in (teacher, student)]
    expected = (outputs[0].exp() * (outputs[0] - outputs[1])).sum(dim=1).mean()
    assert found.item() == pytest.approx(expected.item(), abs=1e-5)
    assert gap(teacher, teacher, batch, place_BL, words_NV).item() == pytest.approx(0, abs=1e-6)


def test_the_generator_learns_to_part_them_and_augments(trained, judges, tmp_path):
    teacher, student = judges
    before, after = train_generator(
        ModelConfig(name=str(trained)), teacher, student, TEXTS, tmp_path / "generator", degree=0.5, steps=60,
        learning_rate=1e-2,
    )  # fmt: skip
    assert after > 1.2 * before > 0
    tokenizer = tiny_kd.tokenizer()
    config = AugmentConfig(augmenter="mate-kd", language_model=str(tmp_path / "generator"), neighbours=3)
    augmenter = make_augmenter(config, tokenizer=tokenizer)
    batch = encode_batch(tokenizer, TEXTS[:8], None, 16)
    result = augmenter(batch, 1 / 3, step_generator(0, 0, 1))
    assert augmenter.name == "mate-kd" and np.array_equal(result.changed_B, np.ones(8))


def test_other_tokenizers_and_missing_models_are_told(trained, judges, tmp_path):
    for pair, argument in (
        ((str(tmp_path / "none"), judges[1]), "none"),
        ((judges[0], str(tmp_path / "gone")), "gone"),
    ):
        with pytest.raises(InputError, match=argument):
            train_generator(ModelConfig(name=str(trained)), *pair, TEXTS, tmp_path / "out", steps=1)
    other = tiny_kd.bert(tmp_path / "other", layers=1)
    tiny_kd.tokenizer(words=tiny_kd.WORDS[::-1]).save_pretrained(other)
    with pytest.raises(InputError, match=r"student.*tokenizer"):
        train_generator(ModelConfig(name=str(trained)), judges[0], str(other), TEXTS, tmp_path / "out", steps=1)
