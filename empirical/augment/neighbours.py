"""The exact nearest neighbours of every token in an embedding matrix, in bounded memory, kept on disk.

Cosine is the default: by Euclidean distance the nearest rows of BERT's table are untrained rare pieces, whose short
vectors lie close to everything. Shape suffixes: V token ids, R rows of a block, D embedding width, K neighbours.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from empirical.files import cache_directory, replacing
from theory.errors import InputError
from theory.progress_report import Progress

Metric = Literal["cosine", "euclidean"]
GROUP = 64
MEMORY = 192 * 2**20


def neighbour_table(
    embeddings_VD: NDArray[np.float32],
    candidate_V: NDArray[np.bool_],
    neighbours: int,
    metric: Metric = "cosine",
    cache: Path | None = None,
    progress: Progress | None = None,
) -> NDArray[np.int32]:
    """The `neighbours` nearest candidates of every token, nearest first; a token is never its own neighbour.

    embeddings_VD: float array of shape (V, D), one row a token id.
    candidate_V: bool array of shape (V,), tokens that may be neighbours (neither special nor unused).
    neighbours: k, at most the candidates less one.
    metric: `cosine` or `euclidean`.
    cache: folder of finished tables, named by a hash of all of the above; None: `users_tables()`.
    Returns an int32 array of shape (V, k). Memory beside the matrices: about 200 MiB, whatever V.

    Raises:
        InputError: too few candidates for k, or values that are not finite.
    """
    if (available := int(candidate_V.sum())) <= neighbours:
        raise InputError("neighbours", neighbours, f"fewer than the {available} tokens that may be neighbours")
    folder = cache or users_tables()
    file = folder / f"{_digest(embeddings_VD, candidate_V, neighbours, metric)}.npy"
    table_VK = _read(file, (len(embeddings_VD), neighbours))
    if table_VK is None:
        if not np.isfinite(embeddings_VD).all():
            raise InputError("embeddings", "values that are not finite", "finite numbers")
        table_VK = _compute(embeddings_VD, candidate_V, neighbours, metric, progress)
        _write(file, table_VK)
    return table_VK


def users_tables() -> Path:
    """The user's folder of neighbour tables, which all their results share: a table depends on nothing else."""
    return cache_directory() / "neighbours"


def _digest(embeddings_VD: NDArray[np.float32], candidate_V: NDArray[np.bool_], neighbours: int, metric: str) -> str:
    digest = hashlib.sha256(f"{embeddings_VD.shape} {embeddings_VD.dtype} {neighbours} {metric}".encode())
    digest.update(np.ascontiguousarray(embeddings_VD).data)
    digest.update(np.packbits(candidate_V).data)
    return digest.hexdigest()[:32]


def _read(file: Path, shape: tuple[int, int]) -> NDArray[np.int32] | None:
    try:
        table_VK = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return table_VK if table_VK.shape == shape and table_VK.dtype == np.int32 else None


def _write(file: Path, table_VK: NDArray[np.int32]) -> None:
    with replacing(file) as draft:
        np.save(draft, table_VK, allow_pickle=False)


def _compute(
    embeddings_VD: NDArray[np.float32],
    candidate_V: NDArray[np.bool_],
    neighbours: int,
    metric: Metric,
    progress: Progress | None,
) -> NDArray[np.int32]:
    rows_VD = np.asarray(embeddings_VD, dtype=np.float32)
    if metric == "cosine":
        rows_VD = rows_VD / np.maximum(np.linalg.norm(rows_VD, axis=1, keepdims=True), np.float32(1e-12))
    candidates = np.flatnonzero(candidate_V)
    columns_DC = np.ascontiguousarray(rows_VD[candidates].T)
    # The nearest by distance have the largest x.y - |y|^2/2; under cosine every |y| is one.
    offset_C = -0.5 * np.square(columns_DC).sum(axis=0) if metric == "euclidean" else None
    place_V = np.full(len(rows_VD), -1)
    place_V[candidates] = np.arange(len(candidates))
    block = max(1, MEMORY // (2 * 4 * len(candidates)))
    table_VK = np.empty((len(rows_VD), neighbours), dtype=np.int32)
    starts = range(0, len(rows_VD), block)
    for done, start in enumerate(starts, start=1):
        score_RC = rows_VD[start : start + block] @ columns_DC
        if offset_C is not None:
            score_RC += offset_C
        own_R = place_V[start : start + block]
        score_RC[np.flatnonzero(own_R >= 0), own_R[own_R >= 0]] = -np.inf
        table_VK[start : start + block] = candidates[_largest(score_RC, neighbours)]
        if progress is not None:
            progress("neighbour table", done, len(starts))
    return table_VK


def _largest(score_RC: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """The columns of the `count` largest scores of each row, largest first, ties by column.

    The largest lie in the `count` groups of columns whose maxima are largest, so only those are searched: one pass
    over the scores for the maxima instead of a partition of all of them.
    """
    rows, columns = score_RC.shape
    groups = columns // GROUP
    if groups <= count:
        return _sorted_largest(score_RC, np.broadcast_to(np.arange(columns), score_RC.shape), count)
    maxima_RG = score_RC[:, : groups * GROUP].reshape(rows, groups, GROUP).max(axis=2)
    best_RG = np.argpartition(-maxima_RG, count - 1, axis=1)[:, :count]
    inside = (best_RG[:, :, None] * GROUP + np.arange(GROUP)).reshape(rows, -1)
    rest = np.broadcast_to(np.arange(groups * GROUP, columns), (rows, columns - groups * GROUP))
    column_RC = np.concatenate([inside, rest], axis=1)
    return _sorted_largest(np.take_along_axis(score_RC, column_RC, axis=1), column_RC, count)


def _sorted_largest(score_RC: NDArray[np.float32], column_RC: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    best = np.argpartition(-score_RC, count - 1, axis=1)[:, :count]
    score_RK, column_RK = np.take_along_axis(score_RC, best, axis=1), np.take_along_axis(column_RC, best, axis=1)
    order = np.lexsort((column_RK, -score_RK), axis=1)
    return np.take_along_axis(column_RK, order, axis=1)
