"""The augmentation kernel: how an original point is displaced (section 4.2: N(x, tau I)), and five shapes beside it.

Every kernel has E|x' - x|^2 = tau d, so that tau means the same amount of shift for all of them. Three *add* a
displacement and widen the data without end: `isotropic`, `subspace` (only along some directions) and `heavy_tailed`
(mostly small moves, now and then a wild one). Three *replace* and keep the population, as text does, so that tau ends
at 2, an unrelated point: `preserving` (x' = a x + sqrt(1 - a^2) z, a = 1 - tau/2), `replacement` (a share of the
coordinates, the degree, redrawn from the marginal: random replacement of tokens) and `neighbour_replacement` (redrawn
from near neighbours of their old values: kNN replacement). Theory: `theory.stationary`, PROOFS.md 8.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import ndtr, ndtri
from torch import Tensor

from theory.errors import InputError, unknown_name
from theory.stationary import check_stationary_tau, degree_of_tau, preserving_correlation

ADDING = ("isotropic", "subspace", "heavy_tailed")
REPLACING = ("replacement", "neighbour_replacement")
KERNELS = (*ADDING, "preserving", *REPLACING)
Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class KernelShape:
    """What kernels need besides tau; each reads its own.

    subspace_dimension: directions of `subspace`. tail_dof: degrees of freedom of `heavy_tailed`. neighbour_width: how
    far `neighbour_replacement` moves a coordinate, as a share of the ranks (1: anywhere, the plain replacement).
    """

    subspace_dimension: int = 1
    tail_dof: float = 3.0
    neighbour_width: float = 0.2

    def width(self, name: str) -> float:
        """The share of the ranks that a replacing kernel draws from."""
        return self.neighbour_width if name == "neighbour_replacement" else 1.0


def check_kernel(name: str, dimension: int, tau: Sequence[float], shape: KernelShape) -> None:
    """Raise InputError for an unknown kernel, parameters that it cannot have, or a tau that it cannot reach."""
    if name not in KERNELS:
        raise unknown_name("kernel", name, KERNELS)
    if name == "subspace" and not 1 <= shape.subspace_dimension <= dimension:
        raise InputError("subspace_dimension", shape.subspace_dimension, f"a whole number in 1 .. {dimension}")
    if name == "heavy_tailed" and not shape.tail_dof > 2:
        raise InputError("tail_dof", shape.tail_dof, "a number > 2 (the variance must exist)")
    if name == "preserving":
        check_stationary_tau(list(tau))
    if name in REPLACING:
        degree_of_tau(list(tau), neighbour_width=shape.width(name))


def degrees(name: str, tau: Sequence[float], shape: KernelShape) -> npt.NDArray[np.float64]:
    """The share of coordinates that change at each tau (T,); NaN for kernels that change all of them a little."""
    if name not in REPLACING:
        return np.full(len(tau), math.nan)
    return np.atleast_1d(degree_of_tau(list(tau), neighbour_width=shape.width(name)))


def unit_displacement(
    name: str, rng: np.random.Generator, size: int, dimension: int, shape: KernelShape = KernelShape()
) -> Floats32:
    """Displacements (size, d) at tau = 1 of an adding kernel; multiply by sqrt(tau) for other variances.

    isotropic: N(0, I). subspace: Gaussian in a random subspace of `subspace_dimension` directions (one subspace a
    generator). heavy_tailed: a multivariate Student t with `tail_dof` degrees of freedom, scaled to variance 1.
    """
    if name == "subspace":
        basis, _ = np.linalg.qr(rng.standard_normal((dimension, shape.subspace_dimension)))
        inside = rng.standard_normal((size, shape.subspace_dimension)) * math.sqrt(dimension / shape.subspace_dimension)
        return np.asarray(inside @ basis.T, dtype=np.float32)
    gaussian = rng.standard_normal((size, dimension), dtype=np.float32)
    if name == "heavy_tailed":
        stretch = np.sqrt((shape.tail_dof - 2.0) / rng.chisquare(shape.tail_dof, (size, 1)))
        return (gaussian * stretch).astype(np.float32)
    return gaussian


@dataclass(frozen=True, kw_only=True)
class Moves:
    """What is drawn once for all tau: m moves of each of R replicates, common random numbers across tau.

    move_Rmd: displacements at tau = 1 of an adding kernel, z of `preserving`, the new values of a replacing one.
    threshold_Rmd (replacing kernels only): the degree from which on a coordinate is changed, in (0, 1].
    """

    name: str
    shape: KernelShape
    move_Rmd: Tensor
    threshold_Rmd: Tensor | None = None

    def apply(self, parent_Rmd: Tensor, tau: Sequence[float]) -> Tensor:
        """x' of every parent at every tau, shape (R, T, m, d)."""
        if self.threshold_Rmd is not None:
            at_T = torch.from_numpy(degrees(self.name, tau, self.shape)).to(parent_Rmd)
            changed = self.threshold_Rmd[:, None] <= at_T[None, :, None, None] + 1e-6
            return torch.where(changed, self.move_Rmd[:, None], parent_Rmd[:, None])
        if self.name == "preserving":
            a = np.atleast_1d(preserving_correlation(list(tau)))
            keep, add = a, np.sqrt((1 - a) * (1 + a))
        else:
            keep, add = np.ones(len(tau)), np.sqrt(np.asarray(tau))
        keep_T, add_T = (torch.from_numpy(values).to(parent_Rmd)[None, :, None, None] for values in (keep, add))
        return keep_T * parent_Rmd[:, None] + add_T * self.move_Rmd[:, None]


