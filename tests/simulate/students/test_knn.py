"""Nearest neighbours equal scikit-learn's."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.neighbors import KNeighborsRegressor

from simulate.students.registry import StudentConfig, build_student
from simulate.supervision import Examples

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


def test_knn_equals_scikit_learn() -> None:
    data = examples()
    predicted = build_student("knn", CONFIG)(data, TESTS, rngs())
    rival = KNeighborsRegressor(n_neighbors=CONFIG.neighbours).fit(data.x_RTMd[1, 2], data.target_RTM[1, 2])
    np.testing.assert_allclose(predicted[1, 2], rival.predict(TESTS[1]), atol=1e-5)
    few = Examples(x_RTMd=data.x_RTMd[:, :, :4], target_RTM=data.target_RTM[:, :, :4], weight_M=torch.ones(4))
    everything = build_student("knn", CONFIG)(few, TESTS, rngs())
    np.testing.assert_allclose(everything[0, 0], few.target_RTM[0, 0].mean().expand(150), atol=1e-6)
