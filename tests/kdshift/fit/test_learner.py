"""One training: the best weights stay, time bounds the steps, a checkpoint goes on, copies are drawn as they should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from empirical.config import TrainConfig
from empirical.models.mean_embedding import MeanEmbeddingConfig, MeanEmbeddingForSequenceClassification
from empirical.tokens.corpus import Corpus, encode_corpus
from kdshift.fit.learner import Material, learn, predict_logits
from tests.empirical import tiny_kd

LABEL_N = np.arange(60) % 3


def corpus_of(texts: list[str]) -> Corpus:
    return encode_corpus(tiny_kd.tokenizer(), texts, None, 32)


CORPUS = corpus_of([f"{tiny_kd.LABELS[label]}{at % 8} word{at % 40}" for at, label in enumerate(LABEL_N)])
RECIPE = TrainConfig(steps=120, batch_size=16, learning_rate=3e-2, evaluate_every=20)


def student(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return MeanEmbeddingForSequenceClassification(MeanEmbeddingConfig(
        vocab_size=len(tiny_kd.tokenizer()), embedding_size=16, hidden_size=16, pad_token_id=0, num_labels=3
    ))  # fmt: skip


def material(**more: Any) -> Material:
    return Material(corpus=CORPUS, row_N=np.arange(60), label_N=LABEL_N, **more)


def wrong(model: Any) -> float:
    return float((predict_logits(model, CORPUS).argmax(axis=1) != LABEL_N).mean())


def test_labels_are_learnt_and_the_best_weights_stay() -> None:
    model, values = student(), []

    def criterion(network: Any) -> float:
        values.append(wrong(network))
        return values[-1] if len(values) < 4 else 1.0 + len(values)  # from the fourth look on it only gets worse

    learned = learn(model, material(), RECIPE, criterion, seed=0, patience=2)
    assert learned.best_value == min(values) == wrong(model) < 0.4
    assert learned.steps == learned.best_step + 40, "two looks without a better one end it"


def test_what_is_there_before_any_step_may_be_the_best() -> None:
    model = student()
    before = predict_logits(model, CORPUS)
    looks = iter(range(100))
    learned = learn(model, material(), RECIPE, lambda network: float(next(looks)), seed=0, patience=2)
    assert learned.best_step == 0 and np.array_equal(predict_logits(model, CORPUS), before)


def test_equal_seeds_are_equal_and_a_stopped_training_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kdshift.fit.learner.CHECKPOINT_SECONDS", 0.0)

    def trained(folder: Path | None, stop: int | None = None) -> Any:
        def progress(label: str, done: float, total: float, /) -> None:
            if done == stop:
                raise KeyboardInterrupt

        model = student()
        learn(model, material(), RECIPE, wrong, seed=3, patience=99, folder=folder, progress=progress)
        return predict_logits(model, CORPUS)

    whole = trained(None)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, stop=50)
    assert np.array_equal(trained(tmp_path), whole)


def test_time_bounds_the_steps_and_progress_ends_whole() -> None:
    seen: list[tuple[float, float]] = []
    learned = learn(
        student(), material(), RECIPE.model_copy(update={"steps": 100_000, "evaluate_every": 50_000}), wrong, seed=0,
        patience=9, seconds=0.3, progress=lambda label, done, total: seen.append((done, total)),
    )  # fmt: skip
    assert 1 <= learned.steps < 20_000 and learned.planned < 100_000
    assert seen[-1][0] == seen[-1][1]


def test_a_training_that_is_late_stops_at_its_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 10_000, 40))  # every look at the clock is 40 seconds after the one before
    monkeypatch.setattr("kdshift.fit.learner.time.monotonic", lambda: float(next(ticks)))
    learned = learn(student(), material(), RECIPE, wrong, seed=0, patience=9, seconds=100.0)
    assert learned.steps < 8 and learned.steps == learned.planned


def test_copies_teach_their_own_answers_and_unanswered_texts_their_labels() -> None:
    copies = corpus_of([f"word{at % 40}" for at in range(60)])
    answer_NC = np.full((60, 3), 0.0, dtype=np.float32)
    answer_NC[:, 0] = 5.0  # whatever the text, the first class
    copy_PC = np.full((60, 3), 0.0, dtype=np.float32)
    copy_PC[:, 2] = 5.0  # and of copies the third
    model = student()
    given = material(answer_NC=answer_NC, copies=copies, origin_P=np.arange(60), copy_answer_PC=copy_PC)
    recipe = RECIPE.model_copy(update={"alpha": 0.0, "gamma": 0.0, "distance": "kl"})
    learn(
        model, given, recipe, lambda network: float(-predict_logits(network, copies)[:, 2].mean()), seed=0, patience=99
    )
    assert (predict_logits(model, copies).argmax(axis=1) == 2).all(), "gamma 0 is the copies alone"
