"""Truths are probabilities that vary; their Bayes error is that of a sample."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from simulate.truth import TRUTHS, bayes_error, build_truth
from theory.errors import InputError


@pytest.mark.parametrize("name", TRUTHS)
@pytest.mark.parametrize("dimension", [1, 2, 5, 40])
def test_every_truth_is_a_probability_that_varies(name: str, dimension: int) -> None:
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 500, dimension), dtype=np.float32))
    f = build_truth(name)(x)
    assert f.shape == (2, 500)
    assert 0 <= float(f.min()) < 0.4 and 0.6 < float(f.max()) <= 1
    error, se = bayes_error(name, dimension)
    assert 0.02 < error < 0.45 and 0 < se < 0.001
    own = np.minimum(f.numpy(), 1 - f.numpy())
    assert abs(own.mean() - error) < 5 * own.std() / math.sqrt(own.size) + 5 * se + 1e-6


def test_bayes_error_of_the_checkerboard_is_known() -> None:
    assert bayes_error("checkerboard", 3)[0] == pytest.approx(0.1, abs=1e-6)


def test_an_unknown_truth_gets_the_nearest_names() -> None:
    with pytest.raises(InputError, match="nearest: linear"):
        build_truth("liner")


def test_truths_look_alike_in_every_dimension() -> None:
    """The linear logit has standard deviation 2 in any dimension (its docstring), so its Bayes error does not move."""
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((20_000, 40), dtype=np.float32))
    assert float(torch.logit(build_truth("linear")(x)).std()) == pytest.approx(2.0, rel=0.03)
    assert float(torch.logit(build_truth("radial")(x)).std()) == pytest.approx(2.0, rel=0.05)
    assert bayes_error("linear", 2)[0] == pytest.approx(bayes_error("linear", 40)[0], abs=0.003)
