"""The random field is bounded by one and uses its range."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simulate.field import SmoothField

CPU = torch.device("cpu")


@pytest.fixture(params=range(3))
def seed(request: pytest.FixtureRequest) -> int:
    return request.param


def test_the_field_is_bounded_by_one_and_uses_its_range(seed: int) -> None:
    field = SmoothField.draw([np.random.default_rng(seed), np.random.default_rng(seed + 50)], 4, CPU)
    x = torch.from_numpy(np.random.default_rng(9).standard_normal((2, 20_000, 4), dtype=np.float32)) * 3
    values = field(x)
    assert float(values.abs().max()) <= 1
    assert float(values.abs().max()) > 0.95
    assert not torch.allclose(values[0], field(x.flip(0))[1])
