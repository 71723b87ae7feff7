"""Where the representation is a Gaussian of known tau and dimension, these come back."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.randomness import step_generator
from empirical.shift.whitening import Whitening, bootstrap_interval, effective_tau, intrinsic_dimension
from tests.empirical.shift.clouds import cloud
from theory.errors import InputError


@pytest.mark.parametrize("tau", [0.01, 0.3, 2.0])
@pytest.mark.parametrize("dimension", [2, 6])
def test_effective_tau_is_the_variance_of_the_local_gaussian(tau, dimension):
    z, lift = cloud(4000, dimension, 12)
    noise = np.random.default_rng(1).standard_normal(z.shape) * np.sqrt(tau)
    whiten = Whitening.of(z @ lift + 7.0, dimension)
    values = effective_tau(z @ lift + 7.0, (z + noise) @ lift + 7.0, whiten)
    # E|x' - x|^2 / d = tau; its standard error is tau sqrt(2 / (d n)), and whitening is fitted on n texts.
    assert values.mean() == pytest.approx(tau, rel=4 * np.sqrt(2 / (dimension * 4000)) + 0.03)


def test_whitening_gives_the_identity_and_refuses_what_is_not_spanned():
    z, lift = cloud(500, 4, 9)
    white = Whitening.of(z @ lift, 4)(z @ lift)
    assert np.cov(white, rowvar=False) == pytest.approx(np.eye(4), abs=1e-8)
    assert white.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-9)
    with pytest.raises(InputError, match="dimension: found 5; allowed: 1 to 4"):
        Whitening.of(z @ lift, 5)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_intrinsic_dimension_of_a_flat_cloud(dimension):
    z, lift = cloud(2000, dimension, 10)
    lift = lift / np.linalg.norm(lift, axis=1, keepdims=True)
    x = np.concatenate([z @ lift, (z @ lift)[:50]])  # repeated texts are counted once
    assert intrinsic_dimension(x) == dimension
    with pytest.raises(InputError, match="20 or more"):
        intrinsic_dimension(x[:10])


def test_bootstrap_covers():
    rng = np.random.default_rng(0)
    inside = 0
    for trial in range(60):
        low, high = bootstrap_interval(rng.exponential(2.0, size=200), step_generator(trial, 0, 11))
        inside += low <= 2.0 <= high
    assert inside >= 50  # 95 % nominal; P(Binomial(60, 0.92) < 50) < 1 %
