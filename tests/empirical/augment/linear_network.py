"""A classifier whose logits are sums over a text's tokens: what a search should find is known in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from empirical.tokens.batch import Batch


@dataclass
class LinearNetwork:
    """Logits sum_i E[token_i] @ weight + bias; every one of its passes is noted in `asked`."""

    embeddings_VD: NDArray[np.float32]
    weight_DC: NDArray[np.float32]
    bias_C: NDArray[np.float32]
    asked: list[int] = field(default_factory=list)

    @classmethod
    def random(cls, tokens: int, classes: int = 3, seed: int = 0) -> LinearNetwork:
        rng = np.random.default_rng(seed)
        values = [rng.standard_normal(shape).astype(np.float32) for shape in ((tokens, 8), (8, classes), (classes,))]
        return cls(*values)

    def __call__(self, batch: Batch) -> NDArray[np.float32]:
        self.asked.append(len(batch))
        rows_BLD = self.embeddings_VD[batch.ids_BL] * batch.eligible_BL[:, :, None]
        return rows_BLD.sum(axis=1) @ self.weight_DC + self.bias_C

    def pull_back(
        self, batch: Batch, weight: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        logits_BC = self(batch)
        slope_BD = weight(logits_BC) @ self.weight_DC.T
        return logits_BC, (slope_BD[:, None, :] * batch.eligible_BL[:, :, None]).astype(np.float32)
