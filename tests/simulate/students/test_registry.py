"""What holds for every student: it learns, alone as together, and depends on its weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simulate.students.registry import STUDENTS, StudentConfig, build_student
from simulate.supervision import Examples
from theory.errors import InputError

CONFIG = StudentConfig(features=32, steps=400, penalty=1e-3)


def examples(replicates: int = 2, taus: int = 3, size: int = 200, seed: int = 0, weighted: bool = False) -> Examples:
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.standard_normal((replicates, taus, size, 2), dtype=np.float32))
    target = torch.sigmoid(3 * x[..., 0]) * 0.9
    weight = torch.from_numpy(rng.random(size, dtype=np.float32)) if weighted else torch.ones(size)
    return Examples(x_RTMd=x, target_RTM=target, weight_M=weight / weight.mean())


def rngs(count: int = 2) -> list[np.random.Generator]:
    return [np.random.default_rng([7, r]) for r in range(count)]


TESTS = torch.from_numpy(np.random.default_rng(3).standard_normal((2, 150, 2), dtype=np.float32))


@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize("weighted", [False, True])
def test_every_student_learns_an_easy_truth(name: str, weighted: bool) -> None:
    predicted = build_student(name, CONFIG)(examples(weighted=weighted), TESTS, rngs())
    assert predicted.shape == (2, 3, 150) and 0 <= float(predicted.min()) and float(predicted.max()) <= 1
    truth = torch.sigmoid(3 * TESTS[..., 0]) * 0.9
    assert float((predicted - truth[:, None]).abs().mean()) < 0.12


@pytest.mark.parametrize("name", STUDENTS)
def test_fitting_together_equals_fitting_alone(name: str) -> None:
    """A batch of replicates and tau gives what each of them gives by itself."""
    together = build_student(name, CONFIG)(examples(), TESTS, rngs())
    data = examples()
    alone = Examples(x_RTMd=data.x_RTMd[1:, 2:], target_RTM=data.target_RTM[1:, 2:], weight_M=data.weight_M)
    one = build_student(name, CONFIG)(alone, TESTS[1:], rngs()[1:])
    np.testing.assert_allclose(together[1, 2], one[0, 0], atol=2e-3)


@pytest.mark.parametrize("name", STUDENTS)
def test_a_student_depends_on_its_weights(name: str) -> None:
    plain, weighted = (build_student(name, CONFIG)(examples(weighted=w), TESTS, rngs()) for w in (False, True))
    assert float((plain - weighted).abs().max()) > 1e-4


def test_an_unknown_student_is_named() -> None:
    with pytest.raises(InputError, match="nearest: ridge"):
        build_student("rigde", CONFIG)
