"""Augmenters: how texts are shifted, one idea a file, behind one protocol (sections 3 to 5 of the paper).

Command: `kdshift empirical augment --augmenter knn --degree 0.3 < lines.txt`.

Mixup of embeddings (MixKD [15]) is not here: it makes points between the embeddings of two texts, which are no tokens.
They have no degree, no text to show, nothing for a student with another tokenizer to read, and neither the batches nor
the teacher's input take them; the protocol would have to carry embeddings for the sake of that one augmenter.
"""

from empirical.augment.build import make_augmenter
from empirical.augment.changed_tokens import exact_counts, select_tokens
from empirical.augment.neighbours import neighbour_table
from empirical.augment.protocol import Augmenter

__all__ = [
    "Augmenter",
    "exact_counts",
    "make_augmenter",
    "neighbour_table",
    "select_tokens",
]
