"""The static student: mean embeddings, and stacks whose students are what they would be alone."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from empirical.models.static import Half, forward, initial, mean_embeddings, train_stack
from empirical.tokens.corpus import encode_corpus
from tests.empirical.tiny_kd import SPECIAL, WORDS, tokenizer

TEXTS, WIDTH = 60, 6


def test_mean_embeddings_are_means_over_real_tokens() -> None:
    table = np.random.default_rng(0).normal(size=(len(SPECIAL) + len(WORDS), 4)).astype(np.float32)
    corpus = encode_corpus(tokenizer(), ["word1", "word1 word2 word3"], None, 32)
    found = mean_embeddings(corpus, np.arange(2), table)
    for row in range(2):
        start, length = corpus.start_N[row], corpus.length_N[row]
        assert np.allclose(found[row], table[corpus.ids[start : start + length]].mean(axis=0), atol=1e-6)


def problem() -> tuple[Tensor, Tensor, Tensor]:
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(TEXTS, WIDTH)).astype(np.float32))
    target = torch.stack([x[:, 0], -x[:, 0], x[:, 1] * x[:, 2]], dim=1)
    return x, target, target.argmax(dim=1)


def half(rows: Tensor, alpha: float = 0.1, share: float = 1.0) -> Half:
    x, target, label = problem()
    return Half(row=lambda step: rows[step], x=x, target=target, label=label, alpha=alpha, share=share)


def rows_of(seed: int, steps: int = 40) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(TEXTS, size=(steps, 1, 8)))


def criterion(output_SVC: Tensor) -> Tensor:
    return (output_SVC - problem()[1]).square().mean(dim=(1, 2))


def test_a_student_in_a_stack_is_the_student_alone() -> None:
    both = torch.cat([rows_of(1), rows_of(2)], dim=1)
    x = problem()[0]
    stack = train_stack(initial([5, 6], WIDTH, 3), [half(both)], criterion, x, steps=40)
    for place, seed in enumerate((5, 6)):
        alone = train_stack(initial([seed], WIDTH, 3), [half(both[:, place : place + 1])], criterion, x, steps=40)
        assert torch.allclose(stack.logits(x)[place], alone.logits(x)[0], atol=1e-5)
        assert stack.step[place] == alone.step[0]


def test_it_learns_and_keeps_its_best_step() -> None:
    x = problem()[0]
    weights = initial([5], WIDTH, 3)
    before = criterion(forward(x[None], weights))
    stack = train_stack(weights, [half(rows_of(1, 400), alpha=0.0)], criterion, x, steps=400)
    assert stack.loss[0] < 0.2 * float(before[0])
    assert np.isclose(float(criterion(stack.logits(x))[0]), stack.loss[0], rtol=1e-4)
    looks: list[float] = []

    def worse_and_worse(output: Tensor) -> Tensor:
        looks.append(float(len(looks)))
        return torch.full((len(output),), looks[-1])

    early = train_stack(weights, [half(rows_of(1, 40))], worse_and_worse, x, steps=40)
    assert early.step[0] == 2 and not early.last[0]  # the first of twenty looks


def test_shares_and_alpha_weigh_the_loss() -> None:
    from empirical.models.static import half_losses

    weights, rows = initial([5], WIDTH, 3), rows_of(1, 1)
    x, target, label = problem()
    output = forward(x[rows[0]], weights)
    squared = float((output - target[rows[0]]).square().mean())
    ce = float(torch.nn.functional.cross_entropy(output[0], label[rows[0, 0]]))
    found = float(half_losses(half(rows, alpha=0.3, share=0.25), 0, weights)[0])
    assert np.isclose(found, 0.25 * (0.3 * ce + 0.7 * squared), rtol=1e-5)
