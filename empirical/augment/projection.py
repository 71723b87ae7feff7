"""From a point among token embeddings back to a token: the candidate with the largest inner product.

On rows of length one that is the nearest by cosine (AugPro).
Shape suffixes: N points, K candidates, V token ids, D embedding width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CACHED = 32  # points at a time: their candidates' embeddings then stay in the processor's cache


def unit_rows(embeddings_VD: NDArray[np.floating]) -> NDArray[np.float32]:
    """The rows of a matrix at length one (rows of zeros stay), float32."""
    norm_V1 = np.linalg.norm(embeddings_VD, axis=1, keepdims=True)
    return np.asarray(embeddings_VD / np.maximum(norm_V1, 1e-12), dtype=np.float32)


def best_candidates(
    rows_VD: NDArray[np.float32], candidate_NK: NDArray[np.int32], point_ND: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """For each point the candidate whose row has the largest inner product with it, and that product.

    candidate_NK: int32 array of shape (N, K), token ids; negative ones are none (at least one of a row is some).
    Returns int32 and float32 arrays of shape (N,).
    """
    best_N = np.empty(len(point_ND), dtype=np.int32)
    score_N = np.empty(len(point_ND), dtype=np.float32)
    part_NKD = np.empty((CACHED, candidate_NK.shape[1], rows_VD.shape[1]), dtype=np.float32)
    for start in range(0, len(point_ND), CACHED):
        part, own_NK = slice(start, start + CACHED), candidate_NK[start : start + CACHED]
        rows_NKD = part_NKD[: len(own_NK)]
        np.take(rows_VD, own_NK, axis=0, out=rows_NKD, mode="clip")
        product_NK = np.matmul(rows_NKD, point_ND[part, :, None])[:, :, 0]
        product_NK[own_NK < 0] = -np.inf
        place_N1 = product_NK.argmax(axis=1)[:, None]
        best_N[part] = np.take_along_axis(own_NK, place_N1, axis=1)[:, 0]
        score_N[part] = np.take_along_axis(product_NK, place_N1, axis=1)[:, 0]
    return best_N, score_N
