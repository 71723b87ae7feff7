"""Truths f(x) = P(y = 1 | x), for any dimension, with their Bayes error (section 4.2: y ~ Bernoulli(f(x))).

Each is a function of points (..., d) that gives probabilities (...,). Scales are chosen so that a truth is about as
hard in dimension 2 as in dimension 50.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from simulate.kernel import correlated
from theory.errors import unknown_name

Truth = Callable[[Tensor], Tensor]

BAYES_POINTS = 200_000
NETWORK_UNITS = 64


def linear(x: Tensor) -> Tensor:
    """A logit that is linear along the diagonal, with standard deviation 2."""
    return torch.sigmoid(2.0 * x.mean(-1) * math.sqrt(x.shape[-1]))


def smooth(x: Tensor) -> Tensor:
    """A smooth non-linear logit of two projections: waves along one, a saddle over both."""
    root = math.sqrt(x.shape[-1])
    along = x.sum(-1) / root
    across = (x[..., ::2].sum(-1) - x[..., 1::2].sum(-1)) / root
    return torch.sigmoid(4.0 * torch.sin(1.5 * along) + along * across)


def checkerboard(x: Tensor) -> Tensor:
    """0.9 and 0.1 on a checkerboard of the first two coordinates, squares of side 1.5 (XOR near the origin)."""
    waves = torch.sin(x[..., :2] * (math.pi / 1.5)).prod(-1)
    return 0.5 + 0.4 * torch.sign(waves)


def radial(x: Tensor) -> Tensor:
    """A logit that depends on the norm alone: 2 (|x|^2 - d) / sqrt(2d), standard deviation 2 under N(0, I)."""
    dimension = x.shape[-1]
    return torch.sigmoid(2.0 * (x.square().sum(-1) - dimension) / math.sqrt(2.0 * dimension))


@lru_cache(maxsize=16)
def _network_weights(dimension: int) -> tuple[Tensor, Tensor, Tensor]:
    """A fixed random network: weights (d, K), offsets (K,), output weights (K,)."""
    rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(dimension,)))
    weight = rng.standard_normal((dimension, NETWORK_UNITS)) * (2.0 / math.sqrt(dimension))
    offset = rng.standard_normal(NETWORK_UNITS)
    output = rng.standard_normal(NETWORK_UNITS) * (4.0 / math.sqrt(NETWORK_UNITS))
    return tuple(torch.from_numpy(a.astype(np.float32)) for a in (weight, offset, output))  # type: ignore[return-value]


def network(x: Tensor) -> Tensor:
    """A random network of one hidden layer (64 tanh units), the same one in every experiment of that dimension."""
    weight, offset, output = (a.to(x) for a in _network_weights(x.shape[-1]))
    return torch.sigmoid(torch.tanh(x @ weight + offset) @ output)


TRUTHS: dict[str, Truth] = {f.__name__: f for f in (linear, smooth, checkerboard, radial, network)}


def build_truth(name: str) -> Truth:
    """The truth of that name; InputError with the nearest names otherwise."""
    if name not in TRUTHS:
        raise unknown_name("truth", name, TRUTHS)
    return TRUTHS[name]


@lru_cache(maxsize=64)
def bayes_error(name: str, dimension: int, seed: int = 0, correlation: float = 0.0) -> tuple[float, float]:
    """E min(f, 1 - f) over the population and its standard error, from 200 000 points (estimated once a process)."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(dimension,)))
    x = torch.from_numpy(correlated(rng.standard_normal((BAYES_POINTS, dimension), dtype=np.float32), rng, correlation))
    f = build_truth(name)(x).double()
    least = torch.minimum(f, 1 - f)
    return float(least.mean()), float(least.std()) / math.sqrt(BAYES_POINTS)