def draw_moves(
    name: str, rngs: Sequence[np.random.Generator], parent_Rmd: Tensor, correlation: float, shape: KernelShape
) -> Moves:
    """The moves of these parents, one generator a replicate.

    `correlation` is the population's: `preserving` adds z of the same law, while replacement looks at one coordinate at
    a time, as an augmenter of tokens does, and breaks it.
    """
    _, size, dimension = parent_Rmd.shape
    if name not in REPLACING:
        moves = [unit_displacement(name, rng, size, dimension, shape) for rng in rngs]
        if name == "preserving":
            moves = [correlated(move, rng, correlation) for move, rng in zip(moves, rngs, strict=True)]
        return Moves(name=name, shape=shape, move_Rmd=_tensor(moves, parent_Rmd))
    parents = parent_Rmd.cpu().numpy()
    moves, thresholds = [], []
    for rng, parent in zip(rngs, parents, strict=True):
        moves.append(_neighbours(rng, parent, shape.width(name)))
        order = rng.random((size, dimension), dtype=np.float32).argsort(axis=1).astype(np.float32)
        # Of d coordinates floor(degree d) or one more change, the extra one with the probability that is left.
        thresholds.append((order + 1 - rng.random((size, 1), dtype=np.float32)) / np.float32(dimension))
    new, threshold = _tensor(moves, parent_Rmd), _tensor(thresholds, parent_Rmd)
    return Moves(name=name, shape=shape, move_Rmd=new, threshold_Rmd=threshold)


def correlated(gaussian: Floats32, rng: np.random.Generator, correlation: float) -> Floats32:
    """Rows of N(0, I) turned into rows whose coordinates all correlate by `correlation` >= 0, variances 1."""
    if correlation == 0:
        return gaussian
    shared = rng.standard_normal((len(gaussian), 1), dtype=np.float32)
    return (math.sqrt(1 - correlation) * gaussian + math.sqrt(correlation) * shared).astype(np.float32)


def population_norm(x: Tensor, correlation: float) -> Tensor:
    """Norm of points (..., d) in the population's own metric, sqrt(x' S^-1 x), S as in `correlated`; |x| at 0."""
    if correlation == 0:
        plain: Tensor = torch.linalg.vector_norm(x, dim=-1)
        return plain
    pull = correlation / (1 + (x.shape[-1] - 1) * correlation)
    square = (x.square().sum(-1) - pull * x.sum(-1).square()) / (1 - correlation)
    return square.clamp_min(0.0).sqrt()


def _neighbours(rng: np.random.Generator, parent: Floats32, width: float) -> Floats32:
    """New values (m, d) of all coordinates: rank moved by at most `width` of the ranks, reflected at both ends."""
    rank = ndtr(parent.astype(float)) + width * rng.uniform(-1, 1, parent.shape)
    folded = 1 - np.abs(1 - np.abs(rank))
    return np.asarray(ndtri(np.clip(folded, 1e-9, 1 - 1e-9)), dtype=np.float32)


def _tensor(arrays: Sequence[Floats32], like: Tensor) -> Tensor:
    return torch.from_numpy(np.stack(arrays)).to(like)
