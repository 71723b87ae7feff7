"""The augmentation kernel: how an original point is displaced (section 4.2: N(x, tau I)), and two shapes beside it.

Every kernel has E|displacement|^2 = tau d, so that tau means the same amount of shift for all of them. `subspace` is
the counterpart of replacing a token by a near neighbour (moves only along some directions), `heavy_tailed` of replacing
it by a random one (mostly small moves, now and then a wild one).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from theory.errors import InputError, unknown_name

KERNELS = ("isotropic", "subspace", "heavy_tailed")


def check_kernel(name: str, dimension: int, subspace_dimension: int, tail_dof: float) -> None:
    """Raise InputError for an unknown kernel or parameters that it cannot have."""
    if name not in KERNELS:
        raise unknown_name("kernel", name, KERNELS)
    if name == "subspace" and not 1 <= subspace_dimension <= dimension:
        raise InputError("subspace_dimension", subspace_dimension, f"a whole number in 1 .. {dimension}")
    if name == "heavy_tailed" and not tail_dof > 2:
        raise InputError("tail_dof", tail_dof, "a number > 2 (the variance must exist)")


def unit_displacement(
    name: str,
    rng: np.random.Generator,
    size: int,
    dimension: int,
    *,
    subspace_dimension: int = 1,
    tail_dof: float = 3.0,
) -> npt.NDArray[np.float32]:
    """Displacements (size, d) at tau = 1; multiply by sqrt(tau) for other variances.

    isotropic: N(0, I). subspace: Gaussian in a random subspace of `subspace_dimension` directions (one subspace a
    generator). heavy_tailed: a multivariate Student t with `tail_dof` degrees of freedom, scaled to variance 1.
    """
    if name == "subspace":
        basis, _ = np.linalg.qr(rng.standard_normal((dimension, subspace_dimension)))
        inside = rng.standard_normal((size, subspace_dimension)) * math.sqrt(dimension / subspace_dimension)
        return (inside @ basis.T).astype(np.float32)
    gaussian = rng.standard_normal((size, dimension), dtype=np.float32)
    if name == "heavy_tailed":
        stretch = np.sqrt((tail_dof - 2.0) / rng.chisquare(tail_dof, (size, 1)))
        return (gaussian * stretch).astype(np.float32)
    return gaussian
