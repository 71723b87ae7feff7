"""Supervision is the paper's loss, up to a constant."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simulate.imperfect_teacher import build_teacher
from simulate.supervision import loss_weights, supervise
from simulate.truth import build_truth

CPU = torch.device("cpu")


@pytest.fixture(params=range(3))
def seed(request: pytest.FixtureRequest) -> int:
    return request.param


def teacher(name: str, seed: int, **changes: object):
    setting = {"dimension": 3, "teacher_epsilon": 0.1, "trust_radius": 2.0, "outside": "half", "teacher_size": 3000}
    rngs = [np.random.default_rng([seed, r]) for r in range(2)]
    return build_teacher(name, build_truth("smooth"), rngs, device=CPU, **{**setting, **changes})


def toy_examples(supervision: str):
    weights = loss_weights(supervision, alpha=0.25, beta=0.5, gamma=0.4)
    return supervise(
        weights,
        original_Rnd=torch.zeros(1, 2, 3),
        label_Rn=torch.tensor([[1.0, 0.0]]),
        teacher_Rn=torch.tensor([[0.6, 0.2]]),
        augmented_RTmd=torch.ones(1, 1, 4, 3),
        parent_Rm=torch.tensor([[0, 1, 0, 1]]),
        teacher_RTm=torch.tensor([[[0.5, 0.1, 0.7, 0.3]]]),
    )


def test_supervision_is_the_losses_of_section_2() -> None:
    assert toy_examples("teacher").target_RTM.flatten().tolist() == pytest.approx([0.5, 0.1, 0.7, 0.3])
    assert toy_examples("copied_label").target_RTM.flatten().tolist() == [1.0, 0.0, 1.0, 0.0]
    mixed = toy_examples("mixture")
    expected = [0.25 + 0.75 * 0.6, 0.75 * 0.2, 0.5 + 0.25, 0.05, 0.5 + 0.35, 0.15]
    assert mixed.target_RTM.flatten().tolist() == pytest.approx(expected)
    assert mixed.x_RTMd.shape == (1, 1, 6, 3)
    # gamma of the whole weight on originals, the rest on augmented points, mean weight 1
    assert mixed.weight_M.tolist() == pytest.approx([6 * 0.4 / 2] * 2 + [6 * 0.6 / 4] * 4)


def test_weighted_square_equals_the_papers_loss_up_to_a_constant() -> None:
    """For the squared loss: the two losses differ by a number that does not depend on the student's output."""
    mixed, rng = toy_examples("mixture"), np.random.default_rng(6)
    y, g, y2, g2 = [1, 0], [0.6, 0.2], [1, 0, 1, 0], [0.5, 0.1, 0.7, 0.3]
    gaps = []
    for _ in range(5):
        h = rng.random(6)
        original = np.mean([0.25 * (h[i] - y[i]) ** 2 + 0.75 * (h[i] - g[i]) ** 2 for i in range(2)])
        augmented = np.mean([0.5 * (h[2 + i] - y2[i]) ** 2 + 0.5 * (h[2 + i] - g2[i]) ** 2 for i in range(4)])
        ours = np.mean(mixed.weight_M.numpy() * (h - mixed.target_RTM.flatten().numpy()) ** 2)
        gaps.append(0.4 * original + 0.6 * augmented - ours)
    np.testing.assert_allclose(gaps, gaps[0], atol=1e-6)
