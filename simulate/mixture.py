"""The augmented mixture (1/n) sum N(x_i, tau I) of section 4.2: samples and exact log density, in bounded memory.

Every centre counts at every point (no pruning), sums run over differences to the largest term (no underflow), and the
matrix of exponents is made a tile at a time. The printed mixture has the factor tau^(-1/2) where a density needs
tau^(-d/2); `printed=True` evaluates it as it stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from simulate.parallel import one_torch_thread
from theory.errors import InputError

Floats = npt.NDArray[np.float64]
Exponents = Callable[[Tensor, Tensor, Tensor], None]  # of a tile, from rows and columns, into the third

TILE_BYTES = {"cpu": 4 << 20, "cuda": 1 << 30}
EXACT_TO = 1e-9


def sample(centres_nd: Floats, tau: float, size: int, rng: np.random.Generator) -> Floats:
    """`size` independent draws from the mixture, shape (size, d)."""
    _check(centres_nd, tau)
    parents = rng.integers(0, len(centres_nd), size)
    return centres_nd[parents] + math.sqrt(tau) * rng.standard_normal((size, centres_nd.shape[1]))


def log_density(
    points: npt.ArrayLike, centres: npt.ArrayLike, tau: float, *, printed: bool = False, device: str = "cpu"
) -> Floats:
    """Log density (q,) of the mixture with these centres (n, d) at these points (q, d); natural logarithm.

    printed : the expression exactly as printed, which integrates to tau^((d-1)/2) instead of 1.

    Relative error of the density below 1e-6. Memory beyond the inputs: about 6 MiB a thread, whatever n and q.
    Raises InputError for tau <= 0, NaN, no centres, or dimensions that differ.
    """
    points_qd, centres_nd = (np.ascontiguousarray(np.atleast_2d(a), dtype=float) for a in (points, centres))
    _check(centres_nd, tau)
    if points_qd.shape[1] != centres_nd.shape[1] or not np.isfinite(points_qd).all():
        raise InputError("points", points_qd.shape, f"finite numbers of shape (q, {centres_nd.shape[1]})")
    count, dimension = centres_nd.shape
    sums = _log_sum_exp(torch.from_numpy(points_qd).to(device), torch.from_numpy(centres_nd).to(device), tau)
    power = 1 if printed else dimension
    constant = -math.log(count) - 0.5 * dimension * math.log(2 * math.pi) - 0.5 * power * math.log(tau)
    return np.asarray(sums.cpu().numpy() + constant)


def log_standard_normal(points_qd: Floats) -> Floats:
    """Log density (q,) of P = N(0, I_d)."""
    log_q: Floats = -0.5 * np.square(points_qd).sum(-1) - 0.5 * points_qd.shape[-1] * math.log(2 * math.pi)
    return log_q


def _check(centres_nd: Floats, tau: float) -> None:
    if not (math.isfinite(tau) and tau > 0):
        raise InputError("tau", tau, "a finite variance > 0")
    if centres_nd.ndim != 2 or len(centres_nd) < 1 or not np.isfinite(centres_nd).all():
        raise InputError("centres", centres_nd.shape, "at least one centre, finite numbers of shape (n, d)")


def _log_sum_exp(points_qd: Tensor, centres_nd: Tensor, tau: float) -> Tensor:
    """log sum_i exp(-|x - x_i|^2 / 2 tau), shape (q,), the rows shared among torch.get_num_threads() threads.

    Tiles are small enough for a core's cache and are written into the same buffers again and again; threads of our own
    because torch's own would meet after every operation on such a tile.
    """
    squares = points_qd.square().sum(-1).max() + centres_nd.square().sum(-1).max()
    base_two_tau = tau * math.log(2.0)
    # Exponents as one matrix product; or, where tau is so small that squares would cancel, from the differences.
    exponents: Exponents = partial(_differences, base_two_tau)
    left_qk, right_kn = points_qd, centres_nd.T
    if float(squares) * np.finfo(float).eps * 8 / tau < EXACT_TO:
        exponents = _products
        left_qk, right_kn = _factors(points_qd, centres_nd, base_two_tau)
    result = points_qd.new_empty(len(points_qd))
    threads = torch.get_num_threads() if points_qd.device.type == "cpu" else 1
    length = max(1, -(-len(points_qd) // threads))
    parts = [slice(start, start + length) for start in range(0, len(points_qd), length)]

    def fill(part: slice) -> None:
        torch.set_num_threads(1)
        _fill(exponents, left_qk[part], right_kn, result[part])

    if len(parts) == 1:
        _fill(exponents, left_qk, right_kn, result)
    else:
        with one_torch_thread(), ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(fill, parts))
    return result


def _products(left_rk: Tensor, right_kc: Tensor, exponent_rc: Tensor) -> None:
    """Write the exponents of a tile: products of what `_factors` made."""
    torch.mm(left_rk, right_kc, out=exponent_rc)


def _differences(base_two_tau: float, points_rd: Tensor, centres_dc: Tensor, exponent_rc: Tensor) -> None:
    """Write the exponents of a tile: -|x - x_i|^2 / (2 base_two_tau) from the differences themselves."""
    distance_rc = torch.cdist(points_rd, centres_dc.T, compute_mode="donot_use_mm_for_euclid_dist")
    exponent_rc.copy_(distance_rc).square_().mul_(-0.5 / base_two_tau)


def _fill(exponents: Exponents, left_qk: Tensor, right_kn: Tensor, result_q: Tensor) -> None:
    """Write the log sums of these rows into `result_q`: tiles of rows by columns, with a running maximum.

    exponents: writes those of a tile, to base 2, whose powers take half the time of e's.
    """
    count = right_kn.shape[1]
    columns = min(count, 4096)
    rows = max(1, TILE_BYTES.get(left_qk.device.type, TILE_BYTES["cpu"]) // (8 * columns))
    wide, narrow = left_qk.new_empty(rows * columns), left_qk.new_empty(rows * columns, dtype=torch.float32)
    for row in range(0, len(left_qk), rows):
        left = left_qk[row : row + rows]
        top = left.new_full((len(left), 1), -math.inf)
        total = left.new_zeros(len(left))
        for column in range(0, count, columns):
            right = right_kn[:, column : column + columns]
            shape, size = (len(left), right.shape[1]), len(left) * right.shape[1]
            exponent, terms = wide[:size].view(shape), narrow[:size].view(shape)
            exponents(left, right, exponent)
            new_top = torch.maximum(top, exponent.amax(1, keepdim=True))
            # Differences to the maximum are <= 0: single precision costs a term t 2^t 2^-24, less than 4e-8. Below -115
            # they cannot matter, but would make denormal numbers, which are slow.
            torch.exp2(terms.copy_(exponent.sub_(new_top)).clamp_(min=-115.0), out=terms)
            total = total * torch.exp2(top - new_top)[:, 0] + terms.sum(1).double()
            top = new_top
        result_q[row : row + rows] = math.log(2.0) * (top[:, 0] + torch.log2(total))


def _factors(points_qd: Tensor, centres_nd: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """Two factors whose product is -|x - x_i|^2 / 2 tau (tau ln 2 for base 2): one matrix product makes exponents."""
    ones = points_qd.new_ones(len(points_qd), 1)
    left = torch.cat([points_qd / tau, -points_qd.square().sum(-1, keepdim=True) / (2 * tau), ones], 1)
    right = torch.cat(
        [centres_nd, torch.ones_like(centres_nd[:, :1]), -centres_nd.square().sum(-1, keepdim=True) / (2 * tau)], 1
    )
    return left, right.T.contiguous()
