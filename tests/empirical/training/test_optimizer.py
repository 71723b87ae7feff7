"""Learning rates by hand, precision by the processor's flags, optimisers that learn."""

from __future__ import annotations

import pytest
import torch

from empirical.config import TrainConfig
from empirical.training.optimizer import learning_rate, make_optimizer


def test_the_schedule_rises_over_the_warm_up_and_falls_to_zero():
    config = TrainConfig(steps=100, learning_rate=1.0, warmup=0.1)
    rates = [learning_rate(config, step) for step in range(100)]
    assert rates[:3] == pytest.approx([1 / 11, 2 / 11, 3 / 11])
    assert max(rates) == rates[10] == 1.0
    assert rates[55] == pytest.approx(0.5) and rates[99] == pytest.approx(1 / 90)
    assert learning_rate(config, 100) == pytest.approx(0)
    cosine = config.model_copy(update={"schedule": "cosine"})
    assert learning_rate(cosine, 55) == pytest.approx(0.5) and learning_rate(cosine, 32) > learning_rate(config, 32)
    constant = config.model_copy(update={"schedule": "constant", "warmup": 0.0})
    assert {learning_rate(constant, step) for step in range(100)} == {1.0}


def test_a_budget_brings_the_schedule_to_its_end():
    """A run that its minutes end early would otherwise stop at a high rate."""
    config = TrainConfig(steps=100, learning_rate=1.0, warmup=0.1)
    assert learning_rate(config, 20, 0.55) == pytest.approx(learning_rate(config, 55))
    assert learning_rate(config, 55, 0.2) == learning_rate(config, 55)
    assert learning_rate(config, 20, 1.0) == pytest.approx(0) and learning_rate(config, 3, 0.055) < 1.0


@pytest.mark.parametrize(("name", "rate"), [("adamw", 1e-2), ("adafactor", 1e-2)])
def test_both_optimisers_fit_a_line(name, rate):
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 2)
    x_B4 = torch.randn(64, 4)
    y_B2 = x_B4 @ torch.randn(4, 2)
    config = TrainConfig(optimizer=name, learning_rate=rate, weight_decay=0.0)
    optimiser = make_optimizer(model, config)
    losses = []
    for _ in range(200):
        loss = (model(x_B4) - y_B2).square().mean()
        losses.append(loss.item())
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    assert losses[-1] < 0.75 * losses[0]


def test_only_matrices_decay_and_frozen_weights_are_left_out():
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.LayerNorm(3), torch.nn.Linear(3, 3))
    model[2].requires_grad_(False)
    decayed, kept = make_optimizer(model, TrainConfig(weight_decay=0.5)).param_groups
    assert [p.shape for p in decayed["params"]] == [(3, 3)] and decayed["weight_decay"] == 0.5
    assert len(kept["params"]) == 3 and kept["weight_decay"] == 0
