"""Ridge equals scikit-learn's."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import Ridge

from simulate.features import draw_features, fourier_features
from simulate.students.registry import StudentConfig, build_student
from simulate.supervision import Examples

CPU = torch.device("cpu")


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


def test_ridge_equals_scikit_learn() -> None:
    data = examples(weighted=True)
    predicted = build_student("ridge", CONFIG)(data, TESTS, rngs())
    frequency, phase = draw_features(rngs(), 2, 32, CONFIG.bandwidth, CPU)
    phi = fourier_features(data.x_RTMd[0, 1:2], frequency[:1], phase[:1])[0].double().numpy()
    rival = Ridge(alpha=1e-3 * 200, fit_intercept=False)
    rival.fit(phi, data.target_RTM[0, 1].numpy() - 0.5, sample_weight=data.weight_M.numpy())
    tests = fourier_features(TESTS[:1], frequency[:1], phase[:1])[0].double().numpy()
    np.testing.assert_allclose(predicted[0, 1], np.clip(0.5 + rival.predict(tests), 0, 1), atol=2e-4)
