"""The network's gradient, and what it sees online."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simulate.students.mlp import Network
from simulate.students.registry import StudentConfig, build_student
from simulate.supervision import Examples
from tests.simulate.students.worlds import TESTS, held_out, rngs


def test_mlp_gradient_equals_automatic_differentiation() -> None:
    rng = np.random.default_rng(8)
    value, x, target, weight = (
        torch.from_numpy(rng.standard_normal(shape)) for shape in ((3, 4 * 6 + 6 + 1), (3, 10, 4), (3, 10), (3, 10))
    )
    value.requires_grad_()
    (weight * (Network.of(value, 4, 6)(x) - target).square()).mean(-1).sum().backward()
    found = Network.of(torch.zeros(3, 31, dtype=torch.float64), 4, 6)
    with torch.no_grad():
        Network.of(value, 4, 6).gradient(found, x, target, weight)
    torch.testing.assert_close(found.value_BP, value.grad)


def test_online_mlp_sees_every_example_once() -> None:
    """Half of the examples have another target: were some left out or repeated, the constant would be another."""
    size = 4096
    x = torch.zeros(1, 1, size, 2)
    target = (torch.arange(size) % 4 == 0).float()[None, None]
    data = Examples(x_RTMd=x, target_RTM=target, weight_M=torch.ones(size))
    config = StudentConfig(learning_rate=3e-3, batch_size=64)
    predicted = build_student("mlp", config, online=True)(data, TESTS[:1, :1] * 0, rngs(1), held_out(1))
    assert float(predicted[0, 0, 0]) == pytest.approx(0.25, abs=0.08)
