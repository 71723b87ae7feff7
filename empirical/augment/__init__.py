"""Augmenters: how texts are shifted, one idea a file, behind one protocol (sections 3 to 5 of the paper).

Command: `kdshift empirical augment --augmenter knn --degree 0.3 < lines.txt`.

Mixed embeddings (`mixkd`, MixKD [15]) are no tokens: such batches are marked as virtual, and what needs a text refuses
them.
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
