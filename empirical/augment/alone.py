"""What a teacher says to a token alone: a text of that token and nothing else, asked once and kept in memory.

Serves `kdshift empirical augment --augmenter flip --teacher DIR`, which ranks changes by it without a gradient.
Shape suffixes: V token ids, N tokens, C classes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from empirical.augment.network import Scorer, score_in_parts
from empirical.tokens.batch import Batch

DECIMALS = 3  # kept of a logit: which tokens are asked together moves it by a millionth, and must not move a ranking


@dataclass
class Alone:
    """A classifier's logits of single tokens; each is asked when it is first needed, by one thread at a time.

    frame: the special tokens before and after a text (`Codec.frame`).
    """

    scorer: Scorer
    frame: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    _known_V: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    _logits_VC: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def logits(self, ids_N: NDArray[np.integer]) -> NDArray[np.float32]:
        """Logits of these tokens (an array of any shape), each alone in a text: shape (..., C), to three decimals."""
        with self._lock:
            new_N = np.unique(ids_N)
            if len(new_N) and new_N[-1] >= len(self._known_V):
                self._grow(int(new_N[-1]) + 1)
            new_N = new_N[~self._known_V[new_N]]
            if len(new_N):
                answer_NC = np.round(score_in_parts(self.scorer, self._texts(new_N)), DECIMALS)
                if not self._logits_VC.shape[1]:
                    self._logits_VC = np.zeros((len(self._known_V), answer_NC.shape[1]), dtype=np.float32)
                self._logits_VC[new_N] = answer_NC
                self._known_V[new_N] = True
            found: NDArray[np.float32] = self._logits_VC[ids_N]
        return found

    def _grow(self, size: int) -> None:
        more = max(size, 2 * len(self._known_V)) - len(self._known_V)
        self._known_V = np.pad(self._known_V, (0, more))
        self._logits_VC = np.pad(self._logits_VC, ((0, more), (0, 0)))

    def _texts(self, ids_N: NDArray[np.integer]) -> Batch:
        """One text for each token: what stands before a text, the token, what stands after it."""
        before, after = self.frame
        ids_NL = np.zeros((len(ids_N), len(before) + 1 + len(after)), dtype=np.int32)
        ids_NL[:, : len(before)], ids_NL[:, len(before) + 1 :] = before, after
        ids_NL[:, len(before)] = ids_N
        eligible_NL = np.zeros(ids_NL.shape, dtype=bool)
        eligible_NL[:, len(before)] = True
        return Batch(
            ids_BL=ids_NL,
            mask_BL=np.ones(ids_NL.shape, dtype=bool),
            eligible_BL=eligible_NL,
            segment_BL=np.zeros(ids_NL.shape, dtype=np.int8),
        )
