"""The catalogue says of every augmenter what it needs, and nothing of any other."""

from __future__ import annotations

import typing

from empirical.augment.catalogue import CATALOGUE, SELECTIONS, Need, needs_of
from empirical.config import AUGMENTERS, AugmentConfig


def test_every_augmenter_is_described():
    assert tuple(CATALOGUE) == AUGMENTERS
    rules = typing.get_args(AugmentConfig.model_fields["selection"].annotation)
    assert set(SELECTIONS) == set(rules)
    known = set(typing.get_args(Need))
    assert all(set(entry.needs) <= known for entry in CATALOGUE.values())


def test_a_selection_adds_its_needs():
    assert needs_of(AugmentConfig(augmenter="random")) == set()
    assert needs_of(AugmentConfig(augmenter="random", selection="high-entropy")) == set()
    assert needs_of(AugmentConfig(augmenter="random", entropy_quantile=0.5)) == {"teacher"}
    assert needs_of(AugmentConfig(augmenter="knn", selection="glitter")) == {"embeddings", "teacher", "student"}
