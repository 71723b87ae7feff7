"""Speed of the related work's augmenters: `pytest -m benchmark_ratio tests/benchmarks/test_related_speed.py`.

Seconds are core-seconds of this process, so that other programs' load leaves them alone.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from transformers import AutoTokenizer

from empirical.augment import make_augmenter
from empirical.config import AugmentConfig, ModelConfig, TaskConfig
from empirical.models.classifier import build_model
from empirical.models.input_gradient import InputGradient
from empirical.models.minilm import minilm_path, read_embeddings
from empirical.randomness import step_generator
from empirical.tasks.load import load_task
from empirical.tokens.codec import encode_batch
from tests.timing import best_seconds

pytestmark = pytest.mark.benchmark_ratio

LABELS = ("negative", "neutral", "positive")


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(minilm_path())


@pytest.fixture(scope="module")
def texts():
    return load_task(TaskConfig(name="tweets")).train.text_a[:640]


def test_augpro_mix_projects_half_a_million_tokens_a_second(tokenizer, texts, record_property):
    """On two cores; here on one, at degree 0.3, all tokens of the texts counted."""
    config = AugmentConfig(augmenter="augpro-mix")
    augmenter = make_augmenter(config, tokenizer=tokenizer, embeddings=read_embeddings(minilm_path()))
    batches = [encode_batch(tokenizer, texts[start : start + 64], None, 128) for start in range(0, len(texts), 64)]

    def work() -> None:
        for step, batch in enumerate(batches):
            augmenter(batch, 0.3, step_generator(0, step, 1))

    rate = sum(int(batch.mask_BL.sum()) for batch in batches) / best_seconds(work, 5, time.process_time)
    record_property("tokens_per_second", rate)
    assert 2 * rate > 5e5


def test_a_flip_costs_few_passes(tokenizer, texts, record_property):
    """In forward passes of the same teacher, so that the machine cancels: at most five a text at degree 0.3.

    Of a teacher that has been asked about the tokens before; `asked_at_first` is what one search without that asks,
    tokens alone among it.
    """
    asked: list[int] = []
    teacher = InputGradient(build_model(ModelConfig(name="minilm"), LABELS, 0), count=asked.append)
    augmenter = make_augmenter(AugmentConfig(augmenter="flip"), tokenizer=tokenizer, network=teacher)
    batch = encode_batch(tokenizer, texts[:64], None, 128)
    batch = batch.rows(np.argsort(batch.mask_BL.sum(axis=1), kind="stable"))
    augmenter(batch, 0.3, step_generator(0, 0, 1))
    first = sum(asked)
    forward = best_seconds(lambda: teacher(batch), 3, time.process_time)
    search = best_seconds(lambda: augmenter(batch, 0.3, step_generator(0, 0, 1)), 2, time.process_time)
    record_property("texts_per_core_second", len(batch) / search)
    record_property("forward_passes", search / forward)
    record_property("asked_at_first", first)
    print(f"flip: {len(batch) / search:.1f} texts a core-second, {search / forward:.1f} forward passes a text")
    assert search < 5 * forward
