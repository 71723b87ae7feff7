"""The loss of section 2 as one weighted loss; copied labels; tau = 0 as no augmented data."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simulate.supervision import loss_weights, supervise
from theory.errors import InputError


def toy_examples(
    supervision: str = "teacher", *, gamma: float = 0.4, taus: tuple[float, ...] = (0.1,), **weights: float
):
    """Two originals at 0 (labels 1, 0), four augmented points at 1, at each tau."""
    numbers = {"alpha": 0.25, "beta": 0.5, "gamma": gamma, **weights}
    return supervise(
        loss_weights(supervision, **numbers),
        taus=taus,
        original_Rnd=torch.zeros(1, 2, 3),
        label_Rn=torch.tensor([[1.0, 0.0]]),
        teacher_Rn=torch.tensor([[0.6, 0.2]]),
        augmented_RTmd=torch.ones(1, len(taus), 4, 3),
        parent_Rm=torch.tensor([[0, 0, 0, 1]]),
        teacher_RTm=torch.tensor([0.5, 0.1, 0.7, 0.3]).expand(1, len(taus), 4),
    )


def test_supervision_is_the_losses_of_section_2() -> None:
    mixed = toy_examples()
    expected = [0.25 + 0.75 * 0.6, 0.75 * 0.2, 0.5 + 0.25, 0.5 + 0.05, 0.5 + 0.35, 0.15]
    assert mixed.target_RTM.flatten().tolist() == pytest.approx(expected)
    assert mixed.x_RTMd.shape == (1, 1, 6, 3)
    # gamma of the whole weight on originals, the rest on augmented points, mean weight 1
    assert mixed.weight_M.tolist() == pytest.approx([6 * 0.4 / 2] * 2 + [6 * 0.6 / 4] * 4)


def test_copied_labels_have_no_teacher_in_them() -> None:
    assert toy_examples("copied_label").target_RTM.flatten().tolist() == [1.0, 0.0, 1.0, 1.0, 1.0, 0.0]
    assert loss_weights("copied_label", 0.1, 0.0, 0.5).gamma == 0.5


def test_gamma_0_is_the_setting_of_section_4() -> None:
    """Augmented points alone, by the teacher's probabilities alone."""
    alone = toy_examples(gamma=0.0, alpha=0.0, beta=0.0)
    assert alone.x_RTMd.shape == (1, 1, 4, 3) and alone.weight_M.tolist() == [1.0] * 4
    assert alone.target_RTM.flatten().tolist() == pytest.approx([0.5, 0.1, 0.7, 0.3])


@pytest.mark.parametrize("gamma", [0.0, 0.4])
@pytest.mark.parametrize("supervision", ["teacher", "copied_label"])
def test_tau_0_is_the_student_of_originals_alone(supervision: str, gamma: float) -> None:
    """Total weight by place and target: what the originals' own loss gives them, an equal share each."""
    found = toy_examples(supervision, gamma=gamma, taus=(0.0, 0.1))
    none, shifted = found.target_RTM[0]
    assert bool((found.x_RTMd[0, 0] == 0).all()) and not bool((found.x_RTMd[0, 1] == 0).all())
    own = [1.0, 0.0] if supervision == "copied_label" else [0.25 + 0.75 * 0.6, 0.75 * 0.2]
    weight = [float(found.weight_M[torch.isclose(none, torch.tensor(target))].sum()) for target in own]
    assert weight == pytest.approx([len(none) / 2] * 2)
    assert supervision == "copied_label" or not torch.equal(none, shifted)


def test_weighted_square_equals_the_papers_loss_up_to_a_constant() -> None:
    """For the squared loss: the two losses differ by a number that does not depend on the student's output."""
    mixed, rng = toy_examples(), np.random.default_rng(6)
    y, g, y2, g2 = [1, 0], [0.6, 0.2], [1, 1, 1, 0], [0.5, 0.1, 0.7, 0.3]
    gaps = []
    for _ in range(5):
        h = rng.random(6)
        original = np.mean([0.25 * (h[i] - y[i]) ** 2 + 0.75 * (h[i] - g[i]) ** 2 for i in range(2)])
        augmented = np.mean([0.5 * (h[2 + i] - y2[i]) ** 2 + 0.5 * (h[2 + i] - g2[i]) ** 2 for i in range(4)])
        ours = np.mean(mixed.weight_M.numpy() * (h - mixed.target_RTM.flatten().numpy()) ** 2)
        gaps.append(0.4 * original + 0.6 * augmented - ours)
    np.testing.assert_allclose(gaps, gaps[0], atol=1e-6)


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="nearest: teacher"):
        loss_weights("techer", 0.1, 0.0, 0.5)
    with pytest.raises(InputError, match="gamma"):
        loss_weights("teacher", 0.1, 0.0, 1.5)
