"""The losses against section 2's formulas, written out by hand in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from empirical.config import AugmentConfig, RunConfig, TrainConfig
from empirical.training.loss import Weights, distance, half_loss

logit = st.floats(-8, 8, width=32)
pairs = arrays(np.float64, (2, 5, 3), elements=logit)
weight = st.floats(0, 1)


def log_softmax(z: np.ndarray) -> np.ndarray:
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


@given(pairs, weight, st.lists(st.integers(0, 2), min_size=5, max_size=5))
def test_half_is_the_weighted_sum_of_cross_entropy_and_squared_distance(logits, alpha, labels):
    student, teacher = logits
    y = np.array(labels)
    hard = -log_softmax(student)[np.arange(5), y].sum()
    soft = sum(np.mean((student[i] - teacher[i]) ** 2) for i in range(5))
    loss = half_loss(torch.tensor(student), torch.tensor(y), torch.tensor(teacher), alpha)
    assert float(loss) == pytest.approx(alpha * hard + (1 - alpha) * soft, rel=1e-9, abs=1e-9)


@given(pairs)
def test_squared_distance_of_probabilities(logits):
    student, teacher = logits
    expected = np.mean((np.exp(log_softmax(student)) - np.exp(log_softmax(teacher))) ** 2, axis=1)
    found = distance(torch.tensor(student), torch.tensor(teacher), "mse-probability").numpy()
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert (found <= 2 / 3 + 1e-9).all(), "two distributions on three classes differ by 2 in square at most"


@given(pairs, st.floats(0.5, 6))
def test_kl_is_the_divergence_of_the_softened_outputs_and_ce_exceeds_it_by_the_teachers_entropy(logits, temperature):
    student, teacher = logits
    log_q, log_p = log_softmax(student / temperature), log_softmax(teacher / temperature)
    p = np.exp(log_p)
    divergence = temperature**2 * (p * (log_p - log_q)).sum(axis=1)
    entropy = -(temperature**2) * (p * log_p).sum(axis=1)
    tensors = torch.tensor(student), torch.tensor(teacher)
    kl = distance(*tensors, "kl", temperature).numpy()
    assert kl == pytest.approx(divergence, rel=1e-6, abs=1e-8)
    assert (kl > -1e-8).all()
    assert distance(*tensors, "ce", temperature).numpy() == pytest.approx(divergence + entropy, rel=1e-6, abs=1e-8)


def test_at_a_high_temperature_kl_is_half_the_squared_distance_of_centred_logits():
    """Hinton et al.: T^2 KL -> mean over classes of the squared difference of centred logits, halved."""
    rng = np.random.default_rng(0)
    student, teacher = torch.tensor(rng.normal(size=(2, 4, 3)))
    centred = [z - z.mean(dim=1, keepdim=True) for z in (student, teacher)]
    limit = distance(*centred, "mse") / 2
    torch.testing.assert_close(distance(student, teacher, "kl", 1e4), limit, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("kind", ["mse", "kl"])
def test_a_student_that_agrees_has_no_distance(kind):
    z = torch.randn(4, 3, dtype=torch.float64)
    assert float(distance(z, z.clone(), kind, 2.0).abs().max()) < 1e-12


def test_weight_one_needs_no_teacher_and_weight_zero_no_label():
    z, y = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    hard = torch.nn.functional.cross_entropy(z, y, reduction="sum")
    torch.testing.assert_close(half_loss(z, y, None, 1.0), hard)
    teacher = torch.randn(4, 3)
    torch.testing.assert_close(half_loss(z, y, teacher, 0.0), half_loss(z, 2 - y, teacher, 0.0))


def test_sums_over_parts_are_the_sum_over_the_whole():
    z, t, y = torch.randn(7, 3), torch.randn(7, 3), torch.randint(0, 3, (7,))
    whole = half_loss(z, y, t, 0.3)
    parts = sum(half_loss(z[k::3], y[k::3], t[k::3], 0.3) for k in range(3))
    torch.testing.assert_close(whole, parts)


def test_weights_of_fine_tuning_and_of_runs_without_augmented_data():
    train = TrainConfig(alpha=0.1, beta=0.2, gamma=0.3)
    shifted = AugmentConfig()
    assert Weights.of(RunConfig(train=train, augment=shifted)) == Weights(alpha=0.1, beta=0.2, gamma=0.3)
    assert Weights.of(RunConfig(train=train)) == Weights(alpha=0.1, beta=0.2, gamma=1.0)
    assert Weights.of(RunConfig(train=train, mode="finetune")) == Weights(alpha=1.0, beta=1.0, gamma=1.0)
    tuned = Weights.of(RunConfig(train=train, mode="finetune", augment=shifted))
    assert tuned == Weights(alpha=1.0, beta=1.0, gamma=0.3)


def test_mixed_copies_weigh_what_their_number_makes_them():
    mixed = RunConfig(augment=AugmentConfig(copies=4, mixing="mixed"))
    weights = Weights.of(mixed)
    assert (weights.alpha, weights.beta, weights.gamma) == (0.1, 0.0, pytest.approx(0.2))
    assert weights.shares(3, 13) == (3 / 16, 13 / 16) and weights.shares(0, 16) == (0, 1)
    halves = Weights.of(RunConfig(augment=AugmentConfig(copies=4)))
    assert halves.shares(3, 13) == (0.5, 0.5) and not halves.mixed
