"""What is resampled: curves brought to one grid and to the replicates that they share, and contrasts over them.

The unit is the replicate across all curves that share it (same seed, nested subsets). Serves `effects` and `optima`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student_t

from theory.inference.contrast import LEVEL, Contrasts, exact_contrasts, independent, simultaneous
from theory.inference.curve import ShiftErrorCurve
from theory.inference.evaluation import least_correlation

Floats = npt.NDArray[np.float64]
Unit = Literal["replicate", "own replicate", "row", "none"]
Names = tuple[Hashable, ...]
Block = tuple[ShiftErrorCurve, ...]
Pairs = Sequence[tuple[ShiftErrorCurve, ShiftErrorCurve]]


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """B blocks of P curves each, all on the grid `shift` (S,), and what their unit of resampling is.

    A block is one curve, or the curves of one comparison (at one data size). unit: `replicate`, when all curves have
    the same ones; `own replicate`, when every block has its own and blocks are independent; `row`, when there is one
    run a cell and only the blocks' scatter shows noise; `none`, when the curves are exact. `kept` are the places of
    these blocks among those given, `dropped` the data sizes left out because they have too few replicates.
    """

    blocks: tuple[Block, ...]
    shift: Floats
    unit: Unit
    kept: tuple[int, ...]
    dropped: tuple[float, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether the curves are evaluations of a formula, without any noise."""
        return self.unit == "none"

    @property
    def curves(self) -> list[ShiftErrorCurve]:
        """All curves, block by block."""
        return [curve for block in self.blocks for curve in block]

    @property
    def sizes(self) -> Floats:
        """The data size of each block (B,)."""
        return np.array([block[0].data_size for block in self.blocks])

    @property
    def note(self) -> str:
        """What the unit is where it is not the replicate, and what was left out."""
        parts = []
        if self.unit == "row":
            parts.append("one run a cell" + (f": over {len(self.blocks)} rows" if len(self.blocks) > 1 else ""))
        if self.dropped:
            parts.append("too few replicates at n = " + ", ".join(f"{size:,.0f}" for size in self.dropped))
        return "; ".join(parts)

    def runs(self) -> int:
        """Replicates behind the curves (grid points where there is one run each; 0 if exact)."""
        return 0 if self.exact else sum(self.shift.size * max(len(curve.names), 1) for curve in self.curves)

    def errors(self, block: Block) -> Floats:
        """The block's errors, shape (R, P, S), one row without replicates."""
        rows = [curve.error[None] if curve.replicates is None else curve.replicates for curve in block]
        return np.stack(rows, axis=1)

    def effects(self, weights: Sequence[Floats]) -> list[Floats]:
        """K contrasts of every replicate, a table (R, K) a block; `weights` holds (K, P, S) for every block."""
        pairs = zip(self.blocks, weights, strict=True)
        return [np.einsum("rps,kps->rk", self.errors(block), own) for block, own in pairs]

    def contrasts(self, weights: Sequence[Floats], *, level: float = LEVEL, plus: float = 0.0) -> Contrasts:
        """The mean over blocks of K contrasts each, and `plus`: `weights` holds (K, P, S) for every block."""
        tables = [rows + plus for rows in self.effects(weights)]
        if self.exact:
            return exact_contrasts(np.mean([rows[0] for rows in tables], axis=0), level=level)
        shared = self._shared_covariance(weights)
        if self.unit == "own replicate" and len(tables) > 1:
            return independent(tables, level=level, shared_variance=np.diag(shared))
        units = np.concatenate(tables) if self.unit == "row" else np.mean(tables, axis=0)
        return simultaneous(units, level=level, shared_covariance=shared)

    def block_spread(self, weights: Sequence[Floats]) -> Floats:
        """Standard errors (B, K) that the evaluation sets give to each block's share of the mean contrasts."""
        return np.stack([np.sqrt(np.maximum(np.diag(shared), 0.0)) for shared in self._block_covariances(weights)])

    def _block_covariances(self, weights: Sequence[Floats]) -> list[Floats]:
        """Covariances (K, K) that the evaluation sets give to each block's share of the mean contrasts."""
        rows = [own.reshape(len(own), -1) / len(self.blocks) for own in weights]
        return [own @ _joint_covariance(block) @ own.T for block, own in zip(self.blocks, rows, strict=True)]

    def _shared_covariance(self, weights: Sequence[Floats]) -> Floats:
        """Covariance (K, K) from the evaluation sets: on one set the blocks' standard errors add, as if all were alike.

        Its contrasts are as alike as they are within the blocks, in the mean over these.
        """
        by_set: dict[str, list[Floats]] = {}
        for block, shared in zip(self.blocks, self._block_covariances(weights), strict=True):
            by_set.setdefault(block[0].evaluation, []).append(shared)
        return np.asarray(sum(_all_alike(blocks) for blocks in by_set.values()), dtype=float)


