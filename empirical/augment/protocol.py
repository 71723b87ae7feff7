"""What every augmenter is: a pure function of a batch of token ids, a degree and a generator."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from empirical.tokens.batch import Augmented, Batch


class Augmenter(Protocol):
    """One way to shift texts, safe to call from any thread: nothing it returns depends on earlier calls.

    name: what it is called on the command line and in tables.
    online: false where it is too slow, or not random enough, to be drawn afresh at every step.
    at_once: whether one call has to see all originals of a copy, because what it gives one text depends on the others.
    """

    @property
    def name(self) -> str: ...

    @property
    def online(self) -> bool: ...

    @property
    def at_once(self) -> bool: ...

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """The augmented batch.

        batch: B texts or pairs.
        degree: semantic shift degree in [0, 1], the share of eligible tokens that change.
        rng: all the randomness there is; equal generators give equal batches.
        copy: which of the offline copies of the data this is; only offline augmenters look at it (another pivot
            language, other held-out texts).
        """
        ...
