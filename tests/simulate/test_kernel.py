"""Kernels: the shift every one of them promises, what the replacing ones keep, the degree's contract, nesting."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats

from simulate.kernel import ADDING, KERNELS, REPLACING, KernelShape, check_kernel, correlated, degrees, draw_moves
from simulate.kernel import unit_displacement as displacement
from theory.errors import InputError
from theory.stationary import neighbour_correlation

SHAPE = KernelShape(subspace_dimension=2, tail_dof=10.0)
KEEPING = [name for name in KERNELS if name not in ADDING]
D, SIZE = 6, 20_000


def moved(name: str, tau: list[float], correlation: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Parents (m, d) and what they become at every tau (T, m, d), in double precision."""
    rng = np.random.default_rng(seed)
    parent = correlated(rng.standard_normal((SIZE, D), dtype=np.float32), rng, correlation)
    parent_1md = torch.from_numpy(parent)[None]
    moves = draw_moves(name, [np.random.default_rng(seed + 1)], parent_1md, correlation, SHAPE)
    return parent.astype(float), moves.apply(parent_1md, tau)[0].numpy().astype(float)


def z_score(sample: np.ndarray, mean: float) -> float:
    return float((sample.mean() - mean) / (sample.std(ddof=1) / math.sqrt(sample.size)))


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel_moves_by_d_times_tau(name: str) -> None:
    """E|x' - x|^2 = tau d: z tests at level 1e-3."""
    tau = [0.05, 0.21]
    parent, after = moved(name, tau)
    for at, points in zip(tau, after, strict=True):
        assert abs(z_score(((points - parent) ** 2).sum(1), at * D)) < stats.norm.ppf(1 - 5e-4), at


@pytest.mark.parametrize("name", ADDING)
def test_adding_kernels_have_their_rank(name: str) -> None:
    z = displacement(name, np.random.default_rng(3), 500, D, SHAPE)
    assert np.linalg.matrix_rank(z, tol=1e-2) == (2 if name == "subspace" else D)


def test_heavy_tails_are_heavier() -> None:
    shape = KernelShape(tail_dof=3.0)
    plain, heavy = (displacement(n, np.random.default_rng(5), 50_000, 2, shape) for n in ("isotropic", "heavy_tailed"))
    assert np.quantile(np.linalg.norm(heavy, axis=1), 0.999) > 1.5 * np.quantile(np.linalg.norm(plain, axis=1), 0.999)
    assert np.median(np.linalg.norm(heavy, axis=1)) < np.median(np.linalg.norm(plain, axis=1))


@pytest.mark.parametrize("name", KEEPING)
def test_kernels_of_text_keep_the_population(name: str) -> None:
    """Independent coordinates: x' is N(0, I) again at every tau (Kolmogorov-Smirnov of |x'|^2 and of coordinates)."""
    for points in moved(name, [0.1, 0.26])[1]:
        assert stats.kstest((points**2).sum(1), stats.chi2(D).cdf).pvalue > 1e-3
        assert stats.kstest(points[:, 2], stats.norm.cdf).pvalue > 1e-3


def test_preserving_keeps_dependence_and_replacement_breaks_it() -> None:
    """Correlation 0.5: kept by `preserving`; (1 - degree)^2-like shares of the pairs survive a replacement."""
    kept, broken = (np.corrcoef(moved(name, [1.0], 0.5)[1][0].T)[0, 1] for name in ("preserving", "replacement"))
    assert kept == pytest.approx(0.5, abs=0.02)
    assert broken == pytest.approx(0.5 * 3 * 2 / (6 * 5), abs=0.02)  # degree 1/2 keeps 3 of 6: C(3, 2)/C(6, 2)


@pytest.mark.parametrize("name", REPLACING)
def test_the_degree_changes_exactly_its_share_of_the_coordinates(name: str) -> None:
    tau = [0.0, 0.1, 0.2, 0.26]
    parent, after = moved(name, tau)
    share = degrees(name, tau, SHAPE)
    for degree, points in zip(share, after, strict=True):
        changed = (points != parent).sum(1)
        floor = math.floor(degree * D)
        assert set(np.unique(changed)) <= {floor, floor + 1}
        if 0 < degree * D - floor < 1:
            assert abs(z_score(changed.astype(float), degree * D)) < stats.norm.ppf(1 - 5e-4)
    assert all(((b == parent) <= (a == parent)).all() for a, b in pairwise(after))  # nested: a change is never undone


def test_neighbours_are_near_and_correlate_as_computed() -> None:
    parent, after = moved("neighbour_replacement", [2 * (1 - neighbour_correlation(0.2))])
    ranks = np.abs(stats.norm.cdf(after[0]) - stats.norm.cdf(parent))
    assert ranks.max() <= 0.2 + 1e-6
    assert np.mean(parent * after[0]) == pytest.approx(neighbour_correlation(0.2), abs=0.01)


def test_tau_zero_is_the_original_itself() -> None:
    for name in KERNELS:
        parent, after = moved(name, [0.0])
        np.testing.assert_array_equal(after[0], parent)


@pytest.mark.parametrize(
    ("name", "tau", "message"),
    [
        ("isotropicc", [0.1], "isotropic"),
        ("preserving", [0.1, 2.5], "unrelated"),
        ("replacement", [2.1], "changes every coordinate"),
        ("neighbour_replacement", [1.0], "changes every coordinate"),
        ("subspace", [0.1], "subspace_dimension"),
    ],
)
def test_what_a_kernel_cannot_do_is_refused(name: str, tau: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_kernel(name, 1, tau, SHAPE)
