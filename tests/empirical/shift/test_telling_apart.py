"""Clouds that are the same cannot be told apart, clouds that are not can; energy distances by closed forms."""

from __future__ import annotations

import numpy as np

from empirical.shift.telling_apart import own_errors


def test_proxy_a_distance_of_equal_and_of_separated_clouds():
    rng = np.random.default_rng(0)
    x, same, apart = rng.standard_normal((3, 400, 5))
    errors = own_errors(x, same, 0)
    assert abs(errors.mean() - 0.5) < 0.07
    apart[:, 2] += 20
    assert own_errors(x, apart, 0).mean() == 0
    assert own_errors(x, x, 0).mean() == 0.5
