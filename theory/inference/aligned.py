"""What is resampled: curves brought to one grid and to the replicates that they share, and contrasts over them.

The unit is the replicate across all curves that share it (same seed, nested subsets). Where curves have one run a cell,
as in the paper's tables, the unit is the row: how rows differ is then the only measure of noise. Serves `effects`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from theory.inference.contrast import LEVEL, Contrasts, simultaneous
from theory.inference.curve import ShiftErrorCurve
from theory.inference.evaluation import least_correlation

Floats = npt.NDArray[np.float64]
Block = tuple[ShiftErrorCurve, ...]
Pairs = Sequence[tuple[ShiftErrorCurve, ShiftErrorCurve]]


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """B blocks of P curves each, all on the grid `shift` (S,) and with the replicates `names`.

    A block is one curve, or the curves of one comparison (at one data size). No names: the unit is the block.
    """

    blocks: tuple[Block, ...]
    shift: Floats
    names: tuple[Hashable, ...]

    @property
    def exact(self) -> bool:
        """Whether the curves are evaluations of a formula, without any noise."""
        return all(curve.replicates is None and not np.any(curve.error_se) for curve in self.curves)

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
        """What the unit is where it is not the replicate."""
        if self.names or self.exact:
            return ""
        return "one run a cell" + (
            f": the interval is over the {len(self.blocks)} rows" if len(self.blocks) > 1 else ""
        )

    def runs(self) -> int:
        """Replicates behind the curves (grid points where there is one run each; 0 if exact)."""
        return 0 if self.exact else len(self.curves) * self.shift.size * max(len(self.names), 1)

    def errors(self, block: Block) -> Floats:
        """The block's errors, shape (R, P, S), one row without replicates."""
        if self.names:
            return np.stack([_rows(curve) for curve in block], axis=1)
        return np.stack([curve.error for curve in block])[None]

    def contrasts(self, weights: Sequence[Floats], *, level: float = LEVEL) -> Contrasts:
        """The mean over blocks of K contrasts each: `weights` holds (K, P, S) for every block."""
        per_block = [
            np.einsum("rps,kps->rk", self.errors(block), own) for block, own in zip(self.blocks, weights, strict=True)
        ]
        if self.exact:
            return _exact(np.mean([rows[0] for rows in per_block], axis=0), level)
        units = np.mean(per_block, axis=0) if self.names else np.concatenate(per_block)
        return simultaneous(units, level=level, shared_variance=self._shared_variance(weights))

    def block_spread(self, weights: Sequence[Floats]) -> Floats:
        """Standard errors (B, K) that the evaluation sets give to each block's share of the mean contrasts."""
        spread = []
        for block, own in zip(self.blocks, weights, strict=True):
            rows = own.reshape(len(own), -1)
            variance = np.einsum("ks,st,kt->k", rows, _joint_covariance(block), rows)
            spread.append(np.sqrt(np.maximum(variance, 0.0)) / len(self.blocks))
        return np.stack(spread)

    def _shared_variance(self, weights: Sequence[Floats]) -> Floats:
        """Variance (K,) from the evaluation sets: on one set the blocks' standard errors add, as if all were alike."""
        by_set: dict[str, list[Floats]] = {}
        for block, spread in zip(self.blocks, self.block_spread(weights), strict=True):
            by_set.setdefault(block[0].evaluation, []).append(spread)
        return np.asarray(sum(np.sum(spreads, axis=0) ** 2 for spreads in by_set.values()), dtype=float)


def align(blocks: Sequence[Block], *, shifts: Floats | None = None) -> Aligned | None:
    """The blocks on the shifts that all curves have (or `shifts`), with the replicates that all share.

    Fewer than two shared replicates: none are used, the unit is the block. None where there is no block or no shift.
    """
    curves = [curve for block in blocks for curve in block]
    if not curves:
        return None
    grid = curves[0].shift if shifts is None else shifts
    for curve in curves:
        grid = grid[[bool(np.any(np.isclose(curve.shift, shift, rtol=1e-9, atol=1e-12))) for shift in grid]]
    if not len(grid):
        return None
    names = tuple(name for name in curves[0].names if all(name in curve.names for curve in curves))
    names = names if len(names) > 1 else ()
    cut = tuple(tuple(curve.only(names, grid) for curve in block) for block in blocks)
    return Aligned(blocks=cut, shift=grid, names=names)


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


def _rows(curve: ShiftErrorCurve) -> Floats:
    assert curve.replicates is not None
    return curve.replicates


def _exact(effect: Floats, level: float) -> Contrasts:
    """Contrasts without noise: every interval is the value itself."""
    none = np.zeros_like(effect)
    return Contrasts(
        effect=effect, se=none, low=effect, high=effect, own_low=effect, own_high=effect,
        p=(effect == 0).astype(float), freedom=none + math.inf, each=1 - level, units=0, level=level,
    )  # fmt: skip


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
