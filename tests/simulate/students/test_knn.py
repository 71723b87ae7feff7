"""Nearest neighbours against scikit-learn's."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.neighbors import KNeighborsRegressor

from simulate.students.registry import build_student
from simulate.supervision import Examples
from tests.simulate.students.worlds import CONFIG, TESTS, examples, held_out, rngs


def test_knn_equals_scikit_learn() -> None:
    data = examples()
    predicted = build_student("knn", CONFIG)(data, TESTS, rngs(), held_out())
    rival = KNeighborsRegressor(n_neighbors=CONFIG.neighbours).fit(data.x_RTMd[1, 2], data.target_RTM[1, 2])
    np.testing.assert_allclose(predicted[1, 2], rival.predict(TESTS[1]), atol=1e-5)
    few = Examples(x_RTMd=data.x_RTMd[:, :, :4], target_RTM=data.target_RTM[:, :, :4], weight_M=torch.ones(4))
    everything = build_student("knn", CONFIG)(few, TESTS, rngs(), held_out())
    np.testing.assert_allclose(everything[0, 0], few.target_RTM[0, 0].mean().expand(150), atol=1e-6)
