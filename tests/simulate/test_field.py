"""The smooth field: bounded by 1, one a replicate."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simulate.field import SmoothField

CPU = torch.device("cpu")


@pytest.mark.parametrize("seed", range(3))
def test_the_field_is_bounded_by_one_and_uses_its_range(seed: int) -> None:
    field = SmoothField.draw([np.random.default_rng(seed), np.random.default_rng(seed + 50)], 4, CPU)
    x = torch.from_numpy(np.random.default_rng(9).standard_normal((2, 20_000, 4), dtype=np.float32)) * 3
    values = field(x)
    assert float(values.abs().max()) <= 1
    assert float(values.abs().max()) > 0.95
    assert not torch.allclose(values[0], field(x.flip(0))[1])


def test_the_field_is_smooth() -> None:
    """A wave turns by about 2 radians over one typical norm, so a step of a hundredth of that moves it little."""
    field = SmoothField.draw([np.random.default_rng(0)], 4, CPU)
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((1, 5000, 4), dtype=np.float32))
    assert float((field(1.01 * x) - field(x)).abs().mean()) < 0.05 < float((field(2 * x) - field(x)).abs().mean())
