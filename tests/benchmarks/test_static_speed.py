"""A stack of static students against scikit-learn's `MLPRegressor`: seconds to a loss, on tweets.

    pytest -m benchmark_ratio -s tests/benchmarks/test_static_speed.py

The students are those of `kdshift empirical curves` (24 in a stack, 220 texts each, mean embeddings, a teacher's
logits); the rival is the same network, rate and batch, with the penalty of a grid that suits it best. Both are trained
for several lengths; what counts is the time to a validation loss, the stack's looks at validation included.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import AutoTokenizer

from empirical.bank.light import AT_ONCE, BATCH, EmbeddingInputs, epochs
from empirical.config import TaskConfig
from empirical.models.linear import fit_labels, ngrams
from empirical.models.minilm import minilm_path, read_embeddings
from empirical.models.static import HIDDEN, LEARNING_RATE, WEIGHT_DECAY, Half, initial, train_stack
from empirical.tasks.load import load_task
from empirical.tokens.corpus import encode_corpus

pytestmark = pytest.mark.benchmark_ratio
TEXTS, HELD, TAUGHT = 220, 500, 3000
STEPS = (10, 20, 40, 80, 160, 600)
EPOCHS = (2, 5, 10, 20, 40, 87)  # 87 epochs are 600 steps
PENALTIES = (WEIGHT_DECAY, 1.0, 10.0, 30.0)
RIVALS = 4  # of them each length is the mean

Curve = list[tuple[float, float]]  # seconds a student, validation loss


@dataclass(frozen=True, kw_only=True)
class World:
    """x: inputs, shape (students, texts, width); y: the teacher's logits; the same of held-out texts."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    held: NDArray[np.float32]
    target: NDArray[np.float32]


@pytest.fixture(scope="module")
def world() -> World:
    """Tweets and a teacher that is there without training a network: a bag of words fitted to others of them."""
    task = load_task(TaskConfig(name="tweets", max_length=64))
    tokenizer, own = AutoTokenizer.from_pretrained(minilm_path()), AT_ONCE * TEXTS
    chosen = np.random.default_rng(0).permutation(len(task.train))[: own + HELD + TAUGHT]
    corpus = encode_corpus(tokenizer, [task.train.text_a[index] for index in chosen], None, 64)
    label, bags = np.asarray(task.train.labels)[chosen], ngrams(corpus, np.arange(len(chosen)))
    held, taught = np.arange(own, own + HELD), np.arange(own + HELD, len(chosen))
    weight = np.full(TAUGHT, 1 / TAUGHT)
    teacher = fit_labels(bags[taught], label[taught], weight, 3, (bags[held], label[held]))
    logits = teacher.logits(bags).astype(np.float32)
    validation = encode_corpus(tokenizer, [task.train.text_a[index] for index in chosen[held]], None, 64)
    inputs = EmbeddingInputs(read_embeddings(minilm_path()), validation)
    x = inputs(corpus, np.arange(own)).reshape(AT_ONCE, TEXTS, -1)
    return World(x=x, y=logits[:own].reshape(AT_ONCE, TEXTS, 3), held=inputs(corpus, held), target=logits[held])


def stack_curve(world: World) -> Curve:
    """The stack's own schedule, to so many steps."""
    rng, answer, x_held = np.random.default_rng(0), torch.from_numpy(world.target), torch.from_numpy(world.held)
    rows = np.stack([epochs(TEXTS, STEPS[-1], BATCH, rng) for _ in range(AT_ONCE)], axis=1)
    row_TSB = torch.from_numpy(rows + TEXTS * np.arange(AT_ONCE)[None, :, None])
    label = torch.zeros(AT_ONCE * TEXTS, dtype=torch.int64)
    half = Half(row=lambda step: row_TSB[step], x=torch.from_numpy(world.x).flatten(0, 1), alpha=0.0, share=1.0,
                target=torch.from_numpy(world.y).flatten(0, 1), label=label)  # fmt: skip
    weights = initial(list(range(AT_ONCE)), world.x.shape[2], 3)
    curve = []
    for steps in (STEPS[0], *STEPS):  # the first one warms up
        began = time.process_time()
        stack = train_stack(weights, [half], lambda out: (out - answer).square().mean(dim=(1, 2)), x_held, steps=steps)
        curve.append(((time.process_time() - began) / AT_ONCE, float(stack.loss.mean())))
    return curve[1:]


def rival_curve(world: World, penalty: float) -> Curve:
    """`MLPRegressor`, one after another, to so many epochs; its validation is not timed."""
    from sklearn.neural_network import MLPRegressor

    curve = []
    for count in EPOCHS:
        models = [
            MLPRegressor(
                hidden_layer_sizes=(HIDDEN,),
                learning_rate_init=LEARNING_RATE,
                alpha=penalty,
                batch_size=BATCH,
                max_iter=count,
                random_state=seed,
            )
            for seed in range(RIVALS)
        ]
        began = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for seed, model in enumerate(models):
                model.fit(world.x[seed], world.y[seed])
        seconds = (time.process_time() - began) / RIVALS
        losses = [float(np.square(model.predict(world.held) - world.target).mean()) for model in models]
        curve.append((seconds, float(np.mean(losses))))
    return curve


def seconds_to(curve: Curve, loss: float) -> float:
    """The least time of the lengths whose loss is at most that; infinite where none is."""
    return min((seconds for seconds, found in curve if found <= loss), default=np.inf)


def test_seconds_to_a_validation_loss(world, record_property):
    """Several times faster than the rival at the same number for the penalty, and than the best rival on the way.

    Not at the end: a rival with more penalty comes to a lower loss than any stack.
    """
    stack = stack_curve(world)
    rivals = {penalty: rival_curve(world, penalty) for penalty in PENALTIES}
    for name, curve in {
        "stack": stack,
        **{f"MLPRegressor, alpha {key:g}": curve for key, curve in rivals.items()},
    }.items():
        print(f"{name}: " + ", ".join(f"{1e3 * seconds:.1f} ms {loss:.3f}" for seconds, loss in curve))
    for penalty, curve in rivals.items():
        least = min(loss for _, loss in curve)
        ratio = seconds_to(curve, least) / seconds_to(stack, least)
        record_property(f"ratio_at_the_best_of_alpha_{penalty:g}", ratio)
        print(f"to alpha {penalty:g}'s least loss {least:.3f}: {ratio:.1f}x")
    equal = [(loss, min(seconds_to(curve, loss) for curve in rivals.values()) / seconds) for seconds, loss in stack]
    print(
        "the stack's losses against the fastest rival: "
        + ", ".join(f"{loss:.3f} {ratio:.1f}x" for loss, ratio in equal)
    )
    record_property("equal_loss", equal)
    own = min(loss for _, loss in rivals[WEIGHT_DECAY])
    assert seconds_to(rivals[WEIGHT_DECAY], own) > 4 * seconds_to(stack, own)
    assert max(ratio for _, ratio in equal) > 2
