"""Ridge on random features against scikit-learn's."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import Ridge

from simulate.features import draw_features, fourier_features
from simulate.students.registry import build_student
from tests.simulate.students.worlds import CONFIG, PENALTY, TESTS, examples, held_out, rngs

CPU = torch.device("cpu")


def test_ridge_equals_scikit_learn() -> None:
    data = examples(weighted=True)
    predicted = build_student("ridge", CONFIG, penalty=PENALTY)(data, TESTS, rngs(), held_out())
    frequency, phase = draw_features(rngs(), 2, 32, CONFIG.bandwidth, CPU)
    phi = fourier_features(data.x_RTMd[0, 1:2], frequency[:1], phase[:1])[0].double().numpy()
    rival = Ridge(alpha=1e-3 * 200, fit_intercept=False)
    rival.fit(phi, data.target_RTM[0, 1].numpy() - 0.5, sample_weight=data.weight_M.numpy())
    tests = fourier_features(TESTS[:1], frequency[:1], phase[:1])[0].double().numpy()
    np.testing.assert_allclose(predicted[0, 1], np.clip(0.5 + rival.predict(tests), 0, 1), atol=2e-4)