def align(blocks: Sequence[Block], *, positive: bool = False) -> Aligned | None:
    """The blocks on the (positive) shifts that all curves have, with the replicates that make their mean most precise.

    Blocks with too few replicates for the others are left out. None where there is no block or no common shift.
    """
    curves = [curve for block in blocks for curve in block]
    if not curves:
        return None
    grid = curves[0].shift[curves[0].shift > 0] if positive else curves[0].shift
    for curve in curves[1:]:
        grid = grid[np.isclose(curve.shift, grid[:, None], rtol=1e-9, atol=1e-12).any(axis=1)]
    if not len(grid):
        return None
    names = [_common(block) for block in blocks]
    replicated = [at for at, own in enumerate(names) if len(own) > 1]
    if not replicated:
        exact = all(curve.replicates is None and not np.any(curve.error_se) for curve in curves)
        everything = tuple(range(len(blocks)))
        cut = _cut(blocks, [()] * len(blocks), grid)
        return Aligned(blocks=cut, shift=grid, unit="none" if exact else "row", kept=everything)
    disjoint = len({name for own in names for name in own}) == sum(map(len, names)) and len(replicated) > 1
    kept, shared = (replicated, None) if disjoint else _most_precise(names)
    chosen = [blocks[at] for at in kept]
    return Aligned(
        blocks=_cut(chosen, [names[at] if shared is None else shared for at in kept], grid),
        shift=grid,
        unit="own replicate" if disjoint else "replicate",
        kept=tuple(kept),
        dropped=tuple(block[0].data_size for at, block in enumerate(blocks) if at not in kept),
    )


def _all_alike(covariances: Sequence[Floats]) -> Floats:
    """Covariance (K, K) of the sum of vectors with these covariances, each vector the same but for its scales."""
    spreads = [np.sqrt(np.maximum(np.diag(covariance), 0.0)) for covariance in covariances]
    scaled = [np.where(spread > 0, spread, np.inf) for spread in spreads]
    alike = [covariance / np.outer(scale, scale) for covariance, scale in zip(covariances, scaled, strict=True)]
    total = np.sum(spreads, axis=0)
    mean = np.mean(alike, axis=0)
    np.fill_diagonal(mean, 1.0)
    return np.asarray(mean * np.outer(total, total), dtype=float)


def _common(block: Block) -> Names:
    return tuple(name for name in block[0].names if all(name in curve.names for curve in block))


def _most_precise(names: Sequence[Names]) -> tuple[list[int], Names]:
    """Which blocks to keep, and the replicates they share, so that Student's factor / sqrt(B R) is least."""
    best: tuple[float, list[int], Names] = (math.inf, [], ())
    for least in sorted({len(own) for own in names if len(own) > 1}):
        kept = [at for at, own in enumerate(names) if len(own) >= least]
        shared = tuple(name for name in names[kept[0]] if all(name in names[at] for at in kept))
        if len(shared) > 1:
            width = float(student_t.ppf(0.975, len(shared) - 1)) / math.sqrt(len(shared) * len(kept))
            best = min(best, (width, kept, shared), key=lambda found: found[0])
    return (best[1], best[2]) if best[1] else ([int(np.argmax([len(own) for own in names]))], max(names, key=len))


def _cut(blocks: Sequence[Block], names: Sequence[Names], grid: Floats) -> tuple[Block, ...]:
    return tuple(tuple(curve.only(own, grid) for curve in block) for block, own in zip(blocks, names, strict=True))


def mean_over_shifts(curve: ShiftErrorCurve) -> ShiftErrorCurve | None:
    """The curve's mean over its positive shifts as a curve of one point, for comparisons whatever the shift."""
    kept = curve.shift[curve.shift > 0]
    if not len(kept):
        return None
    cut = curve.only(curve.names, kept)
    spread = math.sqrt(float(np.mean(cut.error_se**2)))
    rows = None if cut.replicates is None else cut.replicates.mean(axis=1, keepdims=True)
    if rows is not None:
        spread = float(rows.std(ddof=1)) / math.sqrt(len(rows))
    return replace(
        cut,
        shift=np.array([0.5]),
        error=np.array([cut.error.mean()]),
        error_se=np.array([spread]),
        replicates=rows,
        test_covariance=None if cut.test_covariance is None else np.array([[cut.test_covariance.mean()]]),
    )


def _joint_covariance(block: Block) -> Floats:
    """The evaluation set's covariance (PS, PS) over all cells of a block; zero where it is not known.

    Between two curves their errors are taken to be as alike as those within the less alike of the two.
    """
    size = block[0].shift.size
    joint = np.zeros((len(block) * size, len(block) * size))
    for i, a in enumerate(block):
        for j, b in enumerate(block):
            if a.test_covariance is None or b.test_covariance is None:
                continue
            place = np.ix_(range(i * size, (i + 1) * size), range(j * size, (j + 1) * size))
            if i == j:
                joint[place] = a.test_covariance
                continue
            alike = min(least_correlation(a.test_covariance), least_correlation(b.test_covariance))
            joint[place] = alike * np.outer(np.sqrt(np.diag(a.test_covariance)), np.sqrt(np.diag(b.test_covariance)))
    return joint


__all__ = ["Aligned", "Block", "Pairs", "align", "mean_over_shifts"]
