"""Teachers: how wrong inside the trusted radius, and what they say outside it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from simulate.imperfect_teacher import OUTSIDE, TEACHERS, build_teacher, check_teacher
from simulate.truth import build_truth
from theory.errors import InputError

CPU = torch.device("cpu")


@pytest.fixture(params=range(3))
def seed(request: pytest.FixtureRequest) -> int:
    return request.param


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


def test_impossible_teachers_are_refused() -> None:
    for name, outside, epsilon, radius, word in (
        ("exakt", "half", 0.1, 2.0, "exact"),
        ("trusted", "hulf", 0.1, 2.0, "half"),
        ("trusted", "half", 1.5, 2.0, "teacher_epsilon"),
        ("trusted", "half", 0.1, 0.0, "trust_radius"),
    ):
        with pytest.raises(InputError, match=word):
            check_teacher(name, outside, epsilon, radius)
