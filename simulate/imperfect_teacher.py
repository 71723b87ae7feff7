"""Teachers g(x): how good, where, and what they say where they are not to be trusted (section 4.2, epsilon_t).

`exact` is f itself. `bounded` is f + epsilon_t times a smooth random field, for all x (the assumption of Theorem 1).
`trusted` is bounded for norm(x) <= R and, outside, as `outside` says: `half` (one half), `flipped` (1 - f) or `field`
(a random field whose amplitude grows with the distance beyond R). `learned` was fitted to N >> n labelled examples, as
the paper's teacher is to the full data set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from simulate.features import draw_features, fit_ridge, fourier_features
from simulate.field import SmoothField
from simulate.kernel import correlated, population_norm
from simulate.truth import Truth
from theory.errors import InputError, unknown_name

TEACHERS = ("exact", "bounded", "trusted", "learned")
OUTSIDE = ("half", "flipped", "field")
FIELD_GROWTH = 1.0
LEARNED_FEATURES = 512


class Teacher(Protocol):
    """Probabilities (R, P) at points (R, P, d); replicate r has its own errors."""

    def __call__(self, x_RPd: Tensor) -> Tensor: ...


@dataclass(frozen=True, kw_only=True)
class NoisyTeacher:
    """f plus a smooth field of sup norm `epsilon` inside norm `radius`, `outside` beyond it; clipped to [0, 1].

    The norm is the population's own (`correlation` of its coordinates), so that a point is outside where its kind is
    rare. Clipping towards [0, 1], where f lies, never enlarges the error, so |g - f| <= epsilon inside.
    """

    truth: Truth
    epsilon: float
    field: SmoothField | None
    radius: float = float("inf")
    outside: str = "half"
    correlation: float = 0.0

    def __call__(self, x_RPd: Tensor) -> Tensor:
        f = self.truth(x_RPd)
        inside = f if self.field is None else torch.clamp(f + self.epsilon * self.field(x_RPd), 0.0, 1.0)
        if self.radius == float("inf"):
            return inside
        norm = population_norm(x_RPd, self.correlation)
        return torch.where(norm <= self.radius, inside, self._beyond(f, norm, x_RPd))

    def _beyond(self, f: Tensor, norm: Tensor, x_RPd: Tensor) -> Tensor:
        if self.outside == "half":
            return torch.full_like(f, 0.5)
        if self.outside == "flipped":
            return 1 - f
        assert self.field is not None
        amplitude = self.epsilon + FIELD_GROWTH * (norm - self.radius)
        return torch.clamp(f + amplitude * self.field(x_RPd), 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class LearnedTeacher:
    """Ridge on random features, fitted to labelled examples of its own; clipped to [0, 1]."""

    frequency: Tensor
    phase: Tensor
    coefficient: Tensor

    def __call__(self, x_RPd: Tensor) -> Tensor:
        features = fourier_features(x_RPd, self.frequency, self.phase)
        return torch.clamp(0.5 + (features @ self.coefficient)[..., 0], 0.0, 1.0)


def check_teacher(name: str, outside: str, teacher_epsilon: float, trust_radius: float) -> None:
    """Raise InputError for an unknown teacher or numbers that it cannot have."""
    if name not in TEACHERS:
        raise unknown_name("teacher", name, TEACHERS)
    if outside not in OUTSIDE:
        raise unknown_name("outside", outside, OUTSIDE)
    if not 0 <= teacher_epsilon <= 1:
        raise InputError("teacher_epsilon", teacher_epsilon, "a number in [0, 1]")
    if not trust_radius > 0:
        raise InputError("trust_radius", trust_radius, "a number > 0 (inf: trusted everywhere)")


def build_teacher(
    name: str,
    truth: Truth,
    rngs: Sequence[np.random.Generator],
    *,
    dimension: int,
    teacher_epsilon: float,
    trust_radius: float,
    outside: str,
    teacher_size: int,
    device: torch.device,
    correlation: float = 0.0,
) -> Teacher:
    """One teacher a generator (a replicate), evaluated together."""
    if name == "exact":
        return NoisyTeacher(truth=truth, epsilon=0.0, field=None)
    if name == "learned":
        return _learn(truth, rngs, dimension, teacher_size, device, correlation)
    return NoisyTeacher(
        truth=truth,
        epsilon=teacher_epsilon,
        field=SmoothField.draw(rngs, dimension, device),
        radius=trust_radius if name == "trusted" else float("inf"),
        outside=outside,
        correlation=correlation,
    )


def _learn(
    truth: Truth,
    rngs: Sequence[np.random.Generator],
    dimension: int,
    size: int,
    device: torch.device,
    correlation: float,
) -> LearnedTeacher:
    parts = []
    for rng in rngs:
        frequency, phase = draw_features([rng], dimension, LEARNED_FEATURES, 0.5, device)
        drawn = rng.standard_normal((size, dimension), dtype=np.float32)
        x = torch.from_numpy(correlated(drawn, rng, correlation)[None]).to(device)
        uniform = torch.from_numpy(rng.random((1, size), dtype=np.float32)).to(device)
        label = (uniform < truth(x)).float()
        coefficient = fit_ridge(x, label - 0.5, torch.ones(size, device=device), frequency, phase, penalty=1e-5)
        parts.append((frequency, phase, coefficient[..., None]))
    frequency, phase, coefficient = (torch.cat(part) for part in zip(*parts, strict=True))
    return LearnedTeacher(frequency=frequency, phase=phase, coefficient=coefficient)
