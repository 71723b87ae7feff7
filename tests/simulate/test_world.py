"""Truths, fields, teachers, kernels, supervision and streams: what every one of them must be."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from simulate.cell import generate
from simulate.experiment_config import make_config
from simulate.field import SmoothField
from simulate.imperfect_teacher import OUTSIDE, TEACHERS, build_teacher
from simulate.seeds import stream, streams
from simulate.supervision import loss_weights, supervise
from simulate.truth import TRUTHS, bayes_error, build_truth
from theory.errors import InputError

CPU = torch.device("cpu")


@pytest.fixture(params=range(3))
def seed(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.mark.parametrize("name", TRUTHS)
@pytest.mark.parametrize("dimension", [1, 2, 5, 40])
def test_every_truth_is_a_probability_that_varies(name: str, dimension: int) -> None:
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 500, dimension), dtype=np.float32))
    f = build_truth(name)(x)
    assert f.shape == (2, 500)
    assert 0 <= float(f.min()) < 0.4 and 0.6 < float(f.max()) <= 1
    error, se = bayes_error(name, dimension)
    assert 0.02 < error < 0.45 and 0 < se < 0.001
    own = np.minimum(f.numpy(), 1 - f.numpy())
    assert abs(own.mean() - error) < 5 * own.std() / math.sqrt(own.size) + 5 * se + 1e-6


def test_bayes_error_of_the_checkerboard_is_known() -> None:
    assert bayes_error("checkerboard", 3)[0] == pytest.approx(0.1, abs=1e-6)


def test_an_unknown_truth_gets_the_nearest_names() -> None:
    with pytest.raises(InputError, match="nearest: linear"):
        build_truth("liner")


def test_the_field_is_bounded_by_one_and_uses_its_range(seed: int) -> None:
    field = SmoothField.draw([np.random.default_rng(seed), np.random.default_rng(seed + 50)], 4, CPU)
    x = torch.from_numpy(np.random.default_rng(9).standard_normal((2, 20_000, 4), dtype=np.float32)) * 3
    values = field(x)
    assert float(values.abs().max()) <= 1
    assert float(values.abs().max()) > 0.95
    assert not torch.allclose(values[0], field(x.flip(0))[1])


def teacher(name: str, seed: int, **changes: object):
    setting = {"dimension": 3, "teacher_epsilon": 0.1, "trust_radius": 2.0, "outside": "half", "teacher_size": 3000}
    rngs = [np.random.default_rng([seed, r]) for r in range(2)]
    return build_teacher(name, build_truth("smooth"), rngs, device=CPU, **{**setting, **changes})


@pytest.mark.parametrize("name", TEACHERS)
@pytest.mark.parametrize("outside", OUTSIDE)
def test_every_teacher_gives_probabilities(name: str, outside: str, seed: int) -> None:
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((2, 400, 3), dtype=np.float32)) * 3
    g = teacher(name, seed, outside=outside)(x)
    assert g.shape == (2, 400) and 0 <= float(g.min()) and float(g.max()) <= 1


@pytest.mark.parametrize("name, radius", [("bounded", math.inf), ("trusted", 2.0), ("exact", math.inf)])
def test_the_error_stays_below_epsilon_inside_the_radius(name: str, radius: float, seed: int) -> None:
    """sup |g - f| over 40 000 points with norm <= R, and it comes near epsilon."""
    x = torch.from_numpy(np.random.default_rng(2).standard_normal((2, 20_000, 3), dtype=np.float32)) * 2
    gap = (teacher(name, seed)(x) - build_truth("smooth")(x)).abs()
    inside = gap[torch.linalg.vector_norm(x, dim=-1) <= radius]
    epsilon = 0.0 if name == "exact" else 0.1
    assert float(inside.max()) <= epsilon + 1e-6
    assert float(inside.max()) >= 0.9 * epsilon


def test_behaviour_outside_the_radius(seed: int) -> None:
    far = torch.from_numpy(np.random.default_rng(3).standard_normal((2, 2000, 3), dtype=np.float32)) * 4
    far = far[:, torch.linalg.vector_norm(far, dim=-1).amin(0) > 2.0]
    f = build_truth("smooth")(far)
    assert torch.equal(teacher("trusted", seed)(far), torch.full_like(f, 0.5))
    assert torch.allclose(teacher("trusted", seed, outside="flipped")(far), 1 - f)
    gap = (teacher("trusted", seed, outside="field")(far) - f).abs()
    norm = torch.linalg.vector_norm(far, dim=-1)
    assert bool((gap <= 0.1 + (norm - 2.0) + 1e-5).all())
    assert float(gap[norm > 6].mean()) > float(gap[norm < 2.5].mean())


def test_a_learned_teacher_improves_with_its_data() -> None:
    x = torch.from_numpy(np.random.default_rng(4).standard_normal((2, 4000, 3), dtype=np.float32))
    f = build_truth("smooth")(x)
    few, many = (float((teacher("learned", 0, teacher_size=n)(x) - f).abs().mean()) for n in (300, 20_000))
    assert many < 0.6 * few and many < 0.1


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


def test_streams_depend_on_their_address_alone() -> None:
    one = stream(0, 5, 100, 3, "data").random(4)
    np.testing.assert_array_equal(one, streams(0, 5, 100, range(5), "data")[3].random(4))
    others = [(1, 5, 100, 3, "data"), (0, 4, 100, 3, "data"), (0, 5, 101, 3, "data"), (0, 5, 100, 2, "data")]
    for address in [*others, (0, 5, 100, 3, "test")]:
        assert not np.array_equal(one, stream(*address).random(4))


def test_tau_supervision_and_amount_share_their_random_numbers() -> None:
    config = make_config({"augmented_size": ["100", "300"], "data_size": 50, "test_size": 10})
    families = config.families()
    small = next(f for f in families if f.augmented_size == "100")
    large = next(f for f in families if f.augmented_size == "300")
    a, b = generate(config, small, range(2)), generate(config, large, range(2))
    assert torch.equal(a.original_Rnd, b.original_Rnd) and torch.equal(a.test_RQd, b.test_RQd)
    assert torch.equal(a.moves.move_Rmd, b.moves.move_Rmd[:, :100])
    assert torch.bincount(b.parent_Rm[0]).tolist() == [6] * 50
    moved = b.augmented([0.25, 1.0]) - b.original_Rnd[:, None, b.parent_Rm[0]]
    assert torch.allclose(2 * moved[:, 0], moved[:, 1], atol=1e-5)
