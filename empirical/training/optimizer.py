"""Optimisers and learning-rate schedules."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn
from transformers import Adafactor

from empirical.config import TrainConfig


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """The optimiser of a run over the trainable parameters of `model`.

    AdamW decays matrices only. Adafactor scales its updates by the size of the parameters, as T5's does: the paper's
    learning rates 0.01 and 0.001 fit it, while AdamW wants 1e-5 to 1e-3.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if config.optimizer == "adafactor":
        adafactor: Callable[..., torch.optim.Optimizer] = Adafactor  # transformers leaves it untyped
        return adafactor(
            trainable,
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            scale_parameter=True,
            relative_step=False,
            warmup_init=False,
        )
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=config.learning_rate, fused=True)


def learning_rate(config: TrainConfig, step: int, budget_used: float = 0.0) -> float:
    """The learning rate of step `step` (from 0): a linear rise over the warm-up, then the schedule down to zero.

    budget_used: share of the run's minutes or teacher calls that are spent; the schedule follows it where it is ahead
    of the steps, so that a run which its budget ends has come down too.
    """
    rise = round(config.warmup * config.steps)
    at = max(float(step), budget_used * config.steps)
    if at < rise:
        return config.learning_rate * (at + 1) / (rise + 1)
    done = (at - rise) / max(1, config.steps - rise)
    factor = {"linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2, "constant": 1.0}[config.schedule]
    return config.learning_rate * factor


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every parameter group this learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
