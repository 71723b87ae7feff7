"""A smooth random field with sup norm at most 1: the shape of a teacher's error (section 4.2, |g - f| < epsilon_t)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

WAVES = 32


@dataclass(frozen=True, kw_only=True)
class SmoothField:
    """sin(2 G(x)) with G a sum of 32 random waves, about a unit Gaussian process: smooth, bounded by 1 for every x.

    frequency (R, d, K) and phase (R, 1, K) hold one independent field a replicate.
    """

    frequency: Tensor
    phase: Tensor

    @classmethod
    def draw(cls, rngs: Sequence[np.random.Generator], dimension: int, device: torch.device) -> SmoothField:
        """Independent fields, one a generator; a wave turns by about 2 radians over one typical norm sqrt(d)."""
        frequency = np.stack([rng.standard_normal((dimension, WAVES)) for rng in rngs]) * (2.0 / math.sqrt(dimension))
        phase = np.stack([rng.uniform(0.0, 2.0 * math.pi, (1, WAVES)) for rng in rngs])
        return cls(
            frequency=torch.from_numpy(frequency.astype(np.float32)).to(device),
            phase=torch.from_numpy(phase.astype(np.float32)).to(device),
        )

    def __call__(self, x_RPd: Tensor) -> Tensor:
        """Values (R, P) in [-1, 1] at points (R, P, d)."""
        waves = torch.baddbmm(self.phase, x_RPd, self.frequency).cos_().sum(-1)
        return torch.sin(waves * (2.0 * math.sqrt(2.0 / WAVES)))
