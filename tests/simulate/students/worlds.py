"""Easy examples for the tests of students: a logit along the first coordinate, two replicates, three taus."""

from __future__ import annotations

import numpy as np
import torch

from simulate.students.registry import StudentConfig
from simulate.supervision import Examples, HeldOut

PENALTY = "0.001"
CONFIG = StudentConfig(features=32, steps=400)


def examples(replicates: int = 2, taus: int = 3, size: int = 200, seed: int = 0, weighted: bool = False) -> Examples:
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.standard_normal((replicates, taus, size, 2), dtype=np.float32))
    weight = torch.from_numpy(rng.random(size, dtype=np.float32)) if weighted else torch.ones(size)
    return Examples(x_RTMd=x, target_RTM=truth(x), weight_M=weight / weight.mean())


def truth(x: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(3 * x[..., 0]) * 0.9


def rngs(count: int = 2) -> list[np.random.Generator]:
    return [np.random.default_rng([7, r]) for r in range(count)]


def held_out(replicates: int = 2, size: int = 400) -> HeldOut:
    rng = np.random.default_rng(11)
    x = torch.from_numpy(rng.standard_normal((replicates, size, 2), dtype=np.float32))
    chance = torch.from_numpy(rng.random((replicates, size), dtype=np.float32))
    return HeldOut(x_RVd=x, label_RV=(chance < truth(x)).float())


TESTS = torch.from_numpy(np.random.default_rng(3).standard_normal((2, 150, 2), dtype=np.float32))
