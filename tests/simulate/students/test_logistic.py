"""The logistic student finds the minimum of its loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from simulate.students.logistic import fit_logistic


@pytest.mark.parametrize("penalty", [1e-2, 1e-4])
def test_logistic_finds_the_minimum(penalty: float) -> None:
    """Against L-BFGS in double precision on the same loss."""
    rng = np.random.default_rng(6)
    phi, weight = rng.standard_normal((300, 10)) / 3, rng.random(300) * 2
    target = 1 / (1 + np.exp(-phi @ rng.standard_normal(10) * 6))

    def loss(c: np.ndarray) -> float:
        logit = phi @ c
        return float(np.mean(weight * (np.logaddexp(0, logit) - target * logit)) + penalty / 2 * c @ c)

    best = minimize(loss, np.zeros(10), method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9}).x
    as_tensor = [torch.from_numpy(a[None].astype(np.float32)) for a in (phi, target)]
    found = fit_logistic(*as_tensor, torch.from_numpy(weight.astype(np.float32)), penalty)[0].double().numpy()
    assert loss(found) - loss(best) < 5e-6
    np.testing.assert_allclose(phi @ found, phi @ best, atol=0.05)
