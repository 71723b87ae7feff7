"""MixKD: points between the embeddings of two texts as virtual texts (Liang et al., ICLR 2021).

Command: `kdshift empirical distill --augmenter mixkd --degree 0.3`; `kdshift empirical shift --augmenter mixkd`.

A virtual text is no tokens: it has no text to show or keep, and only models of the same tokenizer, each with its own
table, can read it. Every eligible token is mixed with the one at its place in another text of the batch, counted
round, as AugPro-Mix does before it projects; lengths and special tokens stay. The paper draws the share anew for each
pair; here it is the degree. Shape suffixes: B texts, L tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from empirical.augment.augpro import draw_partners, partner_tokens
from empirical.augment.changed_tokens import exact_counts
from empirical.tokens.batch import Augmented, Batch, Mixture


@dataclass(frozen=True)
class MixKD:
    """Virtual texts of which `degree` is another text's: 0 is the original, 1 the other text's tokens.

    Hard labels on augmented texts (beta above 0) stay those of the text itself; the paper mixes both labels.
    """

    name: str = "mixkd"
    online: bool = True
    at_once: bool = False

    def __call__(self, batch: Batch, degree: float, rng: np.random.Generator, *, copy: int = 0) -> Augmented:
        """All eligible tokens move; what counts as changed is the degree's share of them, that much being new."""
        other_BL = partner_tokens(batch, draw_partners(len(batch), rng))
        eligible_B = batch.eligible_BL.sum(axis=1)
        share_B = np.full(len(batch), degree, dtype=np.float32)
        moved = Mixture(ids_BL=other_BL, share_B=share_B) if degree > 0 else None
        return Augmented(
            batch=replace(batch, text_a=None, text_b=None, mixed=moved),
            eligible_B=eligible_B,
            changed_B=exact_counts(eligible_B, degree, rng),
            changed_BL=batch.eligible_BL & (other_BL != batch.ids_BL) & (degree > 0),
        )
